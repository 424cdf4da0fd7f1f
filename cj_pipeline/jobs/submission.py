"""Buying: each planned job through the gate, to the provider, once. What is uncertain is looked for, never repeated.

Every step is a committed state before the next one begins, so a process may die between any two lines.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cj_pipeline.batch import Batch
from cj_pipeline.errors import (
    AccountOnHold,
    CjError,
    OutOfCredit,
    ProviderBusy,
    ProviderRefused,
    ProviderUncertain,
    Undecided,
)
from cj_pipeline.jobs.calls import ask, cancel_calls, is_paused
from cj_pipeline.jobs.fetching import fetched_before
from cj_pipeline.jobs.holds import hold_account, refuse_account_on_hold
from cj_pipeline.jobs.job import (
    GIVEN_UP,
    UNBOUGHT,
    UNCERTAIN,
    Job,
    State,
    advance,
    job_named,
    jobs_of,
    owned_by_others,
    queued_tokens,
)
from cj_pipeline.jobs.judges import provider_of
from cj_pipeline.jobs.leases import account_lease
from cj_pipeline.jobs.ledger import Ledger, ledger_time, utc_now
from cj_pipeline.jobs.requests import refuse_changed_requests
from cj_pipeline.jobs.spending import Caps, account_name, caps_for, reserve, settle
from cj_pipeline.providers import BatchProvider, ProviderJob, Ticket, Transport
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

LIST_LAG = timedelta(minutes=10)  # how long a created job may be missing from a provider's list; an assumption
LOOKS_BEFORE_ABSENT = 3
LOOK_BACK = timedelta(days=7)  # an older job's results are gone, so that adopting it would help nobody
UPLOAD_TRUSTED = timedelta(days=1)  # providers delete uploads after a while


@dataclass(frozen=True, slots=True)
class Bought:
    """What a call of `buy` did, in job ids.

    `held` are jobs whose creation is uncertain and that a person must decide; `waiting` those that go later: the
    provider's queue is full, a pause is not over, or a job of the same size must end first to be told apart.
    """

    submitted: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    submitted: list[str]
    adopted: list[str]
    held: list[str]
    waiting: list[str]

    def bought(self) -> Bought:
        return Bought(tuple(self.submitted), tuple(self.adopted), tuple(self.held), tuple(self.waiting))


def buy(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> Bought:
    """Submit every planned job of the batch's current revision and settle what an earlier process left uncertain.

    Jobs of calls come after the batch jobs of their account, outside its lease: making calls takes minutes. Raises
    `NotApproved`, `OverBudget`, `AccountBusy`, `AccountOnHold`, `ProviderBusy`, `ProviderUnreachable`: then the jobs
    submitted so far stand, those of other accounts too, and calling again goes on.
    """
    revision = ledger.provenance(batch.batch_id).revision
    for job in jobs_of(ledger, batch.batch_id):
        if job.is_calling and job.revision != revision:
            cancel_calls(ledger, store, job)  # of no use any more; what was answered is paid, and read
    open_jobs = [
        job for job in jobs_of(ledger, batch.batch_id, revision) if job.awaits_buying or job.state in UNCERTAIN
    ]
    if not open_jobs:
        return Bought()
    caps = caps_for(ledger, batch, settings)
    tally = _Tally([], [], [], [])
    stopped: list[CjError] = []
    for account in sorted({account_name(job) for job in open_jobs}):
        of_account = [job for job in open_jobs if account_name(job) == account]
        try:
            refuse_account_on_hold(ledger, account)
            _submit_batch_jobs(ledger, store, batch, of_account, caps, settings, tally)
            for job in of_account:
                if job.transport is Transport.CALLS:
                    _note_asked(ask(ledger, store, batch, job, caps, settings), tally)
        except OutOfCredit as error:
            with ledger.transaction() as connection:
                hold_account(connection, account, str(error))
            stopped.append(AccountOnHold(f"{error} When it is paid: `cj jobs lift-hold {account}`."))
        except CjError as error:
            stopped.append(error)
    if stopped:
        raise stopped[0]
    return tally.bought()


def look_for_uncertain(ledger: Ledger, batch: Batch, settings: Settings) -> list[Job]:
    """Look once for every job of a batch whose creation is uncertain; returns those that were found and adopted.

    Nothing is created. Raises `ProviderUnreachable`.
    """
    adopted = []
    for job in jobs_of(ledger, batch.batch_id):
        if job.state not in UNCERTAIN:
            continue
        with account_lease(ledger, account_name(job)):
            try:
                found = provider_of(batch, job, settings).find(ticket_of(job), owned_by_others(ledger, job))
            except Undecided as error:
                log.warning("job %s of batch %s: %s", job.job_id, job.batch_id, error)
                continue
            if found is not None:
                created_at = found.created_at.isoformat(timespec="microseconds")
                adopted.append(_note_submitted(ledger, job_named(ledger, job.job_id), found, created_at))
    return adopted


def next_try(ledger: Ledger, batch_id: str) -> datetime | None:
    """When the first of the batch's paused jobs may go; None when no pause is on."""
    revision = ledger.provenance(batch_id).revision
    pauses = [ledger_time(job.not_before) for job in jobs_of(ledger, batch_id, revision) if job.awaits_buying]
    if not pauses or None in pauses:
        return None
    first = min(pause for pause in pauses if pause is not None)
    return first if first > datetime.now(UTC) else None


def _submit_batch_jobs(
    ledger: Ledger, store: Store, batch: Batch, of_account: Sequence[Job], caps: Caps, settings: Settings, tally: _Tally
) -> None:
    """Uncertain ones first: what they turn out to be does not depend on any cap."""
    batch_jobs = [job for job in of_account if job.transport is Transport.BATCH]
    if not batch_jobs:
        return
    with account_lease(ledger, account_name(batch_jobs[0])) as hold:
        # read again under the lease: the process that held it before may have moved them
        fresh = [job_named(ledger, job.job_id) for job in batch_jobs]
        still_open = [job for job in fresh if job.state in UNBOUGHT | UNCERTAIN]
        for job in sorted(still_open, key=lambda job: job.state in UNBOUGHT):
            hold()
            _take_on(ledger, store, batch, job, caps, settings, tally)


def _note_asked(job: Job, tally: _Tally) -> None:
    if job.state is State.FETCHED:
        tally.adopted.append(job.job_id)
    elif job.awaits_buying:
        tally.waiting.append(job.job_id)
    else:
        tally.submitted.append(job.job_id)


def _take_on(
    ledger: Ledger, store: Store, batch: Batch, job: Job, caps: Caps, settings: Settings, tally: _Tally
) -> None:
    if job.state in UNBOUGHT and (is_paused(job) or not _has_room(ledger, job, settings)):
        tally.waiting.append(job.job_id)
        return
    provider = provider_of(batch, job, settings)
    moved, found = _move_on(ledger, store, provider, batch, job, caps, owned_by_others(ledger, job))
    if found:
        tally.adopted.append(job.job_id)
    elif moved.state is State.SUBMITTED:
        tally.submitted.append(job.job_id)
    elif moved.state in UNCERTAIN:
        tally.held.append(job.job_id)
    elif moved.state in UNBOUGHT:
        tally.waiting.append(job.job_id)


def _has_room(ledger: Ledger, job: Job, settings: Settings) -> bool:
    """Whether the provider's queue for the model takes the job, as far as the deployment was told its size."""
    if not settings.enqueued_tokens:
        return True
    queued = queued_tokens(ledger, job)
    return not queued or queued + job.estimated_tokens <= settings.enqueued_tokens


def _move_on(
    ledger: Ledger, store: Store, provider: BatchProvider, batch: Batch, job: Job, caps: Caps, owned: set[str]
) -> tuple[Job, bool]:
    """Take an open job as far as it goes now; also whether it was there already.

    Every job is looked for before it is created, in the store and at the provider: the ledger may have been restored
    from before it was bought.
    """
    fetched = fetched_before(store, job)
    if fetched is not None:
        log.info("job %s of batch %s: its answers are in the store; adopted", job.job_id, job.batch_id)
        times = {"submitting_at": job.submitting_at or fetched["submitted_at"], "fetched_at": utc_now()}
        return advance(ledger, job, State.FETCHED, **(fetched | times)), True
    if job.state in UNBOUGHT:
        reserve(ledger, job, caps)
        job = job_named(ledger, job.job_id)
    try:
        found = provider.find(ticket_of(job), owned)
    except Undecided as error:
        log.warning("job %s of batch %s: %s", job.job_id, job.batch_id, error)
        if job.state in UNCERTAIN:
            job = advance(ledger, job, State.UNKNOWN, reason=str(error))
        return job, False
    if found is not None:
        log.info("job %s of batch %s was created before; adopted", job.job_id, job.batch_id)
        return _note_submitted(ledger, job, found, found.created_at.isoformat(timespec="microseconds")), True
    if job.state in UNCERTAIN:
        if provider.list_is_authoritative:
            job = advance(ledger, job, State.UPLOADED, submitting_at=None, reason=None, looks=0)
        elif batch.manifest.spending.on_unknown == "resubmit" and _looked_for_long_enough(job):
            return give_up(ledger, job), False
        else:
            reason = job.reason or "the process ended while the job was being created"
            return advance(ledger, job, State.UNKNOWN, looks=job.looks + 1, reason=reason), False
    return _submit(ledger, store, provider, job), False


def _submit(ledger: Ledger, store: Store, provider: BatchProvider, job: Job) -> Job:
    def before_create(input_file_id: str | None) -> None:
        uploaded = advance(ledger, job, State.UPLOADED, since=UNBOUGHT, input_file_id=input_file_id)
        advance(ledger, uploaded, State.SUBMITTING, submitting_at=utc_now())

    refuse_changed_requests(store, job)
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


def _looked_for_long_enough(job: Job) -> bool:
    return job.looks + 1 >= LOOKS_BEFORE_ABSENT and datetime.now(UTC) - _since(job) >= LIST_LAG


def give_up(ledger: Ledger, job: Job) -> Job:
    """Stop looking for a job whose creation is uncertain: booked at its upper bound, its comparisons asked again.

    The new attempt has a name of its own, so the first job, should it show up after all, is still recognised.
    """
    with ledger.transaction() as connection:
        settle(
            connection, job, State.CANCELLED, job.reserved_nano_usd, None,
            "not found at the provider; given up and booked at its upper bound", failure_code=GIVEN_UP,
        )  # fmt: skip
    log.warning("job %s of batch %s: given up, booked at its upper bound", job.job_id, job.batch_id)
    return job_named(ledger, job.job_id)


def _close_refused(ledger: Ledger, job: Job, reason: str) -> Job:
    with ledger.transaction() as connection:
        settle(connection, job, State.REFUSED, 0, None, reason)
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
