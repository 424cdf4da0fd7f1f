"""The asset `grade_projections`: grades with probabilities, or the reason why there are none."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.batch.human_judgments import refuse_changed_votes
from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource, Tables
from cj_pipeline.defs.shown import OWNERS, places, short
from cj_pipeline.deployment import Deployment
from cj_pipeline.findings import refuse_structural, with_overrides
from cj_pipeline.grading.drift import EarlierBatch
from cj_pipeline.grading.findings import CHECKS, grade_findings
from cj_pipeline.grading.grade_projections import grade_tables
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline.scoring.findings import signal_finding


@dg.asset(
    partitions_def=batches, group_name="scale", kinds={"numpy", "parquet"}, owners=OWNERS,
    output_required=False, deps=["bradley_terry_scores"],
)  # fmt: skip
def grade_projections(
    context: dg.AssetExecutionContext,
    deployment: DeploymentResource,
    essays: pa.Table,
    comparison_pairs: pa.Table,
    judgments: pa.Table,
) -> Iterator[dg.Output[Tables]]:
    """One row per essay: grade, probabilities, 80 % range, what a person should re-read and why.

    While another wave follows, nothing is written and the report waits.

    **Costs** nothing: pure computation on the anchors' known grades. No scale or too few anchors give scores without
    grades, which is no error.

    **When it is red:** a gate withholds all grades and says why. Anchors out of order: is a grade in the anchors'
    file wrong, does the rubric say something else, or cannot the judge tell? A person may override a gate by name in
    `[checks.override]`, with a written reason.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    scale: dict[str, Any] = opened.read_table("scale_fit", batch.batch_id).to_pylist()[0]
    if scale["terminal_label"] is None:
        context.log.info(f"batch {batch.batch_id}: another wave follows; nothing to grade yet")
        return
    people = opened.read_table("human_judgments", batch.batch_id)
    refuse_changed_votes(batch.batch_id, people, batch.human_judgments)
    upstream = [*judgment_findings(batch, comparison_pairs, judgments), signal_finding(scale)]
    standing = opened.standing_judgments(batch, judgments)
    tables = grade_tables(batch, standing, upstream, people, _earlier(opened, batch))
    checks = batch.manifest.checks
    findings = grade_findings({**tables, "essays": essays}, max_ungraded_share=checks.max_ungraded_share)
    refuse_structural(batch.batch_id, findings)
    fit = tables["grade_fit"].to_pylist()[0]
    graded = tables["grade_projections"].num_rows - tables["grade_projections"]["grade"].null_count
    figures = short({name: fit[name] for name in ("exact", "adjacent", "mae", "qwk", "anchor_tau")})
    withheld = fit["withheld"] or "no: grades are given"
    yield dg.Output(tables, metadata={"graded": graded, "withheld": withheld, **figures, **places(opened, batch)})


def _earlier(opened: Deployment, batch: Batch) -> EarlierBatch | None:
    """The stored tables of the batch that drift is measured from. Raises `StaleTable` when there are none."""
    name = batch.manifest.checks.drift_from
    if name is None:
        return None
    return EarlierBatch(name, opened.read_table("essays", name), opened.read_table("bradley_terry_scores", name))


@dg.multi_asset_check(specs=specs_for("grade_projections", CHECKS))
def grade_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the grades of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    names = ("essays", "grade_projections", "anchor_projections", "grade_fit", "anchor_drift")
    tables = {name: opened.read_table(name, batch.batch_id) for name in names}
    checks = batch.manifest.checks
    findings = grade_findings(tables, max_ungraded_share=checks.max_ungraded_share)
    yield from results(with_overrides(findings, checks.override))
