"""Checks of anchor alignment: the targets a person set, and no regression, on the last asset, when all is final."""

from collections.abc import Iterator

import dagster as dg

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.eng5.anchor_findings import CHECKS, alignment_findings


@dg.multi_asset_check(specs=specs_for("batch_report", CHECKS))
def alignment_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about batches of anchors only; of any other batch they say that it is none, and are green."""
    opened = deployment.open()
    yield from results(alignment_findings(opened, opened.batch(context.partition_key)))
