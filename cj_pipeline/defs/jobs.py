"""Jobs: registering batch folders as partitions, which no dagster command does, and the two halves of a backfill.

A backfill over all seven assets would count a batch whose jobs are still out as failed. So one half goes up to the
purchase, the sensor collects what has ended, and the other half begins at the scores.
"""

import dagster as dg

from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.stages import PLAN, PURCHASE, SCORING, STAGE_TAG
from cj_pipeline.errors import BatchError


@dg.op
def register_batch_folders(context: dg.OpExecutionContext, deployment: DeploymentResource) -> None:
    """Add a partition for every batch folder that can be read; fail afterwards if one cannot. Buys nothing."""
    opened = deployment.open()
    readable, mistakes = [], []
    for batch_id in opened.batch_ids():
        try:
            opened.batch(batch_id)
            readable.append(batch_id)
        except BatchError as error:
            mistakes.append(str(error))
    context.instance.add_dynamic_partitions(str(batches.name), readable)
    context.log.info(f"{len(readable)} batches registered: {', '.join(readable)}")
    if mistakes:
        raise dg.Failure("\n".join(mistakes), allow_retries=False)


@dg.job(description="Register every batch folder as a partition. Free; safe to run at any time.")
def register_batches() -> None:
    """One op."""
    register_batch_folders()


buy_batches = dg.define_asset_job(
    "buy_batches",
    selection=dg.AssetSelection.assets(*PLAN, *PURCHASE),
    tags={STAGE_TAG: "buy"},
    description="Read, plan and buy, one run per batch. **Spends money**, only on batches that a person approved, "
    "that say `auto`, or that cost nothing, and within the caps. The sensor collects.",
)

score_batches = dg.define_asset_job(
    "score_batches",
    selection=dg.AssetSelection.assets(*SCORING),
    tags={STAGE_TAG: "score"},
    description="Score, grade and report anew from judgments that are there, one run per batch. Free.",
)
