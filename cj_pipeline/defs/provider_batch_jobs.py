"""The asset `provider_batch_jobs`: the purchase. The only asset that spends money."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.findings import refuse_structural
from cj_pipeline.jobs.findings import CHECKS, job_findings
from cj_pipeline.jobs.plan import plan_jobs
from cj_pipeline.jobs.provider_batch_jobs import job_table
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import buy
from cj_pipeline.local_emulator import start_emulator_if_needed


@dg.asset(partitions_def=batches, group_name="purchase", kinds={"openai"})
def provider_batch_jobs(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, comparison_pairs: pa.Table
) -> dg.Output[pa.Table]:
    """The provider's batch jobs that ask the planned pairs. **This spends money**, within caps and approval.

    Safe to run at any time: what is bought is not bought again, what is uncertain is looked for, and what an
    earlier attempt left to be asked again is bought now. The ledger's lease keeps submitters of one account
    apart; a Dagster pool would not do, since a killed run keeps its slot.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    open_revision(opened.ledger, batch)
    plan_jobs(opened.ledger, opened.store, batch, comparison_pairs, opened.settings)
    refuse_structural(batch.batch_id, job_findings(opened.ledger, batch, comparison_pairs, opened.settings))
    start_emulator_if_needed(batch, opened.settings)
    bought = buy(opened.ledger, opened.store, batch, opened.settings)
    if bought.held:
        context.log.warning(f"uncertain, not bought again: {', '.join(bought.held)}. See docs/operations.md.")
    jobs = job_table(opened.ledger, batch.batch_id)
    return dg.Output(
        jobs,
        metadata={
            "jobs": jobs.num_rows,
            "submitted_now": len(bought.submitted),
            "adopted_now": len(bought.adopted),
            "uncertain": len(bought.held),
            "reserved_usd": float(sum(jobs["reserved_usd"].to_pylist())),
        },
    )


@dg.multi_asset_check(specs=specs_for("provider_batch_jobs", CHECKS))
def job_checks(context: dg.AssetCheckExecutionContext, deployment: DeploymentResource) -> Iterator[dg.AssetCheckResult]:
    """Claims about the purchase of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    pairs = opened.read_table("comparison_pairs", batch.batch_id)
    yield from results(job_findings(opened.ledger, batch, pairs, opened.settings))
