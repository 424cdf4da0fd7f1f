"""Schedules, all off until somebody switches them on: ENG5 every night, scales of an older version, late reports.

Each tick asks for at most 25 runs and goes on where the last one stopped; the runs of one backfill share a tag, by
which the next tick knows what was asked for.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from cj_pipeline.batch import batch_folder, read_manifest
from cj_pipeline.defs.freshness import FRESHNESS_CHECK, eng5_freshness, last_report
from cj_pipeline.defs.partitions import PARTITION_TAG, live_partitions, partitions_of
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.sensors import MOST_REQUESTS_PER_TICK
from cj_pipeline.defs.stages import PLAN, PURCHASE, SCORING, STAGE_TAG
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.backfill import Backfill, Stage, is_eng5, is_late, nightly_backfill, outdated_scales
from cj_pipeline.errors import CjError
from cj_pipeline.scoring.bradley_terry_scores import SCORING_VERSION

BACKFILL_TAG = "cj/backfill"  # of every run of one backfill: which one
NIGHTLY = "*/10 2-5 * * *"  # from 02:00 UTC; the first tick asks for all of them where there are few
HOURLY = "15 * * * *"
MORNINGS = "0 7 * * *"
ASSETS_OF = {Stage.BUY: (*PLAN, *PURCHASE), Stage.SCORE: SCORING}

eng5_backfill = dg.define_asset_job(
    "eng5_backfill",
    selection=dg.AssetSelection.assets(*PLAN, *PURCHASE, *SCORING),
    description="One ENG5 batch, bought where that is allowed, or scored and checked anew; what "
    "`eng5_backfill_schedule` asks for, with the assets that are due. **Spends money** within approvals and caps.",
)


def eng5_backfill_schedule(
    cron_schedule: str = NIGHTLY, default_status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.STOPPED
) -> dg.ScheduleDefinition:
    """The nightly schedule; another time of day makes it testable."""

    @dg.schedule(
        job=eng5_backfill,
        name="eng5_backfill_schedule",
        cron_schedule=cron_schedule,
        execution_timezone="UTC",
        default_status=default_status,
        description="Every ENG5 batch once a night: what is judged is scored and checked anew, what is not is bought "
        "if that is allowed, and the sensors take it on. At most 25 runs a tick.",
    )
    def evaluate(
        context: dg.ScheduleEvaluationContext, deployment: DeploymentResource
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        night = f"eng5-{_moment(context):%Y-%m-%d}"
        live, asked = live_partitions(context.instance), _asked(context.instance, night)
        return _requests(nightly_backfill(deployment.open(), live, asked), night, "every ENG5 batch was asked for")

    return evaluate


@dg.schedule(job_name="score_batches", cron_schedule=HOURLY, execution_timezone="UTC")
def rescore_schedule(
    context: dg.ScheduleEvaluationContext, deployment: DeploymentResource
) -> Sequence[dg.RunRequest] | dg.SkipReason:
    """After a new version of the scoring: every batch is scored, graded and reported anew, once, free."""
    version = f"rescore-{SCORING_VERSION}"
    live, asked = live_partitions(context.instance), _asked(context.instance, version)
    return _requests(outdated_scales(deployment.open(), live, asked), version, "every scale is of this version")


@dg.schedule(job=eng5_freshness, cron_schedule=MORNINGS, execution_timezone="UTC")
def eng5_freshness_schedule(
    context: dg.ScheduleEvaluationContext, deployment: DeploymentResource
) -> Sequence[dg.RunRequest] | dg.SkipReason:
    """Every morning: the check `fresh` of each ENG5 batch that the night did not reach. It turns red."""
    now, opened = _moment(context), deployment.open()
    live = live_partitions(context.instance)
    late = [
        batch_id
        for batch_id in _eng5_batches(opened)
        if batch_id in live and is_late(*last_report(context.instance, batch_id), now)
    ]
    if not late:
        return dg.SkipReason("every ENG5 batch that was asked for was reported within 26 hours")
    return [
        dg.RunRequest(
            run_key=f"fresh-{now:%Y-%m-%d}:{batch_id}",
            asset_check_keys=[FRESHNESS_CHECK],
            tags={PARTITION_TAG: batch_id, BACKFILL_TAG: f"fresh-{now:%Y-%m-%d}"},
        )
        for batch_id in late[:MOST_REQUESTS_PER_TICK]
    ]


def _requests(found: Backfill, backfill: str, nothing: str) -> list[dg.RunRequest] | dg.SkipReason:
    if not found.wanted:
        return dg.SkipReason("\n".join(found.remarks) or nothing)
    return [
        dg.RunRequest(
            run_key=f"{backfill}:{one.batch_id}",
            partition_key=one.batch_id,
            asset_selection=[dg.AssetKey(name) for name in ASSETS_OF[one.stage]],
            tags={BACKFILL_TAG: backfill, STAGE_TAG: str(one.stage)},
        )
        for one in found.wanted[:MOST_REQUESTS_PER_TICK]
    ]


def _asked(instance: dg.DagsterInstance, backfill: str) -> set[str]:
    """Batches that a run of this backfill exists for, whatever became of it."""
    return partitions_of(instance.get_runs(dg.RunsFilter(tags={BACKFILL_TAG: backfill})))


def _eng5_batches(deployment: Deployment) -> list[str]:
    found = []
    for batch_id in deployment.batch_ids():
        try:
            manifest = read_manifest(batch_folder(batch_id, deployment.roots))
        except CjError:
            continue  # the sensor that registers says what is wrong with it
        if is_eng5(batch_id, manifest):
            found.append(batch_id)
    return found


def _moment(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)


SCHEDULES = [eng5_backfill_schedule(), rescore_schedule, eng5_freshness_schedule]
