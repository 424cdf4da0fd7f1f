"""The sensors, evaluated for real against an instance, a ledger and a provider: what is due, once, and nothing else."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from cj_pipeline import emulator
from cj_pipeline.definitions import defs
from cj_pipeline.defs.lost_runs import PROCESS_TAG, this_process
from cj_pipeline.defs.sensors import (
    buy_approved_sensor,
    collect_ended_sensor,
    lost_runs_sensor,
    register_batches_sensor,
)
from cj_pipeline.defs.stages import STAGE_TAG
from cj_pipeline.due import batches_to_buy, batches_to_collect, new_batches
from cj_pipeline.jobs.spending import approve
from cj_pipeline_tests.defs.materialising import materialise
from cj_pipeline_tests.defs.ticks import evaluated, paid, planned, requested
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought


def test_a_new_folder_gets_a_partition_and_a_plan_and_nothing_is_bought(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "one")
    result = evaluated(register_batches_sensor, instance)
    assert isinstance(result, dg.SensorResult)
    assert [request.partition_key for request in result.run_requests or []] == ["one"]
    assert result.dynamic_partitions_requests
    assert list(result.dynamic_partitions_requests[0].partition_keys) == ["one"]
    planned(installation, "one")
    instance.add_dynamic_partitions("batch", ["one"])
    assert requested(register_batches_sensor, instance) == []
    assert installation.bill()["files_uploaded"] == 0


def test_a_folder_that_cannot_be_read_waits_and_is_named(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    folder = small_batch(installation.batches / "bad")
    (folder / "essays.csv").write_text("essay_id,text\na,\nb,text\n", "utf-8")
    skipped = evaluated(register_batches_sensor, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "row 2" in str(skipped.skip_message)
    (folder / "essays.csv").write_text("essay_id,text\na,text one\nb,text two\n", "utf-8")
    assert requested(register_batches_sensor, instance) == ["bad"]


def test_more_folders_than_a_tick_can_launch_come_in_turns(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    for number in range(30):
        small_batch(installation.batches / f"b{number:02d}")
    first = requested(register_batches_sensor, instance)
    assert len(first) == 25
    instance.add_dynamic_partitions("batch", first)
    rest = [f"b{number:02d}" for number in range(25, 30)]
    assert requested(register_batches_sensor, instance)[:5] == rest


def test_a_plan_whose_run_died_before_its_table_was_written_is_asked_for_again_within_the_hour(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    """Nothing in the folder changed: no price was known for the model, or the process was killed."""
    small_batch(installation.batches / "one")
    instance.add_dynamic_partitions("batch", ["one"])
    planned(installation, "one", written=False)
    assert requested(register_batches_sensor, instance) == ["one"]
    deployment, now = installation.deployment, datetime(2026, 5, 22, 12, tzinfo=UTC)
    (first,) = new_batches(deployment, {"one"}, now).due
    assert new_batches(deployment, {"one"}, now + timedelta(minutes=59)).due == (first,)
    assert new_batches(deployment, {"one"}, now + timedelta(hours=1)).due != (first,)
    planned(installation, "one")
    assert requested(register_batches_sensor, instance) == []


def test_a_profile_of_eng5_is_planned_only_once_it_was_asked_for(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.folder / "samples/sample")
    small_batch(installation.folder / "samples/eng5/profile")
    assert requested(register_batches_sensor, instance) == ["sample"]
    instance.add_dynamic_partitions("batch", ["profile"])
    assert requested(register_batches_sensor, instance) == ["sample", "profile"]


def test_a_folder_that_was_registered_but_never_planned_is_planned(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "one")
    instance.add_dynamic_partitions("batch", ["one"])
    assert requested(register_batches_sensor, instance) == ["one"]


def test_what_costs_nothing_is_bought_and_what_costs_waits_for_approval(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "free")
    paid(installation, "dear")
    paid(installation, "auto", approval="auto")
    for batch_id in ("free", "dear", "auto"):
        planned(installation, batch_id)
    instance.add_dynamic_partitions("batch", ["free", "dear", "auto"])
    assert requested(buy_approved_sensor, instance) == ["auto", "free"]
    found = batches_to_buy(installation.deployment)
    assert any("cj approve dear" in remark for remark in found.remarks)
    approve(installation.deployment.ledger, "dear", approved_by="head of study", max_usd=1)
    assert requested(buy_approved_sensor, instance) == ["auto", "dear", "free"]


def test_a_batch_that_is_bought_is_not_requested_again(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "free")
    bought(installation.deployment, "free")
    instance.add_dynamic_partitions("batch", ["free"])
    assert requested(buy_approved_sensor, instance) == []


def test_a_partition_that_is_gone_does_not_spoil_the_tick(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    for batch_id in ("gone", "here"):
        small_batch(installation.batches / batch_id)
        planned(installation, batch_id)
    instance.add_dynamic_partitions("batch", ["here"])
    assert requested(buy_approved_sensor, instance) == ["here"]


def test_nothing_is_requested_while_it_is_on_its_way(installation: Installation, instance: dg.DagsterInstance) -> None:
    small_batch(installation.batches / "free")
    planned(installation, "free")
    instance.add_dynamic_partitions("batch", ["free"])
    instance.create_run_for_job(
        defs.resolve_job_def("register_batches"),
        status=dg.DagsterRunStatus.STARTED,
        tags={STAGE_TAG: "buy", "dagster/partition": "free"},
    )
    assert requested(buy_approved_sensor, instance) == []


def test_a_batch_is_collected_when_its_jobs_have_ended_and_once(
    installation: Installation, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "slow", model="lexical")
    slow = emulator.start_process(folder=installation.folder / "slow", seconds_per_phase=1)
    monkeypatch.setenv("CJ_EMULATOR_URL", slow.url)
    monkeypatch.setenv("CJ_EMULATOR_PATIENCE_SECONDS", "0")
    materialise(instance, "slow", ["essays", "comparison_pairs", "provider_batch_jobs"])
    assert requested(collect_ended_sensor, instance) == []
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not requested(collect_ended_sensor, instance):
        assert datetime.now(UTC) < deadline
    key = batches_to_collect(installation.deployment).due[0].key
    assert batches_to_collect(installation.deployment).due[0].key == key
    materialise(instance, "slow", ["judgments", "bradley_terry_scores", "grade_projections", "batch_report"])
    slow.stop()
    assert requested(collect_ended_sensor, instance) == []


def test_a_provider_that_does_not_answer_is_a_remark_and_no_failure(
    installation: Installation, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "one")
    bought(installation.deployment, "one")
    monkeypatch.setenv("CJ_EMULATOR_URL", "http://127.0.0.1:9")
    instance.add_dynamic_partitions("batch", ["one"])
    skipped = evaluated(collect_ended_sensor, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "could not be reached" in str(skipped.skip_message)


def test_a_key_stays_until_something_changes(installation: Installation) -> None:
    small_batch(installation.batches / "free")
    planned(installation, "free")
    deployment, now = installation.deployment, datetime(2026, 5, 22, 12, tzinfo=UTC)
    first = batches_to_buy(deployment, now).due
    assert batches_to_buy(deployment, now + timedelta(minutes=59)).due == first
    assert batches_to_buy(deployment, now + timedelta(hours=1)).due != first
    approve(deployment.ledger, "free", approved_by="head of study", max_usd=1)
    assert batches_to_buy(deployment, now).due != first
    assert new_batches(deployment, {"free"}).due == ()


# --- runs whose process was killed ---


def run_of_a_process(instance: dg.DagsterInstance, process: str) -> str:
    run = instance.create_run_for_job(
        defs.resolve_job_def("register_batches"),
        status=dg.DagsterRunStatus.STARTED,
        tags={STAGE_TAG: "buy", "dagster/partition": "free", PROCESS_TAG: process},
    )
    return run.run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_whose_process_was_killed_is_failed_and_its_batch_is_asked_for_again(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "free")
    planned(installation, "free")
    instance.add_dynamic_partitions("batch", ["free"])
    host, pid, birth = this_process().split("/")
    killed = run_of_a_process(instance, f"{host}/{pid}/{int(birth) - 60}")  # its id belongs to this process now
    assert requested(buy_approved_sensor, instance) == []
    assert killed in str(evaluated(lost_runs_sensor, instance))
    assert status_of(instance, killed) is dg.DagsterRunStatus.FAILURE
    assert requested(buy_approved_sensor, instance) == ["free"]


@pytest.mark.parametrize(
    "process", [this_process(), "another-host/1/1770000000", ""], ids=["lives", "another host", "not known"]
)
def test_a_run_that_lives_or_cannot_be_known_is_left_alone(instance: dg.DagsterInstance, process: str) -> None:
    run = run_of_a_process(instance, process)
    evaluated(lost_runs_sensor, instance)
    assert status_of(instance, run) is dg.DagsterRunStatus.STARTED


def test_every_run_says_which_process_carries_it_out(installation: Installation, instance: dg.DagsterInstance) -> None:
    small_batch(installation.batches / "free")
    run = instance.get_run_by_id(materialise(instance, "free", ["essays"]).run_id)
    assert run is not None
    assert run.tags[PROCESS_TAG] == this_process()
