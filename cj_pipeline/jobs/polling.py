"""Looking at the provider's jobs: one listing per endpoint, whatever the number of jobs and batches."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.job import Job, LostRace, State, advance, jobs_of
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.schema import jobs as jobs_table
from cj_pipeline.providers import Phase, ProviderJob, provider_for
from cj_pipeline.settings import Settings

log = logging.getLogger(__name__)


def poll(ledger: Ledger, batch: Batch, settings: Settings) -> Progress:
    """Ask how a batch's submitted jobs stand. A failed look changes no job's state."""
    submitted = [job for job in jobs_of(ledger, batch.batch_id) if job.state is State.SUBMITTED and not job.is_calling]
    look_at(ledger, submitted, {job.job_id: judge_of(batch, job) for job in submitted}, settings)
    return progress_of(ledger, batch.batch_id)


def look_at(ledger: Ledger, submitted: Sequence[Job], judge_of: Mapping[str, JudgeSection], settings: Settings) -> None:
    """Note in the ledger how submitted jobs stand, of any number of batches; `judge_of` is keyed by job id.

    Raises the first `CjError` of an endpoint that did not answer, after all the others were looked at.
    """
    endpoints: dict[tuple[str, str, str], list[Job]] = defaultdict(list)
    for job in submitted:
        endpoints[(job.provider, job.account, judge_of[job.job_id].base_url)].append(job)
    silent: list[CjError] = []
    for jobs in endpoints.values():
        names = {str(job.provider_job_id) for job in jobs}
        try:
            shown = provider_for(judge_of[jobs[0].job_id], settings).poll(names, min(map(created_by, jobs)))
        except CjError as error:
            silent.append(error)
            continue
        for job in jobs:
            state = shown.get(str(job.provider_job_id))
            if state is not None:
                _take_note(ledger, job, state)
        note_missing(ledger, jobs, set(shown))
    if silent:
        raise silent[0]


def note_missing(ledger: Ledger, listed: Sequence[Job], shown: Set[str]) -> None:
    """Remember which of the jobs looked for the provider did not show. That says nothing about the job itself."""
    missing = {job.job_id for job in listed if str(job.provider_job_id) not in shown}
    newly = [job.job_id for job in listed if job.job_id in missing and job.missing_since is None]
    back = [job.job_id for job in listed if job.job_id not in missing and job.missing_since is not None]
    for job_ids, since in ((newly, utc_now()), (back, None)):
        if job_ids:
            with ledger.transaction() as connection:
                connection.execute(
                    jobs_table.update().where(jobs_table.c.job_id.in_(job_ids)).values(missing_since=since)
                )
    if newly:
        log.warning("jobs not shown by the provider: %s. Check the account's key and project.", ", ".join(newly))


def created_by(job: Job) -> datetime:
    """The earliest moment a provider may have made the job: one that was adopted is older than our plan of it."""
    return min(datetime.fromisoformat(moment) for moment in (job.planned_at, job.submitted_at) if moment)


def _take_note(ledger: Ledger, job: Job, shown: ProviderJob) -> None:
    if shown.phase is Phase.UNHEARD_OF:
        log.warning("job %s: unknown provider status %r; waiting on", job.job_id, shown.status)
    try:
        if shown.phase.ended and shown.settled:
            ended_at = shown.ended_at.isoformat() if shown.ended_at else utc_now()
            reason = shown.failure if shown.phase is Phase.FAILED else None
            advance(
                ledger, job, State.ENDED,
                phase=str(shown.phase), ended_at=ended_at, reason=reason, failure_code=shown.failure_code,
            )  # fmt: skip
        elif str(shown.phase) != job.phase and not shown.phase.ended:
            advance(ledger, job, State.SUBMITTED, phase=str(shown.phase))
    except LostRace:
        return  # another process looked at the same time and was faster
