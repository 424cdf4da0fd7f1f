"""What a person does about a job: cancel it, give up on one in doubt, or on one whose results never came."""

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError, ProviderUnreachable
from cj_pipeline.jobs.calls import cancel_calls
from cj_pipeline.jobs.job import RESULTS_GONE, UNBOUGHT, UNCERTAIN, Job, State, advance, job_named
from cj_pipeline.jobs.judges import provider_of
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.spending import settle
from cj_pipeline.jobs.submission import give_up
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store


def cancel_job(ledger: Ledger, batch: Batch, settings: Settings, job: Job) -> Job:
    """Stop a job: one not bought is closed at once, one at the provider is asked to stop, of calls no more are made.

    What ran until then is billed, fetched and read as usual. Raises `CjError` for one in doubt or at its end, and
    `ProviderUnreachable` for one that the provider did not agree to stop.
    """
    if job.state in UNBOUGHT:
        with ledger.transaction() as connection:
            settle(connection, job, State.CANCELLED, 0, None, "cancelled before it was bought")
        return job_named(ledger, job.job_id)
    if job.is_calling:
        return cancel_calls(ledger, Store(settings.store), job)
    if job.state is State.SUBMITTED:
        try:
            provider_of(batch, job, settings).cancel(str(job.provider_job_id))
        except ProviderUnreachable as error:
            raise ProviderUnreachable(
                f"job {job.job_id}: was not cancelled ({error}) It runs on, and what it answers is billed and read as "
                "usual. Try again; where the provider cannot cancel, wait for its end."
            ) from None
        return job_named(ledger, job.job_id)
    if job.state in UNCERTAIN:
        raise CjError(
            f"job {job.job_id}: nobody knows yet whether it exists. `cj jobs reconcile {job.batch_id}` looks for it, "
            f"`cj jobs give-up {job.job_id}` books it at its upper bound and asks its comparisons again."
        )
    raise CjError(f"job {job.job_id}: is {job.state}; there is nothing left to cancel.")


def give_up_job(ledger: Ledger, job: Job) -> Job:
    """Close a job that a person no longer waits for; money is booked at the upper bound, so no cap can be passed.

    A job in doubt ends as cancelled and its comparisons are asked again; one at the provider whose results do not
    come goes on without results. Raises `CjError` for a job in any other state.
    """
    if job.state in UNCERTAIN:
        return give_up(ledger, job)
    if job.is_calling:
        raise CjError(
            f"job {job.job_id}: its calls are still to be made. `cj run {job.batch_id}` goes on with them, "
            f"`cj jobs cancel {job.job_id}` makes no more of them."
        )
    if job.state in {State.SUBMITTED, State.ENDED}:
        now = utc_now()
        return advance(
            ledger, job, State.FETCHED, failure_code=RESULTS_GONE, reason="given up: its results never came",
            ended_at=job.ended_at or now, fetched_at=now,
        )  # fmt: skip
    raise CjError(f"job {job.job_id}: is {job.state}; only a job in doubt or at the provider can be given up.")
