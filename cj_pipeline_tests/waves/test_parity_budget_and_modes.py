"""Parity with the predecessor: budget, mode, and what travels with a request (CJ-P01 to CJ-P14)."""

from pathlib import Path
from typing import Any

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import RevisionChanged
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.plan import batch_mode, comparison_budget, open_wave, plan_jobs
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import jobs
from cj_pipeline.judging import Question
from cj_pipeline.providers.openai_wire import request_body
from cj_pipeline.waves.budget import ComparisonBudget
from cj_pipeline.waves.mode import LLMBatchingMode, effective_mode, mode_named
from cj_pipeline.waves.rules import WaveRules
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.waves.in_waves import batch_in, batch_of, judged_wave
from cj_pipeline_tests.waves.parity_case import case

PER_REQUEST, BUNDLE, BATCH_API = LLMBatchingMode
ALLOWED = ("openai", "anthropic")


@pytest.mark.parametrize(
    ("cap", "pairs", "source"),
    [
        case("CJ-P01", 50, 50, "runner_override"),
        case("CJ-P02", 250, 250, "runner_override"),
        case("CJ-P03", None, 7 * 24, "service_default"),
        case("CJ-P04", 200, 200, "runner_override"),
    ],
)
def test_a_batch_has_one_cap_on_comparisons_its_own(tmp_path: Path, cap: int | None, pairs: int, source: Any) -> None:
    """There a cap of 100 stood above it in the service's settings, and was the default, too (P02, P03).

    Corrected by design §6: what bounds a batch from above is money, reserved before each job; the default is 7
    comparisons per essay.
    """
    assert comparison_budget(batch_of(tmp_path / "batch", BUNDLE, 24, cap)) == ComparisonBudget(pairs, source)


@pytest.mark.parametrize("caps", [case("CJ-P05", [120, 75])])
def test_a_batch_goes_on_with_the_budget_it_began_with(installation: Installation, caps: list[int]) -> None:
    """There it was recorded, and what had none (or 0) went on with the setting.

    Corrected by design §6: the cap is part of what was bought; another one is refused, and so is 0.
    """
    deployment = installation.deployment
    for cap in caps:
        folder = batch_in(installation.batches / f"cap-{cap}", BUNDLE, essays=6, cap=cap)
        judged_wave(deployment, folder.name)
        manifest = folder / "batch.toml"
        manifest.write_text(manifest.read_text("utf-8").replace(f"= {cap}", "= 150"), "utf-8")
        with pytest.raises(RevisionChanged, match="after judgments were bought"):
            open_revision(deployment.ledger, deployment.batch(folder.name))


@pytest.mark.parametrize(
    ("setting", "override", "provider", "allowed", "mode"),
    [
        case("CJ-P06", BUNDLE, PER_REQUEST, "openai", ALLOWED, PER_REQUEST),
        case("CJ-P07", BUNDLE, BATCH_API, "google", ALLOWED, BUNDLE),
        case("CJ-P08", BATCH_API, None, "google", ALLOWED, BUNDLE),
        case("CJ-P09", BATCH_API, None, "anything", (), BATCH_API),
    ],
)
def test_a_batch_runs_in_its_own_mode_where_its_provider_can(
    setting: LLMBatchingMode,
    override: LLMBatchingMode | None,
    provider: str,
    allowed: tuple[str, ...],
    mode: LLMBatchingMode,
) -> None:
    assert effective_mode(setting, override, providers=[provider], allowed=allowed) is mode


def test_one_provider_of_a_panel_that_is_not_allowed_is_enough_and_the_setting_takes_over() -> None:
    assert effective_mode(PER_REQUEST, BATCH_API, providers=["OpenAI", "google"], allowed=ALLOWED) is PER_REQUEST
    assert effective_mode(PER_REQUEST, BATCH_API, providers=["OpenAI", "anthropic"], allowed=ALLOWED) is BATCH_API


@pytest.mark.parametrize(("began_in", "setting"), [case("CJ-P10", BATCH_API, BUNDLE), (BUNDLE, BATCH_API)])
def test_a_batch_that_names_no_mode_stays_in_the_one_it_began_in(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, began_in: LLMBatchingMode, setting: LLMBatchingMode
) -> None:
    for name in ("begun", "new"):
        small_batch(installation.batches / name)
    monkeypatch.setenv("CJ_LLM_BATCHING_MODE", began_in)
    deployment = installation.deployment
    planned = open_revision(deployment.ledger, deployment.batch("begun"))
    open_wave(deployment.ledger, deployment.store, deployment.batch("begun"))
    monkeypatch.setenv("CJ_LLM_BATCHING_MODE", setting)
    later = installation.deployment
    assert (batch_mode(later.batch("begun")), batch_mode(later.batch("new"))) == (began_in, setting)
    assert open_revision(later.ledger, later.batch("begun")) == planned


@pytest.mark.parametrize(("comparisons", "bundles"), [case("CJ-P11", 100, [64, 36])])
def test_a_bundle_holds_64_calls_at_most(installation: Installation, comparisons: int, bundles: list[int]) -> None:
    """One by one they go in jobs as large, of which fewer calls are on their way at once."""
    deployment = installation.deployment
    for mode, at_once in ((BUNDLE, 64), (PER_REQUEST, deployment.settings.call_slots)):
        folder = batch_in(installation.batches / mode.replace("_", "-"), mode, essays=2 * comparisons, cap=comparisons)
        batch = deployment.batch(folder.name)
        open_revision(deployment.ledger, batch)
        pairs = open_wave(deployment.ledger, deployment.store, batch)
        plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)
        planned = jobs_of(deployment.ledger, folder.name)
        assert sorted((job.items for job in planned), reverse=True) == bundles
        assert {job.slots for job in planned} == {at_once}


@pytest.mark.parametrize("kept", [case("CJ-P12", {"batch_id", "wave", "attempt", "judge_id"})])
def test_bookkeeping_stays_in_the_ledger_and_out_of_the_request(kept: set[str]) -> None:
    """There, hints could be switched on and travel with each request. Here none does, whatever the mode.

    Corrected by design §6.7: batch, wave and attempt are columns of the job; a provider sees a question.
    """
    judge = JudgeSection(id="j", provider="openai", model="m")
    body: dict[str, Any] = request_body(judge, Question("Write.", "Clarity.", "0" * 16), "One.", "Two.")
    assert set(body) == {"model", "messages", "max_completion_tokens", "response_format"}
    assert kept <= set(jobs.columns.keys())


@pytest.mark.parametrize(
    "hints", [case("CJ-P13", {" Provider_Batch_API ": BATCH_API, "bulk": None, "": None, None: None})]
)
def test_a_mode_is_named_with_blanks_and_letter_case_forgiven(hints: dict[str | None, LLMBatchingMode | None]) -> None:
    assert {hint: mode_named(hint) for hint in hints} == hints


@pytest.mark.parametrize(
    "out_of_bounds",
    [
        case(
            "CJ-P14",
            [
                {"retry_size": 0},
                {"min_success_rate": 1.4},
                {"max_attempts": 0},
                {"at_random_share": 1.5},
                {"max_delta": -1},
            ],
        )
    ],
)
def test_a_threshold_out_of_bounds_is_refused_by_name(out_of_bounds: list[dict[str, Any]]) -> None:
    """There batch_size 5 and 300, a threshold of .4 and max_concurrent 6 were refused.

    Corrected by design §6: how many go into a job is the provider's limit, and not a number to set per batch; the
    thresholds that are left are checked, and a success rate of .4 is a person's to choose in `[checks]`.
    """
    for wrong in out_of_bounds:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            WaveRules(**wrong)
