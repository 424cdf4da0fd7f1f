"""The asset `bradley_terry_scores`: the scale, with its uncertainty. Pure computation, free to repeat."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource, Tables
from cj_pipeline.findings import Finding, refuse_structural
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.scoring.findings import CHECKS, score_findings


@dg.asset(partitions_def=batches, group_name="scale", kinds={"numpy", "parquet"})
def bradley_terry_scores(
    context: dg.AssetExecutionContext, deployment: DeploymentResource, essays: pa.Table, judgments: pa.Table
) -> dg.Output[Tables]:
    """Bradley-Terry scores in logits with standard errors, and beside them `scale_fit` and `judge_fit`.

    MAP with a Gaussian prior, the advantage of the first seat estimated with it; see docs/decisions.
    """
    manifest = deployment.open().batch(context.partition_key).manifest
    tables = score_tables(essays, judgments, [judge.id for judge in manifest.judges])
    refuse_structural(context.partition_key, _findings(tables, manifest.checks.min_reliability))
    fit = tables["scale_fit"].to_pylist()[0]
    numbers = ("comparisons", "reliability", "ssr", "order_effect", "phi", "gradient_norm", "iterations", "components")
    shown = {name: fit[name] for name in numbers if fit[name] is not None}
    return dg.Output(tables, metadata={**shown, "terminal_label": fit["terminal_label"]})


@dg.multi_asset_check(specs=specs_for("bradley_terry_scores", CHECKS))
def score_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the scale of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    names = ("bradley_terry_scores", "scale_fit", "judge_fit")
    tables = {name: opened.read_table(name, batch.batch_id) for name in names}
    yield from results(_findings(tables, batch.manifest.checks.min_reliability))


def _findings(tables: Tables, least_reliability: float) -> list[Finding]:
    return score_findings(
        tables["bradley_terry_scores"], tables["scale_fit"], tables["judge_fit"], least_reliability=least_reliability
    )
