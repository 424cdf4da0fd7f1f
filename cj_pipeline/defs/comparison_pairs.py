"""The asset `comparison_pairs`: which essays meet, and who is shown first."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.shown import OWNERS, pictures, places
from cj_pipeline.deployment import Deployment
from cj_pipeline.findings import Finding, refuse_structural
from cj_pipeline.jobs.plan import batch_mode, budget_of, estimate_wave, open_wave, pairs_within_budget, waves_stand
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.pairing.findings import CHECKS, pair_findings
from cj_pipeline.providers import usd
from cj_pipeline.report.asset_figures import seats_drawn


@dg.asset(partitions_def=batches, group_name="plan", kinds={"parquet"}, owners=OWNERS)
def comparison_pairs(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, essays: pa.Table
) -> dg.Output[pa.Table]:
    """Which essays meet and who is shown first: the pairs of all waves so far, with an estimate in USD.

    **Costs** nothing; the figures say what asking would, of an iterative mode up to its cap. Once recorded for a
    revision a wave is read back, never planned again; a further one comes from a recorded decision only.

    **When it is red:** the pairs do not link all essays, or pass the cap: raise `max_comparisons` in batch.toml.
    A seat balance off by more than two is a warning.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    open_revision(opened.ledger, batch)
    pairs = open_wave(opened.ledger, opened.store, batch)
    refuse_structural(batch.batch_id, _findings(opened, batch, essays, pairs))
    estimates = estimate_wave(opened.ledger, batch, pairs_within_budget(batch))
    return dg.Output(
        pairs,
        metadata={
            **({"tops_up": batch.earlier.batch_id} if batch.earlier else {}),
            "llm_batching_mode": str(batch_mode(batch)),
            "waves": max(pairs["wave"].to_pylist()),
            "pairs": pairs.num_rows,
            "most_pairs": budget_of(batch).pairs,
            "comparisons": sum(estimate.comparisons for estimate in estimates.values()),
            "expected_input_tokens": sum(estimate.input_tokens for estimate in estimates.values()),
            "low_usd": usd(sum(estimate.low for estimate in estimates.values())),
            "expected_usd": usd(sum(estimate.expected for estimate in estimates.values())),
            "high_usd": usd(sum(estimate.high for estimate in estimates.values())),
            **pictures(seat_balance=seats_drawn(pairs)),
            **places(opened, batch),
        },
    )


@dg.multi_asset_check(specs=specs_for("comparison_pairs", CHECKS))
def pair_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the planned pairs of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    pairs = opened.read_table("comparison_pairs", batch.batch_id)
    yield from results(_findings(opened, batch, batch.essays, pairs))


def _findings(opened: Deployment, batch: Batch, essays: pa.Table, pairs: pa.Table) -> list[Finding]:
    asked = None if batch.earlier is None else batch.earlier.pairs
    return pair_findings(essays, pairs, budget_of(batch), asked, waves=waves_stand(opened.ledger, batch))
