"""Copies of pupils' texts that are removed once they have served: at the provider, with a receipt in the ledger."""

import logging
from collections import defaultdict

from sqlalchemy.engine import Connection

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.job import Job, State, jobs_of
from cj_pipeline.jobs.judges import judge_of, provider_of
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.polling import created_by
from cj_pipeline.jobs.schema import erasures
from cj_pipeline.jobs.schema import jobs as jobs_table
from cj_pipeline.providers import Erased, Transport
from cj_pipeline.settings import Settings

log = logging.getLogger(__name__)

BY_ITSELF = "cj_pipeline"


def erase_at_provider(
    ledger: Ledger, batch: Batch, settings: Settings, *, why: str = "reconciled", erased_by: str = BY_ITSELF
) -> None:
    """Remove the provider's copies of every reconciled job of a batch that still has some.

    What cannot be removed now is said and tried again at the next collection; it never holds up the batch.
    """
    left = [
        job
        for job in jobs_of(ledger, batch.batch_id)
        if job.state is State.RECONCILED and job.erased_at is None and job.transport is Transport.BATCH
    ]
    endpoints: dict[tuple[str, str, str], list[Job]] = defaultdict(list)
    for job in left:
        endpoints[job.provider, job.account, judge_of(batch, job).base_url].append(job)
    for jobs in endpoints.values():
        try:
            provider = provider_of(batch, jobs[0], settings)
            shown = provider.poll({str(job.provider_job_id) for job in jobs}, min(map(created_by, jobs)))
            for job in jobs:
                gone = list(provider.erase(shown.get(str(job.provider_job_id)), job.input_file_id))
                _note_erased(ledger, job, gone, why=why, erased_by=erased_by)
        except CjError as error:
            log.warning("batch %s: some files are still at the provider: %s", batch.batch_id, error)


def write_receipt(connection: Connection, job: Job, copy: Erased, *, why: str, erased_by: str) -> None:
    """Say in the ledger which copy is gone, since when, and why."""
    connection.execute(
        erasures.insert().values(
            batch_id=job.batch_id, job_id=job.job_id, what=copy.what, name=copy.provider_name, how=str(copy.how),
            why=why, erased_by=erased_by, erased_at=utc_now(),
        )
    )  # fmt: skip


def _note_erased(ledger: Ledger, job: Job, gone: list[Erased], *, why: str, erased_by: str) -> None:
    with ledger.transaction() as connection:
        for copy in gone:
            write_receipt(connection, job, copy, why=why, erased_by=erased_by)
        connection.execute(jobs_table.update().where(jobs_table.c.job_id == job.job_id).values(erased_at=utc_now()))
