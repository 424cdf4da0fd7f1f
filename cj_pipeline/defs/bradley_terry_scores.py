"""The asset `bradley_terry_scores`: the scale, with its uncertainty. Pure computation, free to repeat."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from cj_pipeline.continuation import decided_tables
from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource, Tables
from cj_pipeline.defs.shown import OWNERS, pictures, places, short
from cj_pipeline.findings import refuse_structural
from cj_pipeline.jobs.plan import batch_mode
from cj_pipeline.report.asset_figures import scores_drawn
from cj_pipeline.scoring.bradley_terry_scores import SCORE_TABLES, score_tables
from cj_pipeline.scoring.findings import CHECKS, score_findings


@dg.asset(partitions_def=batches, group_name="scale", kinds={"numpy", "parquet"}, owners=OWNERS)
def bradley_terry_scores(
    context: dg.AssetExecutionContext,
    deployment: DeploymentResource,
    essays: pa.Table,
    comparison_pairs: pa.Table,
    judgments: pa.Table,
) -> dg.Output[Tables]:
    """The scale: Bradley-Terry scores in logits with standard errors, and beside them how judges and pairs fit.

    MAP with a Gaussian prior, the advantage of the first seat estimated with it; see docs/decisions. Judgments by
    people are read from the batch folder here, stand in the same fit and are kept as a table. What follows the wave
    (another one, or the end of the batch) is worked out with them; `continue_waves_sensor` and `cj run` act on it.

    **Costs** nothing: pure computation, free to repeat, for one batch or in a backfill (the job `score_batches`).

    **When it is red:** essays in more than one component are scored apart and cannot be compared; a low reliability
    says that the judges' answers carry little signal. More comparisons are a new batch that tops up this one.
    """
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    manifest = batch.manifest
    tables: Tables = score_tables(
        essays,
        opened.standing_judgments(batch, judgments),
        [judge.id for judge in manifest.judges],
        batch.human_judgments,
        scale=batch.scale,
        discrimination=manifest.scoring.discrimination,
        estimator=manifest.scoring.estimator,
        chosen_by_score=batch_mode(batch).iterative,
    )
    tables, decided = decided_tables(opened, batch, comparison_pairs, judgments, tables)
    refuse_structural(batch.batch_id, score_findings(tables, least_reliability=manifest.checks.min_reliability))
    fit = tables["scale_fit"].to_pylist()[0]
    numbers = (
        "comparisons",
        "people_votes",
        "reliability",
        "split_reliability",
        "ssr",
        "order_effect",
        "phi",
        "gradient_norm",
        "iterations",
        "components",
    )
    drawn = scores_drawn(batch.essays, tables["bradley_terry_scores"])
    pictured = {**pictures(score_intervals=drawn), **places(opened, batch)}
    shown = short({name: fit[name] for name in numbers})
    return dg.Output(tables, metadata={**shown, **_latest_wave(decided), **pictured})


def _latest_wave(decided: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    return {
        "llm_batching_mode": dg.MetadataValue.text(decided["llm_batching_mode"]),
        "waves": dg.MetadataValue.int(decided["waves"]),
        "decision": dg.MetadataValue.text(decided["decision"]),
        "reason": dg.MetadataValue.text(decided["reason"]),
        "terminal_label": dg.MetadataValue.text(decided["terminal_label"] or "none: the batch goes on"),
        "processing_metadata": dg.MetadataValue.json(dict(decided)),
    }


@dg.multi_asset_check(specs=specs_for("bradley_terry_scores", CHECKS))
def score_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the scale of a batch."""
    opened = deployment.open()
    batch = opened.batch(context.partition_key)
    tables = {name: opened.read_table(name, batch.batch_id) for name in SCORE_TABLES}
    yield from results(score_findings(tables, least_reliability=batch.manifest.checks.min_reliability))
