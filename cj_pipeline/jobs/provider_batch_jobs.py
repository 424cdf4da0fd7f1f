"""The table `provider_batch_jobs`: the ledger's jobs of a batch's current revision, as they stand."""

import pyarrow as pa

from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.ledger import Ledger, ledger_time
from cj_pipeline.providers import usd
from cj_pipeline.tables import PROVIDER_BATCH_JOBS, conform


def job_table(ledger: Ledger, batch_id: str) -> pa.Table:
    """One row per job, by wave, attempt and id."""
    rows = [_row(job) for job in jobs_of(ledger, batch_id, ledger.provenance(batch_id).revision)]
    columns = {field.name: [row[field.name] for row in rows] for field in PROVIDER_BATCH_JOBS}
    return conform("provider_batch_jobs", pa.table(columns))


def _row(job: Job) -> dict[str, object]:
    return {
        "job_id": job.job_id,
        "wave": job.wave,
        "attempt": job.attempt,
        "judge_id": job.judge_id,
        "provider": job.provider,
        "model": job.model,
        "account": job.account,
        "state": str(job.state),
        "status": job.status,
        "reason": job.reason,
        "items": job.items,
        "request_bytes": job.request_bytes,
        "request_sha256": job.request_sha256,
        "provider_job_id": job.provider_job_id,
        "reserved_usd": usd(job.reserved_nano_usd),
        "cost_usd": None if job.spent_nano_usd is None else usd(job.spent_nano_usd),
        "price_source": job.price_source,
        "planned_at": ledger_time(job.planned_at),
        "submitted_at": ledger_time(job.submitted_at),
        "ended_at": ledger_time(job.ended_at),
    }
