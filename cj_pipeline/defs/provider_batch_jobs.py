"""The asset `provider_batch_jobs`: the purchase. The only asset that spends money."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.shown import OWNERS, pictures, places
from cj_pipeline.findings import refuse_structural
from cj_pipeline.jobs.findings import CHECKS, job_findings
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.plan import plan_jobs
from cj_pipeline.jobs.provider_batch_jobs import job_table
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.spending import caps_for
from cj_pipeline.jobs.submission import buy
from cj_pipeline.local_emulator import start_emulator_if_needed
from cj_pipeline.providers import usd
from cj_pipeline.report.asset_figures import costs_drawn, timeline_drawn


@dg.asset(partitions_def=batches, group_name="purchase", kinds={"openai", "anthropic", "parquet"}, owners=OWNERS)
def provider_batch_jobs(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, comparison_pairs: pa.Table
) -> dg.Output[pa.Table]:
    """The provider's batch jobs that ask the planned pairs.

    **This spends money**, within the caps and what a person approved (`cj approve`); nothing else does. Safe to run
    at any time: what is bought is not bought again, what is uncertain is looked for, and what an earlier attempt
    left to be asked again is bought now.

    **When it is red:** the message names the cap, the missing approval or the account on hold, and the command that
    goes on. Nothing of the job in question was sent.
    """
    # the ledger's lease keeps submitters of one account apart; a Dagster pool would not do: a killed run keeps its slot
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    open_revision(opened.ledger, batch)
    plan_jobs(opened.ledger, opened.store, batch, comparison_pairs, opened.settings)
    caps_for(opened.ledger, batch, opened.settings)  # not approved is an error of its own: a person is waited for
    refuse_structural(batch.batch_id, job_findings(opened.ledger, batch, comparison_pairs, opened.settings))
    start_emulator_if_needed(batch, opened.settings)
    bought = buy(opened.ledger, opened.store, batch, opened.settings)
    if bought.held:
        context.log.warning(f"uncertain, not bought again: {', '.join(bought.held)}. See docs/operations.md.")
    jobs = job_table(opened.ledger, batch.batch_id)
    purchase = jobs_of(opened.ledger, batch.batch_id, opened.ledger.provenance(batch.batch_id).revision)
    return dg.Output(
        jobs,
        metadata={
            "jobs": jobs.num_rows,
            "submitted_now": len(bought.submitted),
            "adopted_now": len(bought.adopted),
            "uncertain": len(bought.held),
            "reserved_usd": float(sum(jobs["reserved_usd"].to_pylist())),
            "bound_usd": usd(sum(job.bound_nano_usd for job in purchase)),
            "booked_usd": usd(sum(job.spent_nano_usd or 0 for job in purchase)),
            **pictures(cost=costs_drawn(purchase), timeline=timeline_drawn(purchase, datetime.now(UTC))),
            **places(opened, batch),
        },
    )


@dg.multi_asset_check(specs=specs_for("provider_batch_jobs", CHECKS))
def job_checks(context: dg.AssetCheckExecutionContext, deployment: DeploymentResource) -> Iterator[dg.AssetCheckResult]:
    """Claims about the purchase of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    pairs = opened.read_table("comparison_pairs", batch.batch_id)
    yield from results(job_findings(opened.ledger, batch, pairs, opened.settings))
