"""The check `fresh`: an ENG5 batch that is scored every night was reported within the last day."""

from datetime import UTC, datetime

import dagster as dg

from cj_pipeline.defs.partitions import PARTITION_TAG, batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.eng5.backfill import LATE_AFTER, is_eng5, is_late

REPORT = "batch_report"
FRESHNESS_CHECK = dg.AssetCheckKey(dg.AssetKey(REPORT), "fresh")


@dg.asset_check(asset=REPORT, name="fresh", partitions_def=batches, blocking=True)
def fresh(context: dg.AssetCheckExecutionContext, deployment: DeploymentResource) -> dg.AssetCheckResult:
    """An ENG5 batch was reported within 26 hours; green right after each report, looked at again every morning."""
    batch_id = context.partition_key
    if not is_eng5(batch_id, deployment.open().batch(batch_id).manifest):
        return dg.AssetCheckResult(passed=True, description="no ENG5 batch: nobody promised it every night")
    reported, asked = last_report(context.instance, batch_id)
    now = datetime.now(UTC)
    hours = LATE_AFTER.total_seconds() / 3600
    said = f"last reported {reported:%Y-%m-%d %H:%M} UTC" if reported else "asked for, and never reported"
    return dg.AssetCheckResult(
        passed=not is_late(reported, asked, now),
        description=f"{said}; at most {hours:.0f} hours may pass",
        metadata={} if reported is None else {"hours": (now - reported).total_seconds() / 3600, "at_most": hours},
    )


def last_report(instance: dg.DagsterInstance, batch_id: str) -> tuple[datetime | None, datetime | None]:
    """When the batch's report was last made, and when a nightly backfill first asked for it; None where never."""
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(REPORT), asset_partitions=[batch_id])
    records = instance.fetch_materializations(wanted, limit=1).records
    reported = datetime.fromtimestamp(records[0].timestamp, UTC) if records else None
    runs = instance.get_run_records(
        dg.RunsFilter(job_name="eng5_backfill", tags={PARTITION_TAG: batch_id}), limit=1, ascending=True
    )
    return reported, runs[0].create_timestamp.astimezone(UTC) if runs else None


# no partitions of its own: Dagster refuses a partitioned job of checks alone, and takes the partition from the tag
eng5_freshness = dg.define_asset_job(
    "eng5_freshness",
    selection=dg.AssetSelection.checks(fresh),
    description="The check `fresh` of one batch, without making anything. Free.",
)
