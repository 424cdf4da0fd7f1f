"""`cj eng5 plan | dry-run | execute | anchor-align | register-anchors`: the predecessor's runner, onto the assets.

They end as the runner did, so that scripts around it go on working: 0 done; 1 refused by a check of the input or a red
check of the result, or not at its end; 2 the artefact could not be made, or the command line is not understood.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cj_pipeline.cli.terminal import BatchId, JsonOutput, deployment_here, err, out, print_json, show_notices, telling
from cj_pipeline.errors import CjError

if TYPE_CHECKING:
    from cj_pipeline.batch import Batch
    from cj_pipeline.deployment import Deployment
    from cj_pipeline.findings import Finding
    from cj_pipeline.jobs.progress import Progress

NewRevision = Annotated[
    bool, typer.Option("--new-revision", help="The content was changed on purpose after buying: buy anew.")
]
Await = Annotated[
    bool, typer.Option("--await-completion/--no-await-completion", help="Wait for jobs that are out (up to 24 h).")
]
Timeout = Annotated[
    float | None,
    typer.Option("--completion-timeout", min=0, metavar="SECONDS", help="Wait no longer; the artefact is partial."),
]


class RunnerExit:
    """The predecessor runner's exit codes; where `cj` elsewhere means another thing by one, docs say so."""

    DONE = 0
    NOT_DONE = 1  # a mistake in the batch, no approval, a red check, or not at its end
    NO_ARTEFACT = 2


class _TimeIsUp(Exception):
    """The completion timeout passed while jobs were out."""


def plan(batch_id: BatchId, as_json: JsonOutput = False) -> None:
    """What a run would take in: anchors and pupils' essays with their checksums. Writes nothing."""
    with _runner_codes():
        batch = deployment_here().batch(batch_id)
        show_notices(batch.notices)
        rows = batch.essays.select(["essay_id", "is_anchor", "anchor_grade", "word_count", "sha256"]).to_pylist()
        if as_json:
            print_json({"batch_id": batch_id, "essays": rows})
            return
        for row in rows:
            kind = f"anchor {row['anchor_grade']}" if row["is_anchor"] else "pupil"
            out.print(f"{row['essay_id']}  {kind}  {row['word_count']} words  {row['sha256']}", soft_wrap=True)
        judges = ", ".join(f"{judge.provider}:{judge.model}" for judge in batch.manifest.judges)
        out.print(f"{batch_id}: {batch.n_anchors} anchors, {batch.n_students} pupils' essays, judged by {judges}")
        out.print(f"Next: cj eng5 dry-run {batch_id}")


def dry_run(batch_id: BatchId) -> None:
    """Plan a batch as assets (essays, pairs) and write the artefact of a run that asked nothing. Buys nothing."""
    from cj_pipeline.eng5.artefact import dry_run as nothing_asked

    with _runner_codes():
        deployment = deployment_here()
        batch = deployment.batch(batch_id)
        show_notices(batch.notices)
        from cj_pipeline.defs.drive import plan_batch  # imports Dagster: two seconds that other commands save

        plan_batch(deployment, batch_id)
        run = nothing_asked(batch, deployment)
        _keep(deployment, run)
        dollars = run.estimate_usd or {}
        out.print(
            f"{batch_id}: {run.planned_comparisons} comparisons, USD {dollars.get('expected', 0):.4f} expected and "
            f"{dollars.get('high', 0):.4f} at most"
        )
        out.print(f"Next: cj eng5 execute {batch_id}")


def execute(
    batch_id: BatchId, await_completion: Await = True, timeout: Timeout = None, new_revision: NewRevision = False
) -> None:
    """Take a batch through all assets to its report, and write the artefact. Run it again at any time."""
    with _runner_codes():
        deployment = deployment_here()
        show_notices(deployment.batch(batch_id).notices)
        green = _executed(
            deployment, batch_id, "execute", wait=await_completion, timeout=timeout, new_revision=new_revision
        )
        if not green:
            raise typer.Exit(RunnerExit.NOT_DONE)


def anchor_align(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="The name of the experiment's folder.")],
    await_completion: Await = True,
    timeout: Timeout = None,
    new_revision: NewRevision = False,
) -> None:
    """Ask about the same anchors in several ways, and compare: tau, inversions, order bias, reliability, cost.

    Each folder under variants/ becomes a batch EXPERIMENT-VARIANT. Ends with 1 when a variant misses its targets,
    falls behind its last run, or is not at its end.
    """
    from cj_pipeline.eng5.anchor_findings import NOT_ALIGNED
    from cj_pipeline.eng5.anchor_run import is_alignment_batch
    from cj_pipeline.eng5.experiment import experiment_roots, lay_out, read_experiment
    from cj_pipeline.eng5.experiment_page import publish_experiment

    with _runner_codes():
        deployment = deployment_here()
        read = read_experiment(experiment, experiment_roots(deployment.settings))
        for batch_id in lay_out(read, deployment.settings.batches, deployment.batch).values():
            if not is_alignment_batch(deployment.batch(batch_id)):
                raise CjError(f"batch {batch_id}: {NOT_ALIGNED}. Give it a [scale] and grades for all essays.")
        for batch_id in read.batch_ids.values():
            _executed(
                deployment, batch_id, "anchor-align-test",
                wait=await_completion, timeout=timeout, new_revision=new_revision,
            )  # fmt: skip
        location, lines = publish_experiment(deployment, read)
        out.print(f"side by side: {location}", soft_wrap=True)
        if not all(line.passed for line in lines):
            raise typer.Exit(RunnerExit.NOT_DONE)


def register_anchors(batch_id: BatchId) -> None:
    """Write anchors.csv from the names of a batch's essay files: `..._F+1.docx` is an anchor graded F+."""
    from cj_pipeline.eng5.anchor_names import write_anchors

    with _runner_codes():
        deployment = deployment_here()
        path, count = write_anchors(deployment.batch(batch_id))
        out.print(f"{count} anchors: {path}", soft_wrap=True)
        out.print(f"Next: cj eng5 plan {batch_id}")


def _executed(
    deployment: "Deployment", batch_id: str, mode: str, *, wait: bool, timeout: float | None, new_revision: bool
) -> bool:
    """Run, keep the artefact, say what was found; whether the batch is at its end with nothing red."""
    from cj_pipeline.eng5.artefact import executed_run

    progress = _run(deployment, batch_id, wait=wait, timeout=timeout, new_revision=new_revision)
    batch = deployment.batch(batch_id)
    findings = _findings(deployment, batch) if progress.complete else []
    run = executed_run(batch, deployment, mode=mode, ended=progress.complete, timeout_seconds=timeout if wait else 0.0)
    _keep(deployment, run, findings)
    red = [finding for finding in findings if _is_red(finding)]
    for finding in red:
        out.print(f"RED {finding.asset}/{finding.name}: {finding.summary}", soft_wrap=True)
    if not progress.complete:
        out.print(f"{batch_id}: jobs {progress.sentence()}. Run the same command again.", soft_wrap=True)
    return progress.complete and not red


def _run(
    deployment: "Deployment", batch_id: str, *, wait: bool, timeout: float | None, new_revision: bool
) -> "Progress":
    from cj_pipeline.jobs.progress import progress_of

    with telling(f"{batch_id}: reading and planning") as tell:
        from cj_pipeline.defs.drive import run_batch  # imports Dagster: two seconds that other commands save

        told = tell if timeout is None else _until(time.monotonic() + timeout, tell)
        try:
            return run_batch(deployment, batch_id, tell=told, wait=wait, new_revision=new_revision)
        except _TimeIsUp:
            return progress_of(deployment.ledger, batch_id)


def _until(deadline: float, tell: Callable[[str], None]) -> Callable[[str], None]:
    """`tell`, until the deadline: what is told next to nobody ends the waiting."""

    def tell_in_time(line: str) -> None:
        tell(line)
        if time.monotonic() >= deadline:
            raise _TimeIsUp

    return tell_in_time


def _findings(deployment: "Deployment", batch: "Batch") -> "list[Finding]":
    """All claims about a finished batch, as its checks show them."""
    from cj_pipeline.eng5.anchor_findings import alignment_findings
    from cj_pipeline.eng5.findings import no_profile_findings, parity_findings
    from cj_pipeline.eng5.profiles import PROFILES
    from cj_pipeline.eng5.run import gather_run
    from cj_pipeline.report.gather import gather_evidence

    profile = PROFILES.get(batch.batch_id)
    parity = parity_findings(gather_run(deployment, profile)) if profile else no_profile_findings()
    return [
        *gather_evidence(deployment, batch.batch_id).findings,
        *parity,
        *alignment_findings(deployment, batch),
    ]


def _is_red(finding: "Finding") -> bool:
    from cj_pipeline.findings import Kind

    return not finding.passed and finding.kind is not Kind.ADVICE and finding.overridden is None


def _keep(deployment: "Deployment", run: object, findings: "list[Finding] | None" = None) -> None:
    from cj_pipeline.eng5.artefact import artefact_of, keep_artefact
    from cj_pipeline.eng5.assessment_run import Run

    assert isinstance(run, Run)
    location = keep_artefact(deployment.store, artefact_of(run, deployment.store, findings or ()))
    out.print(f"artefact: {location}", soft_wrap=True)


@contextmanager
def _runner_codes() -> Iterator[None]:
    """A mistake a person can put right ends with 1, as in the runner; an artefact that cannot be made with 2."""
    from cj_pipeline.eng5.artefact import ArtefactInvalid

    try:
        yield
    except ArtefactInvalid as error:
        err.print(f"cj: {error}", style="red", soft_wrap=True)
        raise typer.Exit(RunnerExit.NO_ARTEFACT) from None
    except CjError as error:
        err.print(f"cj: {error}", style="red", soft_wrap=True)
        raise typer.Exit(RunnerExit.NOT_DONE) from None


def add_to(app: typer.Typer) -> None:
    """Put the runner's commands beside `cj eng5 profile`."""
    commands: dict[str, Callable[..., None]] = {
        "plan": plan,
        "dry-run": dry_run,
        "execute": execute,
        "anchor-align": anchor_align,
        "register-anchors": register_anchors,
    }
    for name, command in commands.items():
        app.command(name)(command)
