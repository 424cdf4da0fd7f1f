"""Buying: each planned job through the gate, to the provider, once. What is uncertain is looked for, never repeated.

Every step is a committed state before the next one begins, so a process may die between any two lines.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError, ProviderBusy, ProviderRefused, ProviderUncertain
from cj_pipeline.jobs.job import UNBOUGHT, UNCERTAIN, Job, State, advance, job_named, jobs_of
from cj_pipeline.jobs.leases import account_lease
from cj_pipeline.jobs.ledger import Ledger, ledger_time, utc_now
from cj_pipeline.jobs.spending import Caps, account_name, caps_for, reserve, settle
from cj_pipeline.providers import BatchProvider, ProviderJob, Ticket, provider_for
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

LIST_LAG = timedelta(minutes=10)  # how long a created job may be missing from a provider's list; an assumption
LOOKS_BEFORE_ABSENT = 3
LOOK_BACK = timedelta(days=7)  # an older job's results are gone, so that adopting it would help nobody
UPLOAD_TRUSTED = timedelta(days=1)  # providers delete uploads after a while


@dataclass(frozen=True, slots=True)
class Bought:
    """What a call of `buy` did. `held` are jobs whose creation is uncertain and that a person must decide."""

    submitted: int
    adopted: int
    held: tuple[str, ...]


def buy(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> Bought:
    """Submit every planned job of the batch's current revision and settle what an earlier process left uncertain.

    Raises `NotApproved`, `OverBudget`, `AccountBusy`,
    `ProviderBusy`, `ProviderUnreachable`: then the jobs submitted so far stand, those of other accounts too, and
    calling again goes on.
    """
    revision = ledger.provenance(batch.batch_id).revision
    open_jobs = [job for job in jobs_of(ledger, batch.batch_id, revision) if job.state in UNBOUGHT | UNCERTAIN]
    if not open_jobs:
        return Bought(0, 0, ())
    caps = caps_for(ledger, batch, settings)
    judges = {judge.id: judge for judge in batch.manifest.judges}
    submitted = adopted = 0
    held: list[str] = []
    stopped: list[CjError] = []
    for account in sorted({account_name(job) for job in open_jobs}):
        try:
            with account_lease(ledger, account) as hold:
                for job in _of_account(ledger, open_jobs, account):
                    hold()
                    provider = provider_for(judges[job.judge_id], settings)
                    moved, found = _move_on(ledger, store, provider, batch, job, caps)
                    adopted += found
                    submitted += moved.state is State.SUBMITTED and not found
                    if moved.state in UNCERTAIN:
                        held.append(moved.job_id)
        except CjError as error:
            stopped.append(error)
    if stopped:
        raise stopped[0]
    return Bought(submitted, adopted, tuple(held))


def _of_account(ledger: Ledger, open_jobs: Iterable[Job], account: str) -> list[Job]:
    """Uncertain ones first: what they turn out to be does not depend on any cap."""
    # read again under the lease: the process that held it before may have moved them
    fresh = [job_named(ledger, job.job_id) for job in open_jobs if account_name(job) == account]
    return sorted((job for job in fresh if job.state in UNBOUGHT | UNCERTAIN), key=lambda job: job.state in UNBOUGHT)


def _move_on(
    ledger: Ledger, store: Store, provider: BatchProvider, batch: Batch, job: Job, caps: Caps
) -> tuple[Job, bool]:
    """Take an open job as far as it goes now; also whether it was there already.

    Every job is looked for before it is created: the ledger may have been restored from before it was bought.
    """
    if job.state in UNBOUGHT:
        reserve(ledger, job, caps)
        job = job_named(ledger, job.job_id)
    found = provider.find(ticket_of(job))
    if found is not None:
        log.info("job %s of batch %s was created before; adopted", job.job_id, job.batch_id)
        return _note_submitted(ledger, job, found, found.created_at.isoformat(timespec="microseconds")), True
    if job.state in UNCERTAIN:
        if not _surely_absent(provider, batch, job):
            reason = job.reason or "the process ended while the job was being created"
            return advance(ledger, job, State.UNKNOWN, looks=job.looks + 1, reason=reason), False
        job = advance(ledger, job, State.UPLOADED, submitting_at=None, reason=None, looks=0)
    return _submit(ledger, store, provider, job), False


def _submit(ledger: Ledger, store: Store, provider: BatchProvider, job: Job) -> Job:
    def before_create(input_file_id: str | None) -> None:
        uploaded = advance(ledger, job, State.UPLOADED, since=UNBOUGHT, input_file_id=input_file_id)
        advance(ledger, uploaded, State.SUBMITTING, submitting_at=utc_now())

    try:
        with store.open(job.request_path) as requests:
            created = provider.submit(requests, _ticket_with_living_upload(job), before_create)
    except ProviderBusy:
        advance(ledger, job, State.UPLOADED, since={*UNBOUGHT, State.SUBMITTING}, submitting_at=None)
        raise
    except ProviderRefused as error:
        return _close_refused(ledger, job_named(ledger, job.job_id), str(error))
    except ProviderUncertain as error:
        log.warning("job %s of batch %s is uncertain: %s", job.job_id, job.batch_id, error)
        return advance(ledger, job, State.UNKNOWN, since={State.SUBMITTING}, reason=str(error))
    log.info("job %s of batch %s: %d comparisons submitted", job.job_id, job.batch_id, job.items)
    return _note_submitted(ledger, job_named(ledger, job.job_id), created, utc_now())


def _note_submitted(ledger: Ledger, job: Job, created: ProviderJob, submitted_at: str) -> Job:
    return advance(
        ledger, job, State.SUBMITTED,
        provider_job_id=created.provider_job_id, phase=str(created.phase), reason=None,
        submitting_at=job.submitting_at or submitted_at, submitted_at=submitted_at,
    )  # fmt: skip


def _surely_absent(provider: BatchProvider, batch: Batch, job: Job) -> bool:
    if provider.list_is_authoritative:
        return True
    waited = datetime.now(UTC) - _since(job)
    looked = job.looks + 1 >= LOOKS_BEFORE_ABSENT and waited >= LIST_LAG
    return looked and batch.manifest.spending.on_unknown == "resubmit"


def _close_refused(ledger: Ledger, job: Job, reason: str) -> Job:
    with ledger.transaction() as connection:
        settle(connection, job, State.REFUSED, 0, job.price_source or "", reason)
    log.warning("job %s of batch %s was refused: %s", job.job_id, job.batch_id, reason)
    return job_named(ledger, job.job_id)


def ticket_of(job: Job) -> Ticket:
    """How a provider knows the job: by hashes only."""
    return Ticket(
        job_id=job.job_id,
        model=job.model,
        items=job.items,
        marks={"cj_job": job.job_id, "cj_requests": job.request_sha256},
        input_file_id=job.input_file_id,
        not_before=_since(job),
    )


def _ticket_with_living_upload(job: Job) -> Ticket:
    reserved_at = ledger_time(job.reserved_at)  # no upload of the job is older
    living = reserved_at is not None and datetime.now(UTC) - reserved_at < UPLOAD_TRUSTED
    return ticket_of(job) if living else replace(ticket_of(job), input_file_id=None)


def _since(job: Job) -> datetime:
    submitting, planned = ledger_time(job.submitting_at), ledger_time(job.planned_at)
    assert planned is not None
    return submitting or planned - LOOK_BACK
