"""Parity with the predecessor: budget, mode, and what travels with a request (CJ-P01 to CJ-P14)."""

from typing import Any

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.jobs.schema import jobs
from cj_pipeline.judging import Question
from cj_pipeline.providers.openai_wire import request_body
from cj_pipeline.waves.budget import recorded_budget, resolve_budget
from cj_pipeline.waves.mode import LLMBatchingMode, bundle_size, effective_mode, mode_named, recorded_mode
from cj_pipeline.waves.rules import WaveRules
from cj_pipeline_tests.waves.parity_case import case

PER_REQUEST, BUNDLE, BATCH_API = LLMBatchingMode
ALLOWED = ("openai", "anthropic")


@pytest.mark.parametrize(
    ("configured", "override", "comparisons", "source"),
    [
        case("CJ-P01", 100, 50, 50, "runner_override"),
        case("CJ-P02", 100, 250, 100, "runner_override"),
        case("CJ-P03", 100, None, 100, "service_default"),
        case("CJ-P04", None, 200, 200, "runner_override"),
    ],
)
def test_an_override_can_only_lower_the_cap(
    configured: int | None, override: int | None, comparisons: int, source: str
) -> None:
    budget = resolve_budget(configured, override)
    assert (budget.comparisons, budget.source) == (comparisons, source)


@pytest.mark.parametrize("budgets", [case("CJ-P05", {120: 120, 75: 75, None: 150, 0: 150})])
def test_a_batch_goes_on_with_the_budget_it_began_with(budgets: dict[int | None, int]) -> None:
    assert {recorded: recorded_budget(recorded, 150) for recorded in budgets} == budgets


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


@pytest.mark.parametrize("recorded", [case("CJ-P10", "PROVIDER_BATCH_API")])
def test_a_batch_stays_in_the_mode_it_began_in(recorded: str) -> None:
    assert recorded_mode(recorded, BUNDLE) is BATCH_API
    assert recorded_mode(None, PER_REQUEST) is PER_REQUEST
    assert recorded_mode("bulk") is BUNDLE


@pytest.mark.parametrize(("comparisons", "in_flight"), [case("CJ-P11", 100, 64)])
def test_a_bundle_holds_64_calls_at_most(comparisons: int, in_flight: int) -> None:
    assert bundle_size(BUNDLE, comparisons) == in_flight
    assert bundle_size(BUNDLE, 5) == 5
    assert bundle_size(PER_REQUEST, comparisons) == 1


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
