"""Where every batch stands, what holds it up, and what to do next: one line each."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError, UnknownBatch
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.jobs.plan import batch_mode
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.recorded_waves import label_of, waves_of
from cj_pipeline.jobs.revisions import current_revision
from cj_pipeline.jobs.schema import batches
from cj_pipeline.jobs.spending import latest_approval
from cj_pipeline.providers import usd

STATES = (
    "new", "broken", "changed", "approval wanted", "planned", "uncertain", "running", "answered", "scored", "graded",
    "withheld", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """One line. `state` is one of `STATES`."""

    batch_id: str
    state: str
    essays: int | None
    registered_at: datetime | None
    spent_usd: float
    reserved_usd: float
    blocked_by: str
    next_action: str
    mode: str = ""
    waves: int = 0  # recorded so far
    ended: str = ""  # the terminal label, once there is one


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch that was scored: `state` is one of `STATES`, `reason` why it has no grades.

    `red` says that a person must look: grades could have been given, and a gate stands in the way.
    """

    state: str
    reason: str
    red: bool


def batch_status(deployment: Deployment, batch_id: str) -> BatchStatus:
    """Look at folder, ledger and tables of one batch. What is wrong with the batch is its state.

    Raises `UnknownBatch` for a name that neither a folder nor the ledger has.
    """
    row = _ledger_row(deployment, batch_id)
    spent, reserved = (usd(row.spent_nano_usd), usd(row.reserved_nano_usd)) if row else (0.0, 0.0)
    registered_at = ledger_time(row.created_at) if row else None
    essays: int | None = None
    mode = ""
    try:
        batch = deployment.batch(batch_id)
        essays, mode = batch.essays.num_rows, str(batch_mode(batch))
        if row is None:
            said = ("new", "", f"cj plan {batch_id}")
        elif current_revision(batch).digest != row.revision:
            said = ("changed", "edited since it was planned", f"cj plan {batch_id}")
        elif batch.manifest.paid and not _approved(deployment, batch_id, batch.manifest.spending.approval):
            said = ("approval wanted", "nobody approved it", f"cj approve {batch_id} --max-usd AMOUNT")
        else:
            said = _progress_said(deployment, batch_id, progress_of(deployment.ledger, batch_id))
    except CjError as error:
        if isinstance(error, UnknownBatch) and row is None:
            raise
        said = ("broken", str(error), "correct the file")
    waves = waves_of(deployment.ledger, batch_id, row.revision) if row else []
    label = label_of(deployment.ledger, batch_id, row.revision) if row else None
    return BatchStatus(
        batch_id, said[0], essays, registered_at, spent, reserved, said[1], said[2], mode, len(waves), label or ""
    )


def _progress_said(deployment: Deployment, batch_id: str, progress: Progress) -> tuple[str, str, str]:
    run = f"cj run {batch_id}"
    if progress.uncertain:
        return "uncertain", f"{progress.uncertain} jobs may or may not exist", f"{run}; see docs/operations.md"
    if progress.planned:
        return "planned", f"{progress.planned} jobs to buy", run
    if progress.waiting:
        return "running", f"{progress.waiting} jobs at the provider", run
    if progress.unplanned and progress.done:
        return "planned", "a further wave to buy", run
    if not progress.complete:
        return ("answered", f"{progress.ended} jobs to read", run) if progress.ended else ("planned", "", run)
    return _result_said(deployment, batch_id, run)


def result_of(deployment: Deployment, batch_id: str) -> Result | None:
    """Read from the stored tables; None while they are not there or are out of date."""
    try:
        fit = deployment.read_table("grade_fit", batch_id).to_pylist()[0]
        if fit["withheld"] is None:
            return Result("graded", "", red=False)
        label = deployment.read_table("scale_fit", batch_id)["terminal_label"][0].as_py()
    except CjError:
        return None
    if label == "failed_low_success":
        return Result("failed", "too few comparisons were answered", red=True)
    if fit["exact"] is None:
        return Result("scored", fit["withheld"], red=False)
    return Result("withheld", fit["withheld"], red=True)


def _result_said(deployment: Deployment, batch_id: str, run: str) -> tuple[str, str, str]:
    result = result_of(deployment, batch_id)
    if result is None:
        return "answered", "a further wave is asked for" if _goes_on(deployment, batch_id) else "not scored yet", run
    return result.state, result.reason, f"cj report {batch_id}"


def _goes_on(deployment: Deployment, batch_id: str) -> bool:
    """Whether the latest wave is scored, and another one follows."""
    try:
        return deployment.read_table("scale_fit", batch_id)["terminal_label"][0].as_py() is None
    except CjError:
        return False


def _ledger_row(deployment: Deployment, batch_id: str) -> sa.Row[tuple[object, ...]] | None:
    with deployment.ledger.reading() as connection:
        return connection.execute(sa.select(batches).where(batches.c.batch_id == batch_id)).one_or_none()


def _approved(deployment: Deployment, batch_id: str, approval: str) -> bool:
    revision = deployment.ledger.provenance(batch_id).revision
    return approval == "auto" or latest_approval(deployment.ledger, batch_id, revision) is not None
