"""The asset `judgments`: what the judges answered. The only asset that reads a provider's results."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.findings import refuse_structural, with_overrides
from cj_pipeline.jobs.collection import collect_patiently
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.judging.findings import CHECKS, judgment_findings
from cj_pipeline.local_emulator import start_emulator_if_needed


@dg.asset(
    partitions_def=batches, group_name="purchase", kinds={"openai", "parquet"}, output_required=False,
    deps=["provider_batch_jobs"],
)  # fmt: skip
def judgments(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, comparison_pairs: pa.Table
) -> Iterator[dg.Output[pa.Table]]:
    """One terminal row per comparison, once every job has come to its end.

    While jobs are out, nothing is written and what follows waits: materialising too early does no harm. Raw
    answers are stored before they are read; what may be asked again becomes a further attempt.
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
    yield dg.Output(
        collected,
        metadata={
            "comparisons": collected.num_rows,
            "answered": answered,
            "success_rate": answered / collected.num_rows,
            "cost_usd": float(sum(cost or 0 for cost in collected["cost_usd"].to_pylist())),
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
