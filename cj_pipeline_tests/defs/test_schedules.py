"""The schedules, evaluated for real against an instance, a ledger and stored tables: what is due, once, 25 a tick."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from cj_pipeline.definitions import defs
from cj_pipeline.defs.freshness import FRESHNESS_CHECK, last_report
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.schedules import BACKFILL_TAG, SCHEDULES
from cj_pipeline.defs.sensors import MOST_REQUESTS_PER_TICK
from cj_pipeline.defs.stages import PLAN, PURCHASE, SCORING
from cj_pipeline.eng5 import backfill
from cj_pipeline.eng5.backfill import LATE_AFTER, is_late
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.spending import approve
from cj_pipeline.store import table_path
from cj_pipeline_tests.defs.ticks import paid
from cj_pipeline_tests.eng5.profile_runs import materialise
from cj_pipeline_tests.installation import Installation, small_batch

NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ENG5 = '[scale]\nname = "eng5_np_national_9_step"'


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One on disk: a schedule opens it anew."""
    with dg.instance_for_test() as instance:
        yield instance


def evaluated(name: str, instance: dg.DagsterInstance, at: datetime = NIGHT) -> Sequence[dg.RunRequest] | str:
    """One tick: the requests, or why there are none."""
    schedule = next(one for one in SCHEDULES if one.name == name)
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, resources={"deployment": DeploymentResource()}
    ) as context:
        outcome = schedule(context)
    if isinstance(outcome, dg.SkipReason):
        return str(outcome.skip_message)
    assert isinstance(outcome, list)
    return outcome


def asked(requests: Sequence[dg.RunRequest] | str) -> dict[str, tuple[str, ...]]:
    """Batches asked for, with the assets of each."""
    assert not isinstance(requests, str), requests
    return {
        str(request.partition_key): tuple(key.to_user_string() for key in request.asset_selection or ())
        for request in requests
    }


def eng5_batch(installation: Installation, batch_id: str) -> None:
    small_batch(installation.batches / batch_id, model="lexical", scale=ENG5)


def noted(instance: dg.DagsterInstance, requests: Sequence[dg.RunRequest]) -> None:
    """The runs that a daemon would have made of the requests."""
    for request in requests:
        tags = {**request.tags, "dagster/partition": str(request.partition_key)}
        instance.add_run(dg.DagsterRun(job_name="eng5_backfill", run_id=str(uuid.uuid4()), tags=tags))


def test_every_schedule_is_off_until_somebody_switches_it_on() -> None:
    assert {one.name for one in SCHEDULES} == {"eng5_backfill_schedule", "rescore_schedule", "eng5_freshness_schedule"}
    assert {one.default_status for one in SCHEDULES} == {dg.DefaultScheduleStatus.STOPPED}
    assert {one.execution_timezone for one in SCHEDULES} == {"UTC"}


def test_the_night_buys_what_is_not_judged_and_scores_what_is(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    for batch_id in ("judged", "fresh", "unknown-to-dagster"):
        eng5_batch(installation, batch_id)
    small_batch(installation.batches / "another-scale", scale='[scale]\nname = "cefr"')
    instance.add_dynamic_partitions("batch", ["judged", "fresh", "another-scale"])
    assert materialise("judged").success
    requests = evaluated("eng5_backfill_schedule", instance)
    assert asked(requests) == {"fresh": (*PLAN, *PURCHASE), "judged": SCORING}
    assert {request.tags[BACKFILL_TAG] for request in requests if not isinstance(request, str)} == {"eng5-2026-11-24"}


def test_what_nobody_approved_is_not_asked_for(installation: Installation, instance: dg.DagsterInstance) -> None:
    paid(installation, "dear")
    manifest = installation.batches / "dear/batch.toml"
    manifest.write_text(manifest.read_text("utf-8") + ENG5, "utf-8")
    instance.add_dynamic_partitions("batch", ["dear"])
    assert evaluated("eng5_backfill_schedule", instance) == "batch dear: waits for `cj approve dear --max-usd AMOUNT`"
    deployment = installation.deployment
    open_revision(deployment.ledger, deployment.batch("dear"))
    approve(deployment.ledger, "dear", approved_by="head of study", max_usd=1)
    assert asked(evaluated("eng5_backfill_schedule", instance)) == {"dear": (*PLAN, *PURCHASE)}


def test_a_tick_asks_for_25_and_the_next_one_goes_on_until_all_were_asked_for_once(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    names = [f"school-{number:02d}" for number in range(2 * MOST_REQUESTS_PER_TICK + 1)]
    for name in names:
        eng5_batch(installation, name)
    instance.add_dynamic_partitions("batch", names)
    seen: list[str] = []
    for tick, expected in enumerate((25, 25, 1)):
        requests = evaluated("eng5_backfill_schedule", instance, NIGHT + timedelta(minutes=10 * tick))
        assert not isinstance(requests, str)
        assert len(requests) == expected
        seen += asked(requests)
        noted(instance, requests)
    assert seen == names
    later = evaluated("eng5_backfill_schedule", instance, NIGHT + timedelta(hours=1))
    assert later == "every ENG5 batch was asked for"
    assert len(asked(evaluated("eng5_backfill_schedule", instance, NIGHT + timedelta(days=1)))) == 25


def test_a_folder_that_broke_is_said_and_stops_no_other(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    eng5_batch(installation, "whole")
    (eng5 := installation.batches / "broken").mkdir()
    (eng5 / "batch.toml").write_text("[batch", "utf-8")
    instance.add_dynamic_partitions("batch", ["whole", "broken"])
    assert list(asked(evaluated("eng5_backfill_schedule", instance))) == ["whole"]


def test_a_new_scoring_version_makes_every_scale_due_once(
    installation: Installation, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for batch_id in ("one", "two", "never-scored"):
        small_batch(installation.batches / batch_id, model="lexical")
    instance.add_dynamic_partitions("batch", ["one", "two", "never-scored"])
    for batch_id in ("one", "two"):
        assert materialise(batch_id).success
    assert evaluated("rescore_schedule", instance) == "every scale is of this version"
    monkeypatch.setattr(backfill, "SCORING_VERSION", 2)
    requests = evaluated("rescore_schedule", instance)
    assert asked(requests) == {"one": SCORING, "two": SCORING}


def test_a_scale_from_before_versions_were_written_is_due(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "old", model="lexical")
    deployment = installation.deployment
    instance.add_dynamic_partitions("batch", ["old"])
    assert materialise("old").success
    path = table_path("scale_fit", "old")
    table = deployment.store.read_parquet(path)
    deployment.store.write_parquet(path, table.drop_columns(["scoring_version"]))
    assert asked(evaluated("rescore_schedule", instance)) == {"old": SCORING}
    assert materialise("old").success
    assert evaluated("rescore_schedule", instance) == "every scale is of this version"


def test_freshness_is_green_after_a_report_and_red_when_the_night_did_not_come(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    eng5_batch(installation, "nightly")
    small_batch(installation.batches / "other", model="lexical")
    instance.add_dynamic_partitions("batch", ["nightly", "other"])
    for batch_id in ("nightly", "other"):
        instance.report_runless_asset_event(dg.AssetMaterialization("batch_report", partition=batch_id))
    reported, _ = last_report(instance, "nightly")
    assert reported is not None
    nothing = "every ENG5 batch that was asked for was reported within 26 hours"
    assert evaluated("eng5_freshness_schedule", instance, datetime.now(UTC)) == nothing
    requests = evaluated("eng5_freshness_schedule", instance, reported + LATE_AFTER + timedelta(minutes=1))
    assert not isinstance(requests, str)
    assert [request.tags["dagster/partition"] for request in requests] == ["nightly"]
    assert [request.asset_check_keys for request in requests] == [[FRESHNESS_CHECK]]
    job = defs.resolve_job_def("eng5_freshness")
    looked = job.execute_in_process(instance=instance, tags={"dagster/partition": "nightly"})
    (evaluation,) = looked.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.partition, evaluation.passed) == ("fresh", "nightly", True)


def test_what_was_asked_for_and_never_reported_is_late_too() -> None:
    now = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    long_ago, lately = now - timedelta(hours=27), now - timedelta(hours=5)
    assert not is_late(None, None, now)  # nobody promised anything
    assert is_late(None, long_ago, now)
    assert not is_late(None, lately, now)
    assert is_late(long_ago, lately, now)
    assert not is_late(lately, long_ago, now)
