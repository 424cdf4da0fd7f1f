"""What is due for which batch, decided from folders, ledger and stored tables alone: levels, never edges.

An event that is missed once would be missed for ever; a state that is looked at again is not.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from cj_pipeline.batch import JudgeSection, Manifest, batch_folder, read_manifest
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.job import State, jobs_in
from cj_pipeline.jobs.judges import judge_among
from cj_pipeline.jobs.plan import FIRST_WAVE
from cj_pipeline.jobs.polling import look_at
from cj_pipeline.jobs.progress import Progress, progress_of_all
from cj_pipeline.jobs.revisions import current_revision
from cj_pipeline.jobs.schema import approvals, batches, decisions, waves
from cj_pipeline.jobs.submission import next_try
from cj_pipeline.store import table_path

LONGEST_LOOK_SECONDS = 15.0  # a sensor's tick must end within a minute, also when a server hangs


@dataclass(frozen=True, slots=True)
class Due:
    """A batch and a key that stays the same until something about it changes."""

    batch_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is due, and what a person should know: a broken folder, a provider that did not answer."""

    due: tuple[Due, ...]
    remarks: tuple[str, ...]


def new_batches(deployment: Deployment, registered: set[str], now: datetime | None = None) -> Found:
    """Batch folders without a partition or without a plan, also when planning failed and the folder changed since.

    One that cannot be read is a remark, and waits until it can. Where the pairs are recorded and their table was not
    written (no price for the model, a process that died) the key holds the hour: what was wrong is not in the folder.
    """
    due, remarks = [], []
    now = now or datetime.now(UTC)
    recorded = _registered(deployment).keys()
    asked_for = registered.intersection(deployment.batch_ids())
    for batch_id in sorted(asked_for.union(deployment.watched_batch_ids())):
        written = batch_id in recorded and deployment.store.exists(table_path("comparison_pairs", batch_id))
        if batch_id in registered and written:
            continue
        try:
            revision = current_revision(deployment.batch(batch_id))
            again = (_hour(now),) if batch_id in recorded and not written else ()
            due.append(Due(batch_id, _key(batch_id, "plan", revision.digest, *again)))
        except CjError as error:
            remarks.append(str(error))
    return Found(tuple(due), tuple(remarks))


def batches_to_buy(deployment: Deployment, now: datetime | None = None) -> Found:
    """Planned batches whose purchase is allowed and not done, or in doubt.

    The key holds the hour, after which a purchase that was stopped by a cap or a silent provider is tried again; for
    a job in doubt or paused only the ten minutes after which it is looked at again, since looking changes the ledger.
    """
    now = now or datetime.now(UTC)
    due: list[Due] = []
    remarks: list[str] = []
    for one in _not_bought(deployment, remarks):
        if one.allowed:
            looks_again_soon = one.progress.uncertain or next_try(deployment.ledger, one.batch_id) is not None
            stands = (f"{_hour(now)}:{now.minute // 10}",) if looks_again_soon else (str(one.row.version), _hour(now))
            due.append(Due(one.batch_id, _key(one.batch_id, "buy", str(one.row.approval), *stands)))
        else:
            remarks.append(f"batch {one.batch_id}: planned; waits for `cj approve {one.batch_id} --max-usd AMOUNT`")
    return Found(tuple(due), tuple(remarks))


def batches_to_approve(deployment: Deployment) -> Found:
    """Planned batches that nothing is bought of until a person approves them; the key stays with the revision."""
    remarks: list[str] = []
    waiting = [one for one in _not_bought(deployment, remarks) if not one.allowed]
    due = [Due(one.batch_id, _key(one.batch_id, "approve", one.row.revision)) for one in waiting]
    return Found(tuple(due), tuple(remarks))


def batches_to_collect(deployment: Deployment, now: datetime | None = None) -> Found:
    """Batches with results to fetch, and those that are complete and whose stored judgments do not say so yet.

    Results are fetched as they come, whatever holds up the batch's other jobs: the provider does not keep them for
    ever. Looks at all open jobs first, by one listing per endpoint. The key holds the hour, after which a
    collection that failed is tried again.
    """
    now = now or datetime.now(UTC)
    remarks = _look_at_open_jobs(deployment)
    rows = _registered(deployment)
    due = [
        Due(batch_id, _key(batch_id, "collect", str(rows[batch_id].version), _hour(now)))
        for batch_id, counts in progress_of_all(deployment.ledger).items()
        if counts.ended or (counts.complete and not is_stored(deployment, "judgments", batch_id))
    ]
    return Found(tuple(due), tuple(remarks))


def scored_batches(deployment: Deployment) -> list[str]:
    """Batches whose latest wave is scored, and after which nothing is decided yet."""
    complete = {name for name, counts in progress_of_all(deployment.ledger).items() if counts.complete}
    latest = (
        sa.select(waves.c.batch_id, waves.c.revision, sa.func.max(waves.c.wave).label("wave"))
        .group_by(waves.c.batch_id, waves.c.revision)
        .subquery()
    )
    this_wave = sa.and_(*(decisions.c[name] == latest.c[name] for name in ("batch_id", "revision", "wave")))
    query = (
        sa.select(batches.c.batch_id)
        .select_from(
            batches.join(
                latest, sa.and_(latest.c.batch_id == batches.c.batch_id, latest.c.revision == batches.c.revision)
            ).outerjoin(decisions, this_wave)
        )
        .where(decisions.c.wave.is_(None))
        .order_by(batches.c.batch_id)
    )
    with deployment.ledger.reading() as connection:
        undecided = list(connection.execute(query).scalars())
    return [name for name in undecided if name in complete and is_stored(deployment, "wave_path", name)]


def waves_to_buy(deployment: Deployment, now: datetime | None = None) -> Found:
    """Batches with a further wave that was decided on, and whose jobs are not recorded yet.

    The key holds the hour, after which a purchase that failed is tried again.
    """
    now = now or datetime.now(UTC)
    rows = _registered(deployment)
    due = [
        Due(batch_id, _key(batch_id, "wave", str(rows[batch_id].version), _hour(now)))
        for batch_id, counts in progress_of_all(deployment.ledger).items()
        if counts.unplanned and batch_id in rows and rows[batch_id].jobs_planned
    ]
    return Found(tuple(due), ())


@dataclass(frozen=True, slots=True)
class _Registered:
    revision: str
    version: int
    approval: int | None
    jobs_planned: bool


@dataclass(frozen=True, slots=True)
class _NotBought:
    batch_id: str
    row: _Registered
    progress: Progress
    allowed: bool


def _not_bought(deployment: Deployment, remarks: list[str]) -> Iterator[_NotBought]:
    """Planned batches with jobs to be bought or in doubt; a folder that cannot be read is a remark."""
    rows = _registered(deployment)
    progress = progress_of_all(deployment.ledger)
    for batch_id, row in rows.items():
        counts = progress[batch_id]
        if not (counts.planned or counts.uncertain or not row.jobs_planned):
            continue
        try:
            allowed = may_be_bought(_manifest(deployment, batch_id), approved=row.approval is not None)
        except CjError as error:
            remarks.append(str(error))
            continue
        yield _NotBought(batch_id, row, counts, allowed)


def _registered(deployment: Deployment) -> dict[str, _Registered]:
    """Batches with a recorded wave, with what decides about buying; one query."""
    latest = (
        sa.select(approvals.c.batch_id, approvals.c.revision, sa.func.max(approvals.c.approval_id).label("approval"))
        .group_by(approvals.c.batch_id, approvals.c.revision)
        .subquery()
    )
    query = (
        sa.select(batches.c.batch_id, batches.c.revision, batches.c.version, latest.c.approval, waves.c.jobs_planned_at)
        .select_from(
            batches.join(
                waves,
                sa.and_(
                    waves.c.batch_id == batches.c.batch_id,
                    waves.c.revision == batches.c.revision,
                    waves.c.wave == FIRST_WAVE,
                ),
            ).outerjoin(
                latest, sa.and_(latest.c.batch_id == batches.c.batch_id, latest.c.revision == batches.c.revision)
            )
        )
        .order_by(batches.c.batch_id)
    )
    with deployment.ledger.reading() as connection:
        return {
            name: _Registered(revision, version, approval, planned_at is not None)
            for name, revision, version, approval, planned_at in connection.execute(query)
        }


def _look_at_open_jobs(deployment: Deployment) -> list[str]:
    remarks: list[str] = []
    open_jobs = [job for job in jobs_in(deployment.ledger, State.SUBMITTED) if not job.is_calling]
    answering: dict[str, JudgeSection] = {}
    for batch_id in sorted({job.batch_id for job in open_jobs}):
        judges = _judges(deployment, batch_id, remarks)
        for job in open_jobs:
            if job.batch_id == batch_id:
                answering[job.job_id] = judge_among(judges, job)
    try:
        patience = min(deployment.settings.request_timeout_seconds, LONGEST_LOOK_SECONDS)
        settings = deployment.settings.model_copy(update={"request_timeout_seconds": patience})
        look_at(deployment.ledger, open_jobs, answering, settings)
    except CjError as error:
        remarks.append(str(error))
    return remarks


def _judges(deployment: Deployment, batch_id: str, remarks: list[str]) -> list[JudgeSection]:
    """Of a folder that cannot be read, none: its jobs are looked at as the ledger remembers them."""
    try:
        return _manifest(deployment, batch_id).judges
    except CjError as error:
        remarks.append(str(error))
        return []


def may_be_bought(manifest: Manifest, *, approved: bool) -> bool:
    """Whether a purchase is allowed: it costs nothing, the manifest says so, or a person approved it."""
    return approved or not manifest.paid or manifest.spending.approval == "auto"


def is_stored(deployment: Deployment, name: str, batch_id: str) -> bool:
    """Whether a table is there and up to date."""
    if not deployment.store.exists(table_path(name, batch_id)):
        return False
    try:
        deployment.read_provenance(name, batch_id)
    except CjError:
        return False
    return True


def _manifest(deployment: Deployment, batch_id: str) -> Manifest:
    return read_manifest(batch_folder(batch_id, deployment.roots))


def _hour(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H}"


def _key(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
