"""Jobs beside the assets: registering batch folders as partitions, which no dagster command does."""

import dagster as dg

from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
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
