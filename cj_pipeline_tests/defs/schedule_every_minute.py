"""What a test's daemon loads: the project's definitions, with the nightly schedule on and due every minute."""

import dagster as dg

from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES
from cj_pipeline.defs.freshness import eng5_freshness
from cj_pipeline.defs.jobs import buy_batches, register_batches, score_batches
from cj_pipeline.defs.schedules import eng5_backfill, eng5_backfill_schedule
from cj_pipeline.defs.sensors import SENSORS

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=[register_batches, buy_batches, score_batches, eng5_backfill, eng5_freshness],
    # the others would take over what the schedule is to do
    sensors=[one for one in SENSORS if one.name in {"collect_ended_sensor", "continue_waves_sensor"}],
    schedules=[eng5_backfill_schedule("* * * * *", dg.DefaultScheduleStatus.RUNNING)],
    resources=RESOURCES,
    executor=dg.in_process_executor,
)
