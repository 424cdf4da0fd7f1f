"""The sensor that carries a batch from wave to wave: it records one decision, and asks for one run of what follows."""

import dagster as dg

from cj_pipeline.definitions import defs
from cj_pipeline.defs.sensors import buy_approved_sensor, collect_ended_sensor, continue_waves_sensor
from cj_pipeline.jobs.recorded_waves import decisions_of, waves_of
from cj_pipeline_tests.defs.materialising import materialise
from cj_pipeline_tests.defs.ticks import requested
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.waves.in_waves import NO_RULE, batch_in, judged_wave


def test_a_scored_wave_is_decided_on_once_and_the_next_one_asked_for(installation: Installation) -> None:
    batch_in(installation.batches / "on", "serial_bundle", essays=4, cap=4, extra=NO_RULE)
    instance, deployment = dg.DagsterInstance.ephemeral(), installation.deployment
    instance.add_dynamic_partitions("batch", ["on"])
    assert requested(continue_waves_sensor, instance) == []
    judged_wave(deployment, "on")
    assert requested(continue_waves_sensor, instance) == ["on"]
    assert requested(continue_waves_sensor, instance) == ["on"]  # under the same key, which Dagster starts once
    revision = deployment.ledger.provenance("on").revision
    assert len(decisions_of(deployment.ledger, "on", revision)) == 1
    assert len(waves_of(deployment.ledger, "on", revision)) == 2
    assert requested(buy_approved_sensor, instance) == requested(collect_ended_sensor, instance) == []
    made = materialise(instance, "on")
    assert made.success
    assert requested(continue_waves_sensor, instance) == []
    assert decisions_of(deployment.ledger, "on", revision)[-1].label == "budget_exhausted"
    assert deployment.store.exists("reports/on.html")


def test_a_batch_is_left_alone_while_a_run_of_it_is_under_way(installation: Installation) -> None:
    """The run that scored the wave still grades and reports: its tables must not be out of date under its hands."""
    batch_in(installation.batches / "on", "serial_bundle", essays=4, cap=4, extra=NO_RULE)
    instance, deployment = dg.DagsterInstance.ephemeral(), installation.deployment
    instance.add_dynamic_partitions("batch", ["on"])
    judged_wave(deployment, "on")
    before = deployment.ledger.provenance("on")
    run = instance.create_run_for_job(
        defs.resolve_job_def("score_batches"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "on"},
    )
    assert requested(continue_waves_sensor, instance) == []
    assert deployment.ledger.provenance("on") == before
    instance.report_run_canceled(run)
    assert requested(continue_waves_sensor, instance) == ["on"]


def test_a_single_wave_is_recorded_as_ended_and_never_followed(installation: Installation) -> None:
    batch_in(installation.batches / "one", "provider_batch_api", essays=4, cap=4)
    instance, deployment = dg.DagsterInstance.ephemeral(), installation.deployment
    instance.add_dynamic_partitions("batch", ["one"])
    judged_wave(deployment, "one")
    assert requested(continue_waves_sensor, instance) == []
    revision = deployment.ledger.provenance("one").revision
    (decided,) = decisions_of(deployment.ledger, "one", revision)
    assert (decided.label, len(waves_of(deployment.ledger, "one", revision))) == ("single_wave_complete", 1)
