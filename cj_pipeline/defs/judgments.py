"""The asset `judgments`: what the judges answered. The only asset that reads a provider's results."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.shown import OWNERS, pictures, places
from cj_pipeline.findings import refuse_structural, with_overrides
from cj_pipeline.jobs.collection import collect_patiently
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.judging.findings import CHECKS, judgment_findings
from cj_pipeline.local_emulator import start_emulator_if_needed
from cj_pipeline.report.asset_figures import costs_drawn, timeline_drawn


@dg.asset(
    partitions_def=batches, group_name="purchase", kinds={"openai", "anthropic", "parquet"}, owners=OWNERS,
    output_required=False, deps=["provider_batch_jobs"],
)  # fmt: skip
def judgments(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, comparison_pairs: pa.Table
) -> Iterator[dg.Output[pa.Table]]:
    """What the judges answered: one terminal row per comparison, once every job has come to its end.

    **Costs** nothing more: it reads what was bought. While jobs are out, nothing is written and what follows waits,
    so that materialising too early does no harm (the run is green, the partition stays missing). Raw answers are
    stored before they are read; what may be asked again becomes a further attempt.

    **When it is red:** `success_rate` withholds the grades when too few comparisons have a verdict: look at
    error_code in the table, and at `cj jobs list`.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    open_revision(opened.ledger, batch)
    start_emulator_if_needed(batch, opened.settings)
    collected = collect_patiently(opened.ledger, opened.store, batch, opened.settings)
    if isinstance(collected, Progress):
        context.log.info(f"batch {batch.batch_id}: jobs {collected.sentence()}; nothing to read yet")
        return
    refuse_structural(batch.batch_id, judgment_findings(batch, comparison_pairs, collected))
    answered = collected["error_code"].null_count
    purchase = jobs_of(opened.ledger, batch.batch_id, opened.ledger.provenance(batch.batch_id).revision)
    yield dg.Output(
        collected,
        metadata={
            "comparisons": collected.num_rows,
            "answered": answered,
            "success_rate": round(answered / collected.num_rows, 4),
            "cost_usd": round(float(sum(cost or 0 for cost in collected["cost_usd"].to_pylist())), 9),
            **pictures(cost=costs_drawn(purchase), timeline=timeline_drawn(purchase, datetime.now(UTC))),
            **places(opened, batch),
        },
    )


@dg.multi_asset_check(specs=specs_for("judgments", CHECKS))
def judgment_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the answers of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    pairs, rows = (opened.read_table(name, batch.batch_id) for name in ("comparison_pairs", "judgments"))
    yield from results(with_overrides(judgment_findings(batch, pairs, rows), batch.manifest.checks.override))
