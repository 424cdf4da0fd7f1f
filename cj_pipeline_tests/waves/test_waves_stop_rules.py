"""When a batch may stop before its budget, rule by rule, and what is recorded of a decision."""

import json
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pytest

from cj_pipeline.waves.budget import ComparisonBudget
from cj_pipeline.waves.coverage import Coverage
from cj_pipeline.waves.decision import Decided, WaveState, decide
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.processing_metadata import processing_metadata
from cj_pipeline.waves.quality import summarise
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline.waves.stop_rules import NO_EVIDENCE, Evidence, stop_reason

GOOD = Evidence(0.5, 0.7, 8, 1, 0.01, 0.9, 6.0, signal_verdicts=80)


def decided(evidence: Evidence, rule: StopRule = StopRule.MEAN_SE, **changes: int) -> Decided:
    counts = {"budget_left": 100, "planned": 96, "answered": 96, "failed": 0, **changes}
    return decide(
        WaveState(
            LLMBatchingMode.SERIAL_BUNDLE, 24, coverage=Coverage(276, 96), evidence=evidence,
            rules=WaveRules(rule=rule), **counts,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "spoilt"),
    [
        (StopRule.MEAN_SE, {"mean_se": 0.71}),
        (StopRule.MEAN_SE, {"mean_se": nan}),
        (StopRule.RELIABILITY, {"reliability": 0.84}),
        (StopRule.RELIABILITY, {"signal": 2.9}),
        (StopRule.MAX_DELTA, {"score_change": 0.026}),
        *((rule, {"min_degree": 5}) for rule in (StopRule.MEAN_SE, StopRule.RELIABILITY)),
        *((rule, {"components": 2}) for rule in (StopRule.MEAN_SE, StopRule.RELIABILITY)),
    ],
)
def test_a_rule_stops_at_its_target_and_not_a_step_before(rule: StopRule, spoilt: dict[str, Any]) -> None:
    assert decided(GOOD, rule).label == "stable"
    missed = decided(replace(GOOD, **spoilt), rule)
    assert (missed.label, missed.wave_kind) == (None, "coverage")


def test_the_rule_none_never_stops_and_no_rule_stops_on_too_few_answers_or_too_many_failures() -> None:
    assert decided(GOOD, StopRule.NONE).wave_kind == "coverage"
    assert stop_reason(GOOD, 11, WaveRules()) is None
    assert decided(GOOD, answered=70, failed=26).wave_kind == "coverage"


@pytest.mark.parametrize("weak", [{"signal": 2.9}, {"reliability": 0.29}, {"reliability": nan}])
def test_a_stop_is_a_success_only_with_a_signal_and_an_unclear_one_is_asked_for_more(weak: dict[str, Any]) -> None:
    unclear = replace(GOOD, **weak)
    assert decided(unclear).wave_kind == "coverage"
    ended = decided(unclear, budget_left=0)
    assert ended.label == "no_signal"
    assert "standard error" in ended.reason
    assert decided(replace(unclear, signal_verdicts=20), budget_left=0).label == "budget_exhausted"


@pytest.mark.parametrize("signal", [1.2, -2.0, nan])
def test_precise_scores_that_no_verdict_follows_are_not_asked_for_more(signal: float) -> None:
    assert decided(replace(GOOD, signal=signal)).label == "no_signal"


@pytest.mark.parametrize(
    ("evidence", "label"),
    [
        (replace(GOOD, mean_se=0.9), "budget_exhausted"),
        (replace(GOOD, mean_se=0.9, signal=2.0), "budget_exhausted"),
        (replace(GOOD, mean_se=0.9, signal=1.2), "no_signal"),
        (replace(GOOD, mean_se=0.9, signal=1.2, signal_verdicts=23), "budget_exhausted"),
        (replace(GOOD, mean_se=0.9, signal=1.2, min_degree=5), "budget_exhausted"),
        (NO_EVIDENCE, "budget_exhausted"),
    ],
)
def test_at_the_end_of_the_budget_a_judge_without_opinion_is_named_once_it_could_have_shown_one(
    evidence: Evidence, label: str
) -> None:
    assert decided(evidence, budget_left=0).label == label


def test_the_record_of_a_decision_is_json_and_says_mode_budget_waves_precision_and_end() -> None:
    state = WaveState(
        LLMBatchingMode.SERIAL_BUNDLE, 24, 12, 276, 270, 6, Coverage(276, 270, 1), 0, GOOD,
        WaveRules(rule=StopRule.NONE),
    )  # fmt: skip
    summary = summarise(np.array([0.5, 0.9, np.nan]), np.array([2, 3, 0]))
    recorded = processing_metadata(
        state,
        decide(state),
        ComparisonBudget(288, "runner_override"),
        wave=24,
        summary=summary,
        retries={"retry_attempts": 2},
    )
    assert json.loads(json.dumps(recorded, allow_nan=False)) == recorded
    assert recorded["llm_batching_mode"] == "serial_bundle"
    assert recorded["comparison_budget"] == {"max_pairs_requested": 288, "source": "runner_override"}
    assert (recorded["waves"], recorded["pairs_remaining"], recorded["resampling_pass_count"]) == (24, 12, 0)
    assert (recorded["successful_pairs_count"], recorded["max_possible_pairs"]) == (270, 276)
    assert recorded["bt_quality_flags"] == {
        "bt_se_inflated": True, "comparison_coverage_sparse": False, "has_isolated_items": True,
    }  # fmt: skip
    assert (recorded["decision"], recorded["wave_kind"], recorded["terminal_label"]) == (
        "request_more_comparisons", "coverage", None,
    )  # fmt: skip
    assert recorded["pool_statistics"] == {"retry_attempts": 2}


def test_what_is_not_known_yet_is_null() -> None:
    state = WaveState(LLMBatchingMode.PER_REQUEST, 24, 288, 0, 0, 0, Coverage(276, 0))
    recorded = processing_metadata(state, decide(state), ComparisonBudget(288, "service_default"), wave=0)
    assert {recorded[name] for name in ("last_score_change", "mean_se", "reliability", "bt_se_summary")} == {None}
    json.dumps(recorded, allow_nan=False)
