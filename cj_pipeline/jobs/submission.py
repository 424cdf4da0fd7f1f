"""Buying: each planned job through the gate, to the provider, once. What is uncertain is looked for, never repeated.

Every step is a committed state before the next one begins, so a process may die between any two lines.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cj_pipeline.batch import Batch
from cj_pipeline.errors import ProviderBusy, ProviderRefused, ProviderUncertain
from cj_pipeline.jobs.job import UNBOUGHT, UNCERTAIN, Job, State, advance, job_named, jobs_of
from cj_pipeline.jobs.leases import account_lease
from cj_pipeline.jobs.ledger import Ledger, ledger_time, utc_now
from cj_pipeline.jobs.spending import Caps, account_name, caps_for, reserve, settle
from cj_pipeline.providers import BatchProvider, Ticket, provider_for
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

LIST_LAG = timedelta(minutes=10)  # how long a created job may be missing from a provider's list; an assumption
LOOKS_BEFORE_ABSENT = 3


@dataclass(frozen=True, slots=True)
class Bought:
    """What a call of `buy` did. `held` are jobs whose creation is uncertain and that a person must decide."""

    submitted: int
    adopted: int
    held: tuple[str, ...]


def buy(
    ledger: Ledger,
    store: Store,
    batch: Batch,
    settings: Settings,
    watch: Callable[[Job], None] = lambda _: None,
) -> Bought:
    """Submit every planned job of the batch's current revision and settle what an earlier process left uncertain.

    `watch` is called with each job that was submitted or adopted. Raises `NotApproved`, `OverBudget`,
    `AccountBusy`, `ProviderBusy`, `ProviderUnreachable`: then the jobs submitted so far stand, and calling
    again goes on.
    """
    revision = ledger.provenance(batch.batch_id).revision
    open_jobs = [job for job in jobs_of(ledger, batch.batch_id, revision) if job.state in UNBOUGHT | UNCERTAIN]
    if not open_jobs:
        return Bought(0, 0, ())
    caps = caps_for(ledger, batch, settings)
    judges = {judge.id: judge for judge in batch.manifest.judges}
    submitted = adopted = 0
    held: list[str] = []
    for account in sorted({account_name(job) for job in open_jobs}):
        with account_lease(ledger, account):
            for job in _of_account(ledger, open_jobs, account):
                provider = provider_for(judges[job.judge_id], settings)
                found = job.state in UNCERTAIN and _adopt(ledger, provider, batch, job)
                job = job_named(ledger, job.job_id)
                if found:
                    adopted += 1
                elif job.state in UNBOUGHT:
                    job = _submit(ledger, store, provider, job, caps)
                    submitted += job.state is State.SUBMITTED
                if job.state in UNCERTAIN:
                    held.append(job.job_id)
                watch(job)
    return Bought(submitted, adopted, tuple(held))


def _of_account(ledger: Ledger, open_jobs: Iterable[Job], account: str) -> list[Job]:
    # read again under the lease: the process that held it before may have moved them
    fresh = [job_named(ledger, job.job_id) for job in open_jobs if account_name(job) == account]
    return [job for job in fresh if job.state in UNBOUGHT | UNCERTAIN]


def _submit(ledger: Ledger, store: Store, provider: BatchProvider, job: Job, caps: Caps) -> Job:
    reserve(ledger, job, caps)
    job = job_named(ledger, job.job_id)

    def before_create(input_file_id: str | None) -> None:
        uploaded = advance(ledger, job, State.UPLOADED, since=UNBOUGHT, input_file_id=input_file_id)
        advance(ledger, uploaded, State.SUBMITTING, submitting_at=utc_now())

    try:
        with store.open(job.request_path) as requests:
            created = provider.submit(requests, ticket_of(job), before_create)
    except ProviderBusy:
        advance(ledger, job, State.UPLOADED, since={*UNBOUGHT, State.SUBMITTING}, submitting_at=None)
        raise
    except ProviderRefused as error:
        return _close_refused(ledger, job_named(ledger, job.job_id), str(error))
    except ProviderUncertain as error:
        log.warning("job %s of batch %s is uncertain: %s", job.job_id, job.batch_id, error)
        return advance(ledger, job, State.UNKNOWN, since={State.SUBMITTING}, reason=str(error))
    log.info("job %s of batch %s: %d comparisons submitted", job.job_id, job.batch_id, job.items)
    return advance(
        ledger, job, State.SUBMITTED, since={State.SUBMITTING},
        provider_job_id=created.provider_job_id, phase=str(created.phase), submitted_at=utc_now(), reason=None,
    )  # fmt: skip


def _adopt(ledger: Ledger, provider: BatchProvider, batch: Batch, job: Job) -> bool:
    """Look for a job whose creation is uncertain. True when it was found and is ours again."""
    found = provider.find(ticket_of(job))
    if found is not None:
        log.info("job %s of batch %s was created before; adopted", job.job_id, job.batch_id)
        advance(
            ledger, job, State.SUBMITTED,
            provider_job_id=found.provider_job_id, phase=str(found.phase), submitted_at=utc_now(), reason=None,
        )  # fmt: skip
        return True
    if _surely_absent(provider, batch, job):
        advance(ledger, job, State.UPLOADED, submitting_at=None, reason=None, looks=0)
    else:
        reason = job.reason or "the process ended while the job was being created"
        advance(ledger, job, State.UNKNOWN, looks=job.looks + 1, reason=reason)
    return False


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


def _since(job: Job) -> datetime:
    moment = ledger_time(job.submitting_at or job.planned_at)
    assert moment is not None  # planned_at is never null
    return moment
