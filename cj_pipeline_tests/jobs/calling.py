"""Batches whose judges are asked by synchronous calls, and what must be true of their bill."""

from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.job import Job, all_jobs, job_named, jobs_of
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import calls
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice, Transport, job_price
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.purchase import paid_batch

PROVIDERS = ("openai", "anthropic")
CALLS = 12  # of the first wave of so many essays, two each
ESSAYS = 2 * CALLS


def calling_folder(
    installation: Installation,
    batch_id: str,
    *,
    provider: str = "openai",
    model: str = "latent",
    mode: str = "serial_bundle",
    spending: str = "",
    max_usd: float = 5.0,
    essays: int = ESSAYS,
) -> Path:
    """The folder of a batch in an iterative mode, whose first wave is one job of `essays` / 2 calls."""
    folder = paid_batch(
        installation, batch_id,
        provider=provider, model=model, spending=spending, max_usd=max_usd, essays=essays, max_comparisons=40,
    )  # fmt: skip
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("[batch]", f'[batch]\nmode = "{mode}"\nseed = 3'), "utf-8")
    return folder


def calling_batch(installation: Installation, batch_id: str = "calling", **how: Any) -> Batch:
    """Such a batch, with its first wave planned."""
    calling_folder(installation, batch_id, **how)
    deployment = installation.deployment
    batch = deployment.batch(batch_id)
    open_revision(deployment.ledger, batch)
    pairs = open_wave(deployment.ledger, deployment.store, batch)
    plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)
    return batch


def the_job(deployment: Deployment, batch_id: str = "calling") -> Job:
    (job,) = jobs_of(deployment.ledger, batch_id)
    return job_named(deployment.ledger, job.job_id)


def states(deployment: Deployment, job: Job) -> dict[str, int]:
    """How many calls of a job stand how."""
    query = sa.select(calls.c.state).where(calls.c.job_id == job.job_id)
    with deployment.ledger.reading() as connection:
        return dict(Counter(connection.execute(query).scalars()))


def bill_of_calls(installation: Installation) -> int:
    """What the provider would charge for every call it carried out, heard of or not, in nano-USD."""
    charged = (one for one in installation.bill(requests=True)["requests"] if one["transport"] == "sync")
    return sum(_price(one["model"], one["api"]).cost(_usage(one)) for one in charged if one["billed"])


def booked(deployment: Deployment) -> int:
    return sum(job.spent_nano_usd or 0 for job in all_jobs(deployment.ledger))


def _price(model: str, api: str) -> TokenPrice:
    return job_price(api, model, Transport.CALLS)


def _usage(one: dict[str, int]) -> Usage:
    return Usage(one["input_tokens"], one["cached_tokens"], one["output_tokens"], one["cache_write_tokens"])
