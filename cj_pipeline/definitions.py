"""What Dagster loads. Explicit lists; nothing is read from the environment here."""

import dagster as dg

from cj_pipeline.defs.alignment import alignment_checks
from cj_pipeline.defs.batch_report import batch_report
from cj_pipeline.defs.bradley_terry_scores import bradley_terry_scores, score_checks
from cj_pipeline.defs.comparison_pairs import comparison_pairs, pair_checks
from cj_pipeline.defs.essays import essay_checks, essays
from cj_pipeline.defs.freshness import eng5_freshness, fresh
from cj_pipeline.defs.grade_projections import grade_checks, grade_projections
from cj_pipeline.defs.jobs import buy_batches, register_batches, score_batches
from cj_pipeline.defs.judgments import judgment_checks, judgments
from cj_pipeline.defs.parity import parity_checks
from cj_pipeline.defs.provider_batch_jobs import job_checks, provider_batch_jobs
from cj_pipeline.defs.resources import DeploymentResource, TableIOManager
from cj_pipeline.defs.schedules import SCHEDULES, eng5_backfill
from cj_pipeline.defs.sensors import SENSORS

ASSETS = [
    essays,
    comparison_pairs,
    provider_batch_jobs,
    judgments,
    bradley_terry_scores,
    grade_projections,
    batch_report,
]
CHECKS = [
    essay_checks,
    pair_checks,
    job_checks,
    judgment_checks,
    score_checks,
    grade_checks,
    parity_checks,
    alignment_checks,
    fresh,
]
RESOURCES = {"deployment": DeploymentResource(), "io_manager": TableIOManager()}

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=[register_batches, buy_batches, score_batches, eng5_backfill, eng5_freshness],
    sensors=SENSORS,
    schedules=SCHEDULES,
    resources=RESOURCES,
    # a run is one batch of small steps; a process per step would cost five times the work
    executor=dg.in_process_executor,
)
