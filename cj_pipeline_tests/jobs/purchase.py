"""A purchase from folder to judgments, without Dagster, as the assets do it."""

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.collection import collect_patiently
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import Bought, buy


def bought(deployment: Deployment, batch_id: str) -> tuple[Batch, pa.Table, Bought]:
    """Plan and buy once."""
    batch = deployment.batch(batch_id)
    open_revision(deployment.ledger, batch)
    pairs = open_wave(deployment.ledger, deployment.store, batch)
    plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)
    return batch, pairs, buy(deployment.ledger, deployment.store, batch, deployment.settings)


def judged(deployment: Deployment, batch_id: str) -> pa.Table:
    """Plan, buy and collect, further attempts included, until every comparison has its outcome."""
    batch, _, _ = bought(deployment, batch_id)
    for _ in range(5):
        collected = collect_patiently(deployment.ledger, deployment.store, batch, deployment.settings)
        if not isinstance(collected, Progress):
            return collected
        buy(deployment.ledger, deployment.store, batch, deployment.settings)
    raise AssertionError(f"five rounds were not enough: {collected.sentence()}")
