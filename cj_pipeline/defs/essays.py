"""The asset `essays`: what a batch folder holds, checked, and the revision it makes."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from cj_pipeline.batch.findings import CHECKS, essay_findings
from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.shown import OWNERS, places
from cj_pipeline.findings import refuse_structural
from cj_pipeline.jobs.revisions import open_revision


@dg.asset(partitions_def=batches, group_name="plan", kinds={"parquet"}, owners=OWNERS)
def essays(context: dg.AssetExecutionContext, deployment: DeploymentResource) -> dg.Output[pa.Table]:
    """Essays and anchors of a batch, as read from its folder.

    **Costs** nothing. Reading also fixes the batch's revision: after judgments of it were bought, a changed essay,
    rubric, seed or judge is refused here, before anything else happens.

    **When it is red:** the message names the file, the row and what to correct; then materialise again. For a
    change after buying it says what was spent, and the two ways on.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    refuse_structural(batch.batch_id, essay_findings(batch.essays, batch.scale))
    provenance = open_revision(opened.ledger, batch)
    for notice in batch.notices:
        context.log.info(notice)
    return dg.Output(
        batch.essays,
        metadata={
            "essays": batch.essays.num_rows,
            "anchors": batch.n_anchors,
            "words": int(sum(batch.essays["word_count"].to_pylist())),
            "scale": batch.scale.name if batch.scale else "none: scores without grades",
            "revision": provenance.revision[:16],
            **places(opened, batch),
            "notices": dg.MetadataValue.md("\n".join(f"- {notice}" for notice in batch.notices) or "none"),
        },
    )


@dg.multi_asset_check(specs=specs_for("essays", CHECKS))
def essay_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the essays of a batch."""
    opened = deployment.open()
    batch_id = context.partition_key
    yield from results(essay_findings(opened.read_table("essays", batch_id), opened.batch(batch_id).scale))
