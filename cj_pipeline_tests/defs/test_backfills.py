"""Many batches at once, as is right: up to the purchase; the sensor collects; scored anew, for nothing."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from cj_pipeline.definitions import defs
from cj_pipeline.defs.sensors import buy_approved_sensor, collect_ended_sensor
from cj_pipeline.defs.stages import READING, SCORING, STAGE_TAG
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.job import State, all_jobs
from cj_pipeline.jobs.plan import estimate_wave, open_wave
from cj_pipeline.jobs.progress import progress_of_all
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import batches
from cj_pipeline.notices import notices
from cj_pipeline.providers import nano_usd
from cj_pipeline.settings import Settings
from cj_pipeline_tests.defs.materialising import QUIET, made, materialise
from cj_pipeline_tests.defs.ticks import requested
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import ended, paid_batch

FIVE = [f"b{number}" for number in range(5)]
FIFTY = [f"b{number:02d}" for number in range(50)]
ROOM_FOR = 20
PATIENCE_SECONDS = 900


def run_of(job: str, instance: dg.DagsterInstance, batch_id: str) -> dg.ExecuteInProcessResult:
    """One run of a backfill: Dagster makes one per partition."""
    return defs.resolve_job_def(job).execute_in_process(
        partition_key=batch_id, instance=instance, run_config=QUIET, raise_on_error=False
    )


@pytest.mark.heavy
def test_five_batches_are_bought_collected_and_scored_anew(installation: Installation) -> None:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("batch", FIVE)
    for batch_id in FIVE:
        small_batch(installation.batches / batch_id)
    for batch_id in FIVE:
        bought = run_of("buy_batches", instance, batch_id)
        assert bought.success
        assert made(bought) == {"essays", "comparison_pairs", "provider_batch_jobs"}
    deployment = installation.deployment
    for batch_id in FIVE:
        ended(deployment, batch_id)
    assert requested(buy_approved_sensor, instance) == []
    assert requested(collect_ended_sensor, instance) == FIVE
    for batch_id in FIVE:
        materialise(instance, batch_id, READING)
    assert requested(collect_ended_sensor, instance) == []
    bill = installation.bill()
    for batch_id in FIVE:
        scored = run_of("score_batches", instance, batch_id)
        assert scored.success
        assert made(scored) == set(SCORING)
    assert installation.bill() == bill
    assert bill["batches_created"] == 5


def test_a_backfill_of_the_purchase_buys_nothing_that_nobody_approved(installation: Installation) -> None:
    instance = dg.DagsterInstance.ephemeral()
    manifest = paid_batch(installation, "dear") / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('approval = "auto"', 'approval = "manual"'), "utf-8")
    instance.add_dynamic_partitions("batch", ["dear"])
    assert not run_of("buy_batches", instance, "dear").success
    assert installation.bill()["files_uploaded"] == 0


def test_the_runs_of_a_backfill_are_seen_by_the_sensors(installation: Installation) -> None:
    """A batch that a backfill is buying is not asked for a second time."""
    assert defs.resolve_job_def("buy_batches").tags[STAGE_TAG] == "buy"
    assert defs.resolve_job_def("score_batches").tags[STAGE_TAG] == "score"


def test_scoring_anew_without_judgments_is_refused_and_says_what_is_missing(installation: Installation) -> None:
    instance = dg.DagsterInstance.ephemeral()
    small_batch(installation.batches / "early")
    materialise(instance, "early", ["essays", "comparison_pairs"])
    result = run_of("score_batches", instance, "early")
    assert not result.success
    failure = next(event for event in result.all_events if event.event_type_value == "STEP_FAILURE")
    assert "there are no judgments yet" in str(failure.event_specific_data)


def one_bound(deployment: Deployment) -> int:
    """Upper bound of one batch's bill, in nano-USD."""
    batch = deployment.batch(FIFTY[0])
    open_revision(deployment.ledger, batch)
    return estimate_wave(deployment.ledger, batch, open_wave(deployment.ledger, deployment.store, batch))["judge"].high


def runs_within_the_command(config: Path) -> None:
    """Each command carries out its runs itself: a process for each run would take its five seconds fifty times."""
    queue = "concurrency:\n  runs:\n    max_concurrent_runs: 4\n"
    content = config.read_text("utf-8")
    assert queue in content
    at_once = """run_coordinator:
  module: dagster._core.run_coordinator.default_run_coordinator
  class: DefaultRunCoordinator
run_launcher:
  module: dagster._core.launcher.sync_in_memory_run_launcher
  class: SyncInMemoryRunLauncher
"""
    config.write_text(content.replace(queue, at_once), "utf-8")


@pytest.mark.endurance
def test_fifty_batches_in_four_backfills_at_once_stay_under_the_cap_of_their_account(
    installation: Installation,
) -> None:
    """Four `dagster job backfill` beside each other; the cap has room for twenty batches."""
    for batch_id in FIFTY:
        paid_batch(installation, batch_id)
    deployment = installation.deployment
    cap = (ROOM_FOR + 0.5) * one_bound(deployment) / 1e9
    environment = {
        **os.environ, **installation.environment, "CJ_ACCOUNT_MAX_USD_PER_DAY": f"{cap:.12f}",
        "DAGSTER_HOME": str(installation.folder),
    }  # fmt: skip
    runs_within_the_command(installation.folder / "dagster.yaml")
    dagster = str(Path(sys.executable).with_name("dagster"))
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        instance.add_dynamic_partitions("batch", FIFTY)
        with (installation.folder / "backfills.log").open("ab") as log:
            backfills = [
                subprocess.Popen(
                    [dagster, "job", "backfill", "-j", "buy_batches", "--noprompt", "--partitions", ",".join(part)],
                    cwd=installation.folder, env=environment, stdout=log, stderr=log,
                )
                for part in (FIFTY[quarter::4] for quarter in range(4))
            ]  # fmt: skip
            try:
                codes = [backfill.wait(PATIENCE_SECONDS) for backfill in backfills]
            finally:
                for backfill in backfills:
                    backfill.kill()
        assert codes == [0, 0, 0, 0], (installation.folder / "backfills.log").read_text("utf-8")[-3000:]
        assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])) == ROOM_FOR
        assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])) == 50 - ROOM_FOR
    assert sum(job.state is State.SUBMITTED for job in all_jobs(deployment.ledger)) == ROOM_FOR
    assert installation.bill()["batches_created"] == ROOM_FOR
    with deployment.ledger.reading() as connection:
        booked = batches.c.reserved_nano_usd + batches.c.spent_nano_usd
        assert connection.execute(sa.select(sa.func.sum(booked))).scalar_one() <= nano_usd(cap)
    assert sum(progress.planned for progress in progress_of_all(deployment.ledger).values()) == 50 - ROOM_FOR
    over = [notice.subject for notice in notices(deployment_with(cap), datetime.now(UTC))]
    assert len(over) == 50 - ROOM_FOR


def deployment_with(cap: float) -> Deployment:
    return Deployment.open(Settings(account_max_usd_per_day=cap))
