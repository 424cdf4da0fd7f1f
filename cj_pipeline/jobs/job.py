"""One provider batch job as the ledger keeps it, and the only way its state may change."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.errors import CjError
from cj_pipeline.jobs.ledger import Ledger, grow_version
from cj_pipeline.jobs.schema import jobs
from cj_pipeline.providers import Phase, Transport


class State(StrEnum):
    """The life of a job: the first seven in this order, then the side ways."""

    PLANNED = "planned"
    UPLOADED = "uploaded"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ENDED = "ended"
    FETCHED = "fetched"
    RECONCILED = "reconciled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


UNBOUGHT = frozenset({State.PLANNED, State.UPLOADED})
UNCERTAIN = frozenset({State.SUBMITTING, State.UNKNOWN})
AT_PROVIDER = frozenset({State.SUBMITTED, State.ENDED, State.FETCHED})
DONE = frozenset({State.RECONCILED, State.REFUSED, State.CANCELLED})

# what stands in `failure_code` when it was not the provider that gave the job up
GIVEN_UP = "given_up"
RESULTS_GONE = "results_gone"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger's `jobs`; see `cj_pipeline.jobs.schema` for the columns."""

    job_id: str
    batch_id: str
    revision: str
    wave: int
    attempt: int
    judge_id: str
    provider: str
    model: str
    account: str
    base_url: str
    transport: Transport
    slots: int | None
    state: State
    phase: str | None
    reason: str | None
    items: int
    request_path: str
    items_path: str
    request_bytes: int
    request_sha256: str
    estimated_tokens: int
    cacheable_tokens: int | None
    bound_nano_usd: int
    reserved_nano_usd: int
    spent_nano_usd: int | None
    price_source: str | None
    price: str | None
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    unanswered: int | None
    input_file_id: str | None
    provider_job_id: str | None
    failure_code: str | None
    looks: int
    not_before: str | None
    missing_since: str | None
    output_path: str | None
    output_sha256: str | None
    error_path: str | None
    error_sha256: str | None
    planned_at: str
    reserved_at: str | None
    submitting_at: str | None
    submitted_at: str | None
    ended_at: str | None
    fetched_at: str | None
    reconciled_at: str | None
    erased_at: str | None

    @property
    def awaits_buying(self) -> bool:
        """Whether the next `buy` begins it, or goes on with its calls."""
        return self.state in UNBOUGHT or self.is_calling

    @property
    def is_calling(self) -> bool:
        """Whether its calls were begun and not all of them have their end."""
        return self.transport is Transport.CALLS and self.state is State.SUBMITTED

    @property
    def status(self) -> str:
        """What people and metrics see: scheduled, running, completed, failed, expired, cancelled or unknown."""
        return shown_status(self.state, self.phase, self.failure_code)


def shown_status(state: State, phase: str | None, failure_code: str | None) -> str:
    """The status of a job, see `Job.status`."""
    if state in UNBOUGHT | {State.SUBMITTING}:
        return "scheduled"
    if state is State.REFUSED:
        return "failed"
    if state in {State.UNKNOWN, State.CANCELLED}:
        return str(state)
    known = Phase(phase or Phase.WAITING)
    if failure_code == RESULTS_GONE and not known.ended:
        return "failed"  # given up while the provider still showed it as going on
    shown = {Phase.WAITING: "scheduled", Phase.RUNNING: "running", Phase.UNHEARD_OF: "running"}
    return shown.get(known, str(known))


class LostRace(CjError):
    """Another process moved the job first. Nothing was changed here; read it again."""


def jobs_of(ledger: Ledger, batch_id: str, revision: str | None = None) -> list[Job]:
    """A batch's jobs, by wave, attempt and id; all revisions when none is given."""
    query = sa.select(jobs).where(jobs.c.batch_id == batch_id).order_by(jobs.c.wave, jobs.c.attempt, jobs.c.job_id)
    if revision is not None:
        query = query.where(jobs.c.revision == revision)
    with ledger.reading() as connection:
        return [_job(row) for row in connection.execute(query)]


def all_jobs(ledger: Ledger) -> list[Job]:
    """Every job of every batch and revision, by batch, wave, attempt and id."""
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(jobs).order_by(jobs.c.batch_id, jobs.c.wave, jobs.c.attempt, jobs.c.job_id))
        return [_job(row) for row in rows]


def jobs_in(ledger: Ledger, state: State) -> list[Job]:
    """Jobs that are in a state, of all batches and revisions: what was bought is read, whatever came after."""
    query = sa.select(jobs).where(jobs.c.state == str(state)).order_by(jobs.c.job_id)
    with ledger.reading() as connection:
        return [_job(row) for row in connection.execute(query)]


def owned_by_others(ledger: Ledger, job: Job) -> set[str]:
    """Provider ids that are known to be other jobs of the same account, of any batch and revision."""
    query = sa.select(jobs.c.provider_job_id).where(
        jobs.c.provider == job.provider,
        jobs.c.account == job.account,
        jobs.c.provider_job_id.is_not(None),
        jobs.c.job_id != job.job_id,
    )
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())


def queued_tokens(ledger: Ledger, job: Job) -> int:
    """Prompt tokens of the account's jobs for the same model that are, or may be, in the provider's queue."""
    query = sa.select(sa.func.sum(jobs.c.estimated_tokens)).where(
        jobs.c.provider == job.provider,
        jobs.c.account == job.account,
        jobs.c.model == job.model,
        jobs.c.transport == str(Transport.BATCH),
        jobs.c.state.in_([str(state) for state in (*UNCERTAIN, State.SUBMITTED)]),
    )
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one() or 0)


def job_named(ledger: Ledger, job_id: str) -> Job:
    """One job. Raises `CjError` when there is none of that name."""
    with ledger.reading() as connection:
        row = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise CjError(f"job {job_id}: the ledger has none of that name.")
    return _job(row)


def advance(ledger: Ledger, job: Job, to: State, *, since: Collection[State] | None = None, **changes: Any) -> Job:
    """Move a job to a state, in one transaction, if it still is where it was seen.

    Raises `LostRace` when another process was faster.
    """
    with ledger.transaction() as connection:
        advance_within(connection, job, to, since=since, **changes)
    return job_named(ledger, job.job_id)


def advance_within(
    connection: Connection, job: Job, to: State, *, since: Collection[State] | None = None, **changes: Any
) -> None:
    """`advance` as part of a larger transaction."""
    allowed = [str(state) for state in (since or {job.state})]
    moved = connection.execute(
        jobs.update().where(jobs.c.job_id == job.job_id, jobs.c.state.in_(allowed)).values(state=str(to), **changes)
    )
    if moved.rowcount != 1:
        raise LostRace(f"job {job.job_id} is no longer {' or '.join(allowed)}; another process moved it.")
    grow_version(connection, job.batch_id)


def _job(row: Any) -> Job:
    values = {field.name: row._mapping[field.name] for field in fields(Job)}
    return Job(**{**values, "state": State(values["state"]), "transport": Transport(values["transport"])})
