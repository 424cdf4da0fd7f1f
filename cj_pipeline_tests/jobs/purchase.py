"""A purchase from folder to judgments, without Dagster, as the assets do it."""

import os
import time
from pathlib import Path

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.polling import poll
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import Bought, buy
from cj_pipeline_tests.installation import Installation, small_batch

PATIENCE_SECONDS = 60


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
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        collected = collect(deployment.ledger, deployment.store, batch, deployment.settings)
        if not isinstance(collected, Progress):
            return collected
        if collected.planned:
            buy(deployment.ledger, deployment.store, batch, deployment.settings)
        time.sleep(0.05)
    raise AssertionError(f"not through in {PATIENCE_SECONDS} s: {collected.sentence()}")


def ended(deployment: Deployment, batch_id: str) -> None:
    """Look until the provider has ended every job that is out."""
    batch = deployment.batch(batch_id)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while poll(deployment.ledger, batch, deployment.settings).waiting:
        assert time.monotonic() < deadline, "the jobs do not end"
        time.sleep(0.05)


def paid_batch(
    installation: Installation,
    batch_id: str,
    *,
    provider: str = "openai",
    model: str = "latent",
    max_usd: float = 5.0,
    spending: str = "",
    essays: int = 6,
    max_comparisons: int = 15,
) -> Path:
    """A batch whose judge costs money by a price list of its own, and is answered by the emulator all the same.

    The environment gets the price list and keys; nothing needs an approval.
    """
    prices = installation.folder / "prices.toml"
    listed = prices.read_text("utf-8") if prices.exists() else ""
    if f'model = "{model}"' not in listed:
        rows = [PRICE.format(provider=name, model=model) for name in ("openai", "anthropic")]
        prices.write_text("\n".join([listed, *rows]), "utf-8")
    os.environ |= {"CJ_PRICES": str(prices), "OPENAI_API_KEY": "sk-any", "ANTHROPIC_API_KEY": "sk-any"}
    folder = small_batch(
        installation.batches / batch_id,
        essays=essays,
        max_comparisons=max_comparisons,
        extra=f'[spending]\nmax_usd = {max_usd:.9f}\napproval = "auto"\n{spending}',
    )
    manifest = folder / "batch.toml"
    address = installation.emulator_url + ("/v1" if provider == "openai" else "")
    judge = f'provider = "{provider}"\nmodel = "{model}"\nbase_url = "{address}"'
    manifest.write_text(manifest.read_text("utf-8").replace('provider = "emulator"\nmodel = "latent"', judge), "utf-8")
    return folder


PRICE = """[[price]]
provider = "{provider}"
model = "{model}"
input_usd_per_million = 0.317
cached_usd_per_million = 0.0317
cache_write_usd_per_million = 0.634
output_usd_per_million = 1.931
source = "a price list of this test"

[[price]]
provider = "{provider}"
model = "{model}"
transport = "calls"
input_usd_per_million = 0.634
cached_usd_per_million = 0.0634
cache_write_usd_per_million = 1.268
output_usd_per_million = 3.862
source = "a price list of this test"
"""
