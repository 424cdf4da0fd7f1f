"""Who answers a job: the judge of the manifest, or, when a later revision dropped it, what the ledger kept of it."""

from collections.abc import Iterable

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.jobs.job import Job
from cj_pipeline.providers import BatchProvider, provider_for
from cj_pipeline.settings import Settings


def judge_of(batch: Batch, job: Job) -> JudgeSection:
    """The judge of a job of this batch."""
    return judge_among(batch.manifest.judges, job)


def judge_among(judges: Iterable[JudgeSection], job: Job) -> JudgeSection:
    """The manifest's judge while it is the one that was asked: where it is reached may have changed since.

    One made from the ledger allows ties, since the ledger does not keep whether they were allowed.
    """
    for judge in judges:
        if (judge.id, judge.provider, judge.account) == (job.judge_id, job.provider, job.account):
            return judge
    return JudgeSection.model_validate(
        {
            "id": job.judge_id, "provider": job.provider, "model": job.model,
            "base_url": job.base_url, "account": job.account, "ties": True,
        }
    )  # fmt: skip


def provider_of(batch: Batch, job: Job, settings: Settings) -> BatchProvider:
    """The provider that has a job, or will have it."""
    return provider_for(judge_of(batch, job), settings)
