"""The nightly schedule evaluated by a real daemon: it asks for its runs, and the partitions end up made and checked."""

import shutil

import dagster as dg
import pytest

from cj_pipeline.definitions import ASSETS
from cj_pipeline.defs.schedules import BACKFILL_TAG
from cj_pipeline.eng5.findings import CHECKS as PARITY_CHECKS
from cj_pipeline_tests.defs.daemon import dagster_dev, materialised, wait_until
from cj_pipeline_tests.installation import REPO, Installation

PROFILES = ("cj-generic-batch-api", "eng5-batch-api")
ALL_ASSETS = {asset.key.to_user_string() for asset in ASSETS}


@pytest.mark.endurance
def test_the_nightly_schedule_s_runs_end_with_every_partition_made_and_its_checks_recorded(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROFILES:
        shutil.copytree(REPO / "data/samples/eng5" / name, installation.folder / "samples/eng5" / name)
    workspace = installation.folder / "workspace.yaml"
    text = workspace.read_text("utf-8")
    workspace.write_text(
        text.replace("cj_pipeline.definitions", "cj_pipeline_tests.defs.schedule_every_minute"), "utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        instance.add_dynamic_partitions("batch", list(PROFILES))
    with dagster_dev(installation):
        wait_until(
            lambda: (
                all(materialised(installation, name) == ALL_ASSETS for name in PROFILES) and not at_work(installation)
            ),
            installation,
        )
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="eng5_backfill"))
        assert {run.tags["dagster/partition"] for run in runs} == set(PROFILES)
        assert len({run.tags[BACKFILL_TAG] for run in runs}) == 1  # one tag for the whole
        assert {run.tags["dagster/schedule_name"] for run in runs} == {"eng5_backfill_schedule"}
        assert len(runs) == len(PROFILES)  # asked for once, however often the schedule was due
        for name in PROFILES:
            recorded = {check: passed(instance, name, check) for check in (*PARITY_CHECKS, "publishable", "fresh")}
            assert set(recorded.values()) == {True}, (name, recorded)
    assert installation.bill()["requests_seen"] == 76  # 16 and 60 comparisons, each asked once


def at_work(installation: Installation) -> bool:
    """Whether a run is on its way."""
    unfinished = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        return bool(instance.get_runs(dg.RunsFilter(statuses=unfinished), limit=1))


def passed(instance: dg.DagsterInstance, batch_id: str, check: str) -> bool | None:
    """What the newest evaluation of a batch's check says; None where there is none."""
    key = dg.AssetCheckKey(dg.AssetKey("batch_report"), check)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    for record in records:
        evaluation = record.event and record.event.dagster_event and record.event.dagster_event.event_specific_data
        if isinstance(evaluation, dg.AssetCheckEvaluation) and evaluation.partition == batch_id:
            return evaluation.passed
    return None
