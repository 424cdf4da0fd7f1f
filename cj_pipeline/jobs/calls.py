"""Jobs that are synchronous calls: begun under every cap, asked as far as can be now, gone on with, ended, cancelled.

A call cannot be found again at any provider. So it is written down before it leaves, and one whose answer never came
counts as billed at its upper bound and is asked again only where the manifest says so.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from cj_pipeline.batch import Batch
from cj_pipeline.errors import JobBusy
from cj_pipeline.jobs.call_answers import keep_answer, kept_answers, remove_answers
from cj_pipeline.jobs.call_book import CallBook, CallState, Note, end_calls, states_of
from cj_pipeline.jobs.call_slots import Patience, Slots
from cj_pipeline.jobs.fetching import fetched_before
from cj_pipeline.jobs.job import UNBOUGHT, Job, State, advance, advance_within, job_named
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.leases import JobLease, job_lease
from cj_pipeline.jobs.ledger import Ledger, ledger_time, utc_now
from cj_pipeline.jobs.requests import bounds_of, refuse_changed_requests, request_lines
from cj_pipeline.jobs.spending import Caps, reserve
from cj_pipeline.providers import Caller, Phase, caller_for, job_price
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(hours=1)  # however long a provider asks to wait, it is asked again then


def ask(ledger: Ledger, store: Store, batch: Batch, job: Job, caps: Caps, settings: Settings) -> Job:
    """Make a job's calls, as far as they can be made now; the job as it then stands.

    It is ended when every call has its end. Otherwise it stays submitted, for the next `buy` to go on with: the
    provider asks for a pause (`not_before`), calls ended in doubt, or another living process is at it. Raises
    `OverBudget` (nothing was asked), `ProviderBusy`, `OutOfCredit` and `ProviderUnreachable`: what was asked until
    then is kept.
    """
    try:
        with job_lease(ledger, job.job_id) as lease:
            return _ask(ledger, store, batch, job_named(ledger, job.job_id), caps, settings, lease)
    except JobBusy as error:
        log.info("%s", error)
        return job_named(ledger, job.job_id)


def cancel_calls(ledger: Ledger, store: Store, job: Job) -> Job:
    """Ask no more of a job that was begun: what was answered is read as usual, the rest ends as cancelled.

    A living process that makes its calls stops by itself within a call, and ends the job.
    """
    job = advance(ledger, job, State.SUBMITTED, phase=str(Phase.CANCELLED), reason="cancelled")
    try:
        with job_lease(ledger, job.job_id):
            job = job_named(ledger, job.job_id)
            if not job.is_calling:
                return job
            bounds = _bounds(store, job)
            _settle_left_behind(ledger, store, job, bounds)
            return _close(ledger, job, bounds, CallState.CANCELLED)
    except JobBusy as error:
        log.info("%s", error)
        return job_named(ledger, job.job_id)


def is_paused(job: Job) -> bool:
    """Whether a job waits for a moment that has not come."""
    pause = ledger_time(job.not_before)
    return pause is not None and pause > datetime.now(UTC)


def _ask(ledger: Ledger, store: Store, batch: Batch, job: Job, caps: Caps, settings: Settings, lease: JobLease) -> Job:
    if not job.awaits_buying or (is_paused(job) and job.phase != Phase.CANCELLED):
        return job
    earlier = fetched_before(store, job)
    if earlier is not None:
        log.info("job %s of batch %s: its answers are in the store; adopted", job.job_id, job.batch_id)
        remove_answers(store, job)
        times = {"submitting_at": job.submitting_at or earlier["submitted_at"], "fetched_at": utc_now()}
        return advance(ledger, job, State.FETCHED, **(earlier | times))
    caller = caller_for(judge_of(batch, job), settings)
    if job.state in UNBOUGHT:
        job = _begun(ledger, store, job, caps)
    bounds = _bounds(store, job)
    _settle_left_behind(ledger, store, job, bounds)
    slots = Slots(
        CallBook(ledger, job, lease, bounds),
        partial(keep_answer, store, job),
        Patience(settings.call_patience_seconds),
        deadline=_deadline(job, settings),
    )
    if job.phase != Phase.CANCELLED:
        left = _open_calls(ledger, job, bounds)
        lines = {custom_id: line for custom_id, line in request_lines(store, job).items() if custom_id in left}
        asyncio.run(_make(slots, caller, lines, job.slots or settings.call_slots))
    job = _ended_or_left(ledger, job_named(ledger, job.job_id), bounds, slots, settings)
    if slots.stopped_by is not None:
        raise slots.stopped_by
    return job


async def _make(slots: Slots, caller: Caller, lines: Mapping[str, bytes], at_once: int) -> None:
    try:
        await slots.make(caller, lines, at_once)
    finally:
        await caller.close()


def _begun(ledger: Ledger, store: Store, job: Job, caps: Caps) -> Job:
    """Under all caps, and noted as bought before the first call leaves."""
    refuse_changed_requests(store, job)
    reserve(ledger, job, caps)
    now = utc_now()
    begun = advance(
        ledger, job, State.SUBMITTED, since=UNBOUGHT, phase=str(Phase.RUNNING), submitting_at=now, submitted_at=now
    )
    log.info("job %s of batch %s: %d calls to be made", job.job_id, job.batch_id, job.items)
    return begun


def _settle_left_behind(ledger: Ledger, store: Store, job: Job, bounds: Mapping[str, int]) -> None:
    """Settle the calls that were on their way when their process died; only with the job's lease.

    One whose answer is in the store is answered, also when the ledger is older than the store; of any other nobody
    knows whether it was.
    """
    states, kept = states_of(ledger, job), kept_answers(store, job)
    settled = []
    for custom_id in bounds:
        state = states.get(custom_id)
        if custom_id in kept and (state is None or not state.ended):
            settled.append(Note(custom_id, CallState.ANSWERED))
        elif state is CallState.ASKED:
            reason = "the process ended while the call was on its way"
            log.warning("call %s of batch %s is uncertain: %s", custom_id, job.batch_id, reason)
            settled.append(Note(custom_id, CallState.UNCERTAIN, reason))
    if settled:
        with ledger.transaction() as connection:
            end_calls(connection, job, settled, bounds)


def _ended_or_left(ledger: Ledger, job: Job, bounds: Mapping[str, int], slots: Slots, settings: Settings) -> Job:
    """End the job when nothing more is to be asked; else say when and why it goes on."""
    if job.phase == Phase.CANCELLED:
        return _close(ledger, job, bounds, CallState.CANCELLED)
    if not _open_calls(ledger, job, bounds):
        return _close(ledger, job, bounds, None)
    if datetime.now(UTC) >= _deadline(job, settings):
        return _close(ledger, job, bounds, CallState.EXPIRED)
    if slots.stopped_by is not None:
        return job
    pause = min(timedelta(seconds=slots.pause_seconds or settings.backoff_seconds), LONGEST_PAUSE)
    not_before = (datetime.now(UTC) + pause).isoformat(timespec="microseconds")
    log.warning("job %s of batch %s pauses until %s: %s", job.job_id, job.batch_id, not_before, slots.trouble)
    return advance(ledger, job, State.SUBMITTED, not_before=not_before, reason=slots.trouble)


def _close(ledger: Ledger, job: Job, bounds: Mapping[str, int], rest: CallState | None) -> Job:
    """End the job; calls that were not made, if there are any, end as `rest`."""
    unmade = _open_calls(ledger, job, bounds)
    ends = [Note(custom_id, rest) for custom_id in sorted(unmade) if rest is not None]
    phases = {CallState.EXPIRED: Phase.EXPIRED, CallState.CANCELLED: Phase.CANCELLED}
    phase = phases[rest] if ends and rest is not None else Phase.COMPLETED
    with ledger.transaction() as connection:
        end_calls(connection, job, ends, bounds)
        advance_within(connection, job, State.ENDED, phase=str(phase), ended_at=utc_now(), reason=None, not_before=None)
    if ends:
        log.warning("job %s of batch %s: %d calls were not made: %s", job.job_id, job.batch_id, len(ends), rest)
    return job_named(ledger, job.job_id)


def _open_calls(ledger: Ledger, job: Job, custom_ids: Iterable[str]) -> set[str]:
    return set(custom_ids) - {custom_id for custom_id, state in states_of(ledger, job).items() if state.ended}


def _bounds(store: Store, job: Job) -> dict[str, int]:
    return bounds_of(request_lines(store, job), job_price(job.provider, job.model, job.transport))


def _deadline(job: Job, settings: Settings) -> datetime:
    begun = ledger_time(job.submitted_at)
    assert begun is not None
    return begun + timedelta(hours=settings.request_ttl_hours)
