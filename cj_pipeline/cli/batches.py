"""The way of a batch: demo, approve, run, report (`new`, `plan`, `status` and `export` have files of their own)."""

import getpass
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cj_pipeline.cli.terminal import (
    BatchId,
    Exit,
    JsonOutput,
    deployment_here,
    err,
    out,
    print_json,
    show_notices,
    telling,
)
from cj_pipeline.errors import CjError

if TYPE_CHECKING:
    from cj_pipeline.deployment import Deployment
    from cj_pipeline.report.evidence import Evidence

DEMO_BATCH = "merlin-german"


def demo() -> None:
    """Judge, score and grade 37 real learner texts on this machine, for nothing.

    The texts are German learner essays with known CEFR grades (MERLIN corpus). The judge is a word counter:
    it shows how everything works, and is no judge of essays.
    """
    deployment = deployment_here()
    _run(deployment, DEMO_BATCH, wait=True, new_revision=False)
    out.print("\nNext: `make ui` shows the assets and their checks;")
    out.print("      `.venv/bin/cj new my-class --from FOLDER` starts your own.")


def approve(
    batch_id: BatchId,
    max_usd: Annotated[
        float, typer.Option(min=0.0, max=1e6, help="Ceiling on what the batch may cost in total, in USD.")
    ],
    by: Annotated[str, typer.Option(help="Who approves; default: the user of this machine.")] = "",
) -> None:
    """Consent to buying a batch as it is now, up to a ceiling. Any later change of its content needs a new one."""
    from cj_pipeline.jobs.revisions import open_revision
    from cj_pipeline.jobs.spending import approve as record

    deployment = deployment_here()
    provenance = open_revision(deployment.ledger, deployment.batch(batch_id))
    record(deployment.ledger, batch_id, approved_by=by or getpass.getuser(), max_usd=max_usd)
    out.print(f"approved: revision {provenance.revision[:12]} of {batch_id}, up to USD {max_usd:.4f}")
    out.print(f"Next: cj run {batch_id}")


def run(
    batch_id: BatchId,
    wait: Annotated[
        bool, typer.Option(help="Wait for jobs at the provider (up to 24 h); stopping loses nothing.")
    ] = True,
    new_revision: Annotated[
        bool, typer.Option("--new-revision", help="The content was changed on purpose after buying: buy anew.")
    ] = False,
) -> None:
    """Take a batch to its report: buy what is approved, wait, score, grade.

    Run it again at any time, also after a crash: nothing is bought twice and no answer is lost.
    """
    _run(deployment_here(), batch_id, wait=wait, new_revision=new_revision)


def report(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]")] = None,
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = False,
    as_json: JsonOutput = False,
    public: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write a copy without texts, groups of pupils and persons' names there."),
    ] = None,
    index: Annotated[bool, typer.Option("--index", help="Write the page over all batches anew.")] = False,
) -> None:
    """Print a batch's ranking and say where its report lies. Ends with 1 when a gate is red, 3 when there is none."""
    deployment = deployment_here()
    if index:
        _index(deployment, open_it=open_it)
    if batch_id is None:
        if not index:
            raise CjError("report: which batch? Name one (cj status lists them), or give --index.")
        return
    deployment.batch(batch_id)
    location = _report_location(deployment, batch_id)
    if not deployment.store.exists(f"reports/{batch_id}.html"):
        err.print(f"cj: batch {batch_id}: there is no report yet. Run `cj run {batch_id}`.", soft_wrap=True)
        raise typer.Exit(Exit.WAITING)
    evidence = _evidence(deployment, batch_id)
    if public is not None:
        _public(evidence, public)
    elif as_json:
        print_json(_as_row(evidence, location))
    else:
        _show(evidence, location)
    if open_it and not index:
        webbrowser.open(Path(public or location).resolve().as_uri())
    if not evidence.findings[-1].passed:
        raise typer.Exit(Exit.GATE_RED)


def _index(deployment: "Deployment", *, open_it: bool) -> None:
    from cj_pipeline.report.index import publish_index

    location = publish_index(deployment)
    out.print(f"all batches: {location}", markup=False, soft_wrap=True)
    if open_it:
        webbrowser.open(Path(location).resolve().as_uri())


def _public(evidence: "Evidence", path: Path) -> None:
    from cj_pipeline.report.gather import write_public_copy

    write_public_copy(evidence, path)
    out.print(f"public copy: {path}", markup=False, soft_wrap=True)
    out.print("It names essays by their ids: give it away only if these are no names.")


def _run(deployment: "Deployment", batch_id: str, *, wait: bool, new_revision: bool) -> None:
    show_notices(deployment.batch(batch_id).notices)
    with telling(f"{batch_id}: reading and planning") as tell:
        from cj_pipeline.defs.drive import run_batch  # imports Dagster: two seconds that other commands save

        progress = run_batch(deployment, batch_id, tell=tell, wait=wait, new_revision=new_revision)
    if not progress.complete:
        out.print(f"{batch_id}: jobs {progress.sentence()}. Next: cj run {batch_id}")
        raise typer.Exit(Exit.WAITING)
    evidence = _evidence(deployment, batch_id)
    _show(evidence, _report_location(deployment, batch_id))
    if not evidence.findings[-1].passed:
        raise typer.Exit(Exit.GATE_RED)


def _show(evidence: "Evidence", location: str) -> None:
    from cj_pipeline.report.terminal import ranking_table, summary_lines

    out.print(ranking_table(evidence))
    for line in summary_lines(evidence):
        out.print(line, markup=False, soft_wrap=True)
    out.print(f"report: {location}", markup=False, soft_wrap=True)


def _as_row(evidence: "Evidence", location: str) -> dict[str, object]:
    """What a script wants of a report: the verdict on the whole, every claim, and the ranking without any text."""
    from cj_pipeline.report.figures import essay_figures

    return {
        "batch_id": evidence.batch_id,
        "title": evidence.title,
        "revision": evidence.revision,
        "report": location,
        "publishable": evidence.findings[-1].passed,
        "spent_usd": evidence.spent_usd,
        "findings": evidence.findings,
        "essays": essay_figures(evidence),
    }


def _evidence(deployment: "Deployment", batch_id: str) -> "Evidence":
    from cj_pipeline.report.gather import gather_evidence

    return gather_evidence(deployment, batch_id)


def _report_location(deployment: "Deployment", batch_id: str) -> str:
    return deployment.store.location(f"reports/{batch_id}.html")
