"""The way of a batch: demo, approve, run, status, report (`new`, `plan` and `export` have files of their own)."""

import getpass
import textwrap
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import BatchId, Exit, age_in_words, deployment_here, out, show_notices, telling
from cj_pipeline.errors import BatchError

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
    out.print("\nNext: `make ui` shows the assets and their checks; `cj new my-class --from FOLDER` starts your own.")


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


def status(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]")] = None,
) -> None:
    """One table over all batches: state, age, money, what holds them up, what to do next."""
    from datetime import UTC, datetime

    from cj_pipeline.status import batch_status

    deployment = deployment_here()
    table = Table("batch", "state", "essays", "age", "spent USD", "reserved USD", "held up by", "next")
    for name in [batch_id] if batch_id else deployment.batch_ids():
        row = batch_status(deployment, name)
        age = datetime.now(UTC) - row.registered_at if row.registered_at else None
        table.add_row(
            row.batch_id,
            row.state,
            str(row.essays or ""),
            age_in_words(age.total_seconds()) if age else "",
            f"{row.spent_usd:.4f}",
            f"{row.reserved_usd:.4f}",
            textwrap.shorten(row.blocked_by, 90),
            row.next_action,
        )
    out.print(table)


def report(
    batch_id: BatchId,
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = False,
) -> None:
    """Print a batch's ranking and say where its report lies."""
    deployment = deployment_here()
    location = _report_location(deployment, batch_id)
    if not Path(location).exists():
        raise BatchError(f"batch {batch_id}: there is no report yet. Run `cj run {batch_id}`.")
    _show(_evidence(deployment, batch_id), location)
    if open_it:
        webbrowser.open(Path(location).resolve().as_uri())


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


def _evidence(deployment: "Deployment", batch_id: str) -> "Evidence":
    from cj_pipeline.report.gather import gather_evidence

    return gather_evidence(deployment, batch_id)


def _report_location(deployment: "Deployment", batch_id: str) -> str:
    return deployment.store.location(f"reports/{batch_id}.html")
