"""The whole thing as it runs every day: a real `dagster dev`, a folder dropped in, a report at the end."""

import dagster as dg
import pytest

from cj_pipeline.jobs.spending import approve
from cj_pipeline.status import batch_status
from cj_pipeline_tests.defs.daemon import dagster_dev, materialised, wait_until
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import paid_batch
from cj_pipeline_tests.notices.webhook import webhook


@pytest.mark.endurance
def test_a_folder_dropped_in_becomes_a_report_with_nobody_touching_anything(installation: Installation) -> None:
    """Also when Dagster is stopped in between."""
    with dagster_dev(installation):
        small_batch(installation.batches / "dropped", model="lexical")
        wait_until(lambda: installation.bill()["batches_created"] == 1, installation)
    with dagster_dev(installation):
        wait_until(lambda: installation.deployment.store.exists("reports/dropped.html"), installation)
    bill = installation.bill()
    assert (bill["batches_created"], bill["requests_seen"]) == (1, 15)


@pytest.mark.heavy
def test_a_paid_batch_waits_for_approval_and_outlives_a_kill_at_every_step(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned, approved, bought, collected: after each the whole of Dagster is killed, with whatever runs."""
    deployment, dear = installation.deployment, "dear"
    with webhook() as hook:
        monkeypatch.setenv("CJ_NOTIFY_URL", hook.url)
        with dagster_dev(installation, killed=True):
            manifest = paid_batch(installation, dear, model="lexical") / "batch.toml"
            manual = manifest.read_text("utf-8").replace('approval = "auto"', 'approval = "manual"')
            manifest.write_text(manual, "utf-8")
            wait_until(lambda: "comparison_pairs" in materialised(installation, dear), installation)
        with dagster_dev(installation, killed=True):
            wait_until(lambda: len(hook.notices) == 1, installation)
            assert installation.bill()["files_uploaded"] == 0
            estimate = metadata_of(installation, "comparison_pairs", dear)
            assert 0 < estimate["low_usd"] <= estimate["expected_usd"] <= estimate["high_usd"]
            approve(deployment.ledger, dear, approved_by="head of study", max_usd=1)
            wait_until(lambda: installation.bill()["files_uploaded"] == 1, installation)
        with dagster_dev(installation, killed=True):
            wait_until(lambda: deployment.store.exists(f"tables/judgments/{dear}.parquet"), installation)
        with dagster_dev(installation):
            wait_until(lambda: deployment.store.exists(f"reports/{dear}.html"), installation)
    bill = installation.bill()
    assert (bill["batches_created"], bill["requests_seen"]) == (1, 15)
    assert batch_status(deployment, dear).state == "scored"
    told = [(notice["matter"], notice["subject"]) for notice in hook.notices]
    assert told == [("approval wanted", dear)]


def metadata_of(installation: Installation, asset: str, batch_id: str) -> dict[str, float]:
    """The figures of the newest materialisation."""
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[batch_id])
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        (record,) = instance.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization is not None
    shown = record.asset_materialization.metadata
    return {
        name: value.value
        for name, value in shown.items()
        if isinstance(value, dg.FloatMetadataValue) and value.value is not None
    }
