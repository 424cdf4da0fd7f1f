"""The scrape of a batch that goes in waves, from folder to end, through the bundles of synchronous calls."""

import json
import os
import subprocess

import pytest
import sqlalchemy as sa

from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.schema import decisions
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.metrics.scraping import CJ, scraped_once

pytestmark = pytest.mark.heavy


def test_a_batch_in_waves_is_scraped_as_it_was_decided(installation: Installation) -> None:
    manifest = small_batch(installation.batches / "waves", essays=4, max_comparisons=6) / "batch.toml"
    mode = "serial_bundle"
    manifest.write_text(manifest.read_text("utf-8").replace("[batch]\n", f'[batch]\nmode = "{mode}"\n'), "utf-8")
    environment = {**os.environ, **installation.environment}
    subprocess.run([CJ, "run", "waves"], cwd=installation.folder, env=environment, check=True, capture_output=True)
    seen = scraped_once(installation)
    jobs = jobs_of(installation.deployment.ledger, "waves")
    with installation.deployment.ledger.reading() as connection:
        rows = connection.execute(sa.select(decisions).order_by(decisions.c.wave)).all()
    noted = [json.loads(row.processing_metadata) for row in rows]

    items = sum(job.items for job in jobs)
    assert items == 6
    assert seen.value("cj_llm_requests_total", batching_mode=mode) == items
    assert seen.value("cj_llm_batches_started_total", batching_mode=mode) == 1
    labels = {"queue_processing_mode": mode, "result": "success"}
    assert seen.value("llm_provider_comparison_callbacks_total", **labels) == items
    assert seen.value("llm_provider_queue_wait_time_seconds_count", **labels) == items
    assert seen.total("llm_provider_serial_bundle_calls_total") == len(jobs)
    assert seen.total("llm_provider_serial_bundle_items_per_call_count") == len(jobs)
    assert seen.total("llm_provider_serial_bundle_items_per_call_sum") == items
    assert seen.total("llm_provider_serial_bundle_items_per_call_bucket", le="64.0") == len(jobs)
    assert seen.total("llm_provider_batch_api_jobs_total") == 0
    assert seen.total("llm_provider_response_duration_seconds_count") == items
    assert seen.total("cj_assessment_llm_api_calls_total", status="queued") == items
    assert seen.total("llm_provider_concurrent_requests") == 0

    for decision in ("finalize_scoring", "request_more_comparisons", "finalize_failure"):
        taken = sum(row.decision == decision for row in rows)
        assert seen.value("cj_workflow_decisions_total", decision=decision) == taken
    assert seen.value("cj_pipeline_batches_ended_total", label=rows[-1].label) == 1
    assert seen.value("cj_bt_se_inflated_batches_total") == noted[-1]["bt_quality_flags"]["bt_se_inflated"]
    assert seen.value("cj_iterations_per_batch_sum") == len(rows)
    changes = [note["last_score_change"] for note in noted if note["last_score_change"] is not None]
    assert seen.value("cj_score_stability_changes_count") == len(changes)
    assert seen.value("cj_score_stability_changes_sum") == pytest.approx(sum(changes))
    assert seen.value("cj_batch_state", state="completed") == 1
