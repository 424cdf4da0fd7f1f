"""What is kept of a batch's way: its mode, its waves, each decided on once, and what failed asked again at the end."""

from collections import Counter
from pathlib import Path

import pytest

from cj_pipeline.continuation import Step, continue_batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import BatchError
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.plan import batch_mode, budget_of, estimate_wave, open_wave, pairs_within_budget
from cj_pipeline.jobs.recorded_waves import decisions_of, record_decision, waves_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.providers import Transport, job_price
from cj_pipeline.scoring.findings import signal_finding
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import paid_batch
from cj_pipeline_tests.waves.in_waves import NO_RULE, batch_in, judged_wave, to_its_end


def test_a_decision_is_taken_once_whoever_comes_second(installation: Installation) -> None:
    batch_in(installation.batches / "twice", "serial_bundle", essays=6, cap=15, extra=NO_RULE)
    deployment = installation.deployment
    judged_wave(deployment, "twice")
    assert continue_batch(deployment, "twice") is Step.NEXT_WAVE
    revision = deployment.ledger.provenance("twice").revision
    (decided,) = decisions_of(deployment.ledger, "twice", revision)
    before = deployment.ledger.provenance("twice")
    assert not record_decision(deployment.ledger, "twice", revision, decided, {"batch_id": "twice"})
    assert len(waves_of(deployment.ledger, "twice", revision)) == 2
    assert deployment.ledger.provenance("twice") == before


def test_materialising_pairs_again_never_makes_a_wave(installation: Installation) -> None:
    batch_in(installation.batches / "again", "serial_bundle", essays=6, cap=15)
    deployment = installation.deployment
    batch = deployment.batch("again")
    open_revision(deployment.ledger, batch)
    first = open_wave(deployment.ledger, deployment.store, batch)
    assert first.num_rows == 3
    assert open_wave(deployment.ledger, deployment.store, batch).equals(first)


def test_every_decision_keeps_what_it_stood_on(installation: Installation) -> None:
    batch_in(installation.batches / "kept", "per_request", essays=4, cap=8, extra=NO_RULE)
    deployment = installation.deployment
    assert to_its_end(deployment, "kept") == "budget_exhausted"
    decided = decisions_of(deployment.ledger, "kept", deployment.ledger.provenance("kept").revision)
    last = decided[-1].processing_metadata
    assert last["llm_batching_mode"] == "per_request"
    assert last["comparison_budget"] == {"max_pairs_requested": 8, "source": "runner_override"}
    assert (last["completed_comparisons"], last["pairs_remaining"], last["resampling_pass_count"]) == (8, 0, 1)
    assert (last["terminal_label"], last["decision"]) == ("budget_exhausted", "finalize_scoring")
    assert decided[0].processing_metadata["last_score_change"] is None
    assert {job.transport for job in jobs_of(deployment.ledger, "kept")} == {Transport.CALLS}


def test_what_failed_is_asked_again_before_the_batch_ends_and_not_before(installation: Installation) -> None:
    batch_in(
        installation.batches / "cut", "serial_bundle", essays=6, cap=15, model="latent:truncated=0.4",
        extra=NO_RULE + "[checks]\nmin_success_rate = 0.0\n",
    )  # fmt: skip
    deployment = installation.deployment
    to_its_end(deployment, "cut")
    jobs = jobs_of(deployment.ledger, "cut")
    again = [job for job in jobs if job.attempt > 1]
    assert again
    assert min(job.planned_at for job in again) > max(job.planned_at for job in jobs if job.attempt == 1)
    judgments = deployment.read_table("judgments", "cut").to_pylist()
    assert max(Counter(row["pair_id"] for row in judgments).values()) == 1
    assert all(row["attempt"] == 2 for row in judgments if row["error_code"] == "truncated")


def test_what_failed_is_asked_again_within_the_batch_once_enough_has_gathered(installation: Installation) -> None:
    batch_in(
        installation.batches / "soon", "serial_bundle", essays=8, cap=28, model="latent:truncated=0.4",
        extra=NO_RULE + "retry_threshold = 2\nretry_size = 1\n[checks]\nmin_success_rate = 0.0\n",
    )  # fmt: skip
    deployment = installation.deployment
    to_its_end(deployment, "soon")
    jobs = sorted(jobs_of(deployment.ledger, "soon"), key=lambda job: job.planned_at)
    again = [place for place, job in enumerate(jobs) if job.attempt > 1]
    last_wave = max(place for place, job in enumerate(jobs) if job.attempt == 1)
    within = [jobs[place] for place in again if place < last_wave]
    assert within
    assert {job.items for job in within} == {1}


def asked_of_each_pair(deployment: Deployment, batch_id: str) -> dict[frozenset[str], str | None]:
    """What came of every unordered pair, each time it was put to the judge; once each, or the test has failed."""
    rows = deployment.read_table("judgments", batch_id).to_pylist()
    met = [frozenset((row["essay_a"], row["essay_b"])) for row in rows]
    assert max(Counter(met).values()) == 1
    return {pair: row["error_code"] for pair, row in zip(met, rows, strict=True)}


def test_a_refusal_closes_its_pair_for_all_waves(installation: Installation) -> None:
    """Asked until another answer comes, the answers would be a selection, and each asking is paid for."""
    batch_in(
        installation.batches / "refused", "serial_bundle", essays=6, cap=45, model="latent:refusal=0.4",
        extra="[stopping]\nrule = \"none\"\nregular_passes = 0\n[checks]\nmin_success_rate = 0.0\n",
    )  # fmt: skip
    deployment = installation.deployment
    to_its_end(deployment, "refused")
    came = asked_of_each_pair(deployment, "refused")
    assert len(came) == 15
    assert set(came.values()) == {None, "refused"}
    assert installation.bill()["requests_seen"] == 15


@pytest.mark.parametrize(("on_unknown", "asked"), [("hold", 15), ("resubmit", 16)])
def test_a_pair_in_doubt_is_asked_again_only_where_the_manifest_says_so(
    installation: Installation, on_unknown: str, asked: int
) -> None:
    batch_in(
        installation.batches / "doubt", "per_request", essays=6, cap=15,
        extra=f'{NO_RULE}[spending]\non_unknown = "{on_unknown}"\n',
    )  # fmt: skip
    deployment = installation.deployment
    installation.arm("sync_dropped_after_billing")
    to_its_end(deployment, "doubt")
    assert installation.bill()["requests_seen"] == asked
    came = asked_of_each_pair(deployment, "doubt")
    assert len(came) == 15
    assert list(came.values()).count("uncertain") == 16 - asked


def test_the_allow_list_sends_other_providers_to_calls_and_says_so_where_that_cannot_be(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "listed", extra="[pairing]\naudit_share = 0.1\n")
    batch_in(installation.batches / "other", "provider_batch_api", essays=4, cap=6)
    monkeypatch.setenv("CJ_LLM_BATCH_API_ALLOWED_PROVIDERS", "OpenAI, anthropic")
    assert batch_mode(installation.deployment.batch("other")) is LLMBatchingMode.SERIAL_BUNDLE
    assert batch_mode(installation.deployment.batch("listed")) is LLMBatchingMode.PROVIDER_BATCH_API
    batch_in(
        installation.batches / "both", "provider_batch_api", essays=4, cap=6, extra="[pairing]\naudit_share = 0.1\n"
    )
    with pytest.raises(BatchError, match="CJ_LLM_BATCH_API_ALLOWED_PROVIDERS"):
        installation.deployment.batch("both")


def test_a_list_of_pairs_is_no_wave_of_many(installation: Installation, tmp_path: Path) -> None:
    folder = batch_in(installation.batches / "list", "serial_bundle", essays=4, cap=6)
    (folder / "pairs.csv").write_text("essay_a,essay_b\ne00,e01\n", "utf-8")
    with pytest.raises(BatchError, match="mode = serial_bundle"):
        installation.deployment.batch("list")


def test_the_estimate_covers_the_whole_budget_at_the_price_of_calls(installation: Installation) -> None:
    folder = paid_batch(installation, "dear", essays=5, max_comparisons=40)
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("[batch]\n", '[batch]\nmode = "serial_bundle"\n'), "utf-8")
    deployment = installation.deployment
    batch = deployment.batch("dear")
    pairs = pairs_within_budget(batch)
    assert pairs.num_rows == budget_of(batch).pairs == 40
    said = estimate_wave(deployment.ledger, batch, pairs)["judge"]
    assert said.comparisons == 40
    calls, batches = (job_price("openai", "latent", transport) for transport in (Transport.CALLS, Transport.BATCH))
    assert calls.input_nano_per_million >= batches.input_nano_per_million


def test_a_batch_that_ended_without_signal_withholds_its_grades() -> None:
    silent, sure = ({"terminal_label": label} for label in ("no_signal", "stable"))
    assert signal_finding(silent).stops_grades
    assert not signal_finding(sure).stops_grades
