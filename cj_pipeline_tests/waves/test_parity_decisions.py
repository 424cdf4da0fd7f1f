"""Parity with the predecessor: the truth table of the decision (CJ-P32 to CJ-P47), and what it never does."""

import itertools
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.waves.coverage import Coverage
from cj_pipeline.waves.decision import Decision, TerminalLabel, WaveState, decide
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline.waves.stop_rules import Evidence
from cj_pipeline_tests.waves.parity_case import case

PER_REQUEST, BUNDLE, BATCH_API = LLMBatchingMode
SCORE, FAIL, MORE, WAIT = Decision
DELTA = WaveRules(rule=StopRule.MAX_DELTA)
SMALL = WaveRules(rule=StopRule.MAX_DELTA, small_net=5, small_net_passes=2)


def state(
    mode: LLMBatchingMode, n_essays: int, cap: int, answered: int, failed: int = 0, *,
    pairs: tuple[int, int] | None = None, passes: int = 0, change: float = inf, rules: WaveRules = DELTA,
    out: int = 0, signal: float = 9.0,
) -> WaveState:  # fmt: skip
    """The predecessor's notation: a cap, completed and failed comparisons, coverage as (possible, answered)."""
    possible, covered = pairs or (n_essays * (n_essays - 1) // 2, answered)
    return WaveState(
        mode, n_essays, max(0, cap - answered - failed - out), answered + failed + out, answered, failed,
        Coverage(possible, covered), passes, Evidence(0.9, 1.2, 8, 1, change, 0.9, signal, signal_verdicts=100), rules,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given_state", "decision", "label", "kind"),
    [
        case("CJ-P32", state(BUNDLE, 24, 10, 0, 10), FAIL, "failed_low_success", None),
        case("CJ-P33", state(BUNDLE, 24, 10, 2, 8), FAIL, "failed_low_success", None),
        case("CJ-P34", state(BUNDLE, 24, 10, 8, 2), SCORE, "budget_exhausted", None),
        case("CJ-P35", state(BUNDLE, 24, 100, 2, 8, change=0.0), MORE, None, "coverage"),
        case("CJ-P36", state(BUNDLE, 4, 6, 6), SCORE, "budget_exhausted", None),
        case("CJ-P37", state(BUNDLE, 4, 10, 4, change=0.2), MORE, None, "coverage"),
        case("CJ-P38", state(BATCH_API, 4, 6, 6, change=0.5), SCORE, "single_wave_complete", None),
        case("CJ-P39", state(BATCH_API, 4, 10, 4), SCORE, "single_wave_complete", None),
        case("CJ-P40", state(BUNDLE, 3, 100, 3, rules=SMALL), MORE, None, "resampling"),
        case(
            "CJ-P41", state(BUNDLE, 3, 100, 9, pairs=(3, 3), passes=2, rules=SMALL), SCORE, "coverage_exhausted", None
        ),
        case("CJ-P42", state(BUNDLE, 20, 200, 80, pairs=(80, 80)), MORE, None, "resampling"),
        case("CJ-P43", state(BUNDLE, 20, 200, 60, pairs=(80, 60)), MORE, None, "coverage"),
        case("CJ-P44", state(BUNDLE, 3, 100, 3, pairs=(3, 3), rules=SMALL), MORE, None, "resampling"),
        case("CJ-P46", state(BUNDLE, 4, 6, 5, out=1), WAIT, None, None),
        case("CJ-P47", state(BUNDLE, 1, 6, 0), SCORE, "insufficient_essays", None),
    ],
)
def test_the_decision_follows_from_where_the_batch_stands(
    given_state: WaveState, decision: Decision, label: str | None, kind: str | None
) -> None:
    """P39: there neither a wave nor an end, until a sweep; corrected by design §7, what is planned is all of it.

    P42 to P44: there coverage came from metadata that a query had to refresh; here it is counted from the judgments
    at each decision. P47: there a score of 0.0 for the sole essay; here it stays without one.
    """
    decided = decide(given_state)
    assert (decided.decision, decided.label, decided.wave_kind) == (decision, label, kind)
    assert decided.reason


@pytest.mark.parametrize("labels", [case("CJ-P45", list(TerminalLabel))])
def test_every_end_is_an_end(labels: list[TerminalLabel]) -> None:
    """There six terminal statuses, each to be finalised once. Here a decision with a label asks for nothing more.

    That it is written once is the ledger's part: `decisions` has one row per batch, revision and wave.
    """
    ends = {
        decide(state(mode, n_essays, cap, answered, failed, passes=passes, change=change, rules=rules, signal=signal))
        for mode, n_essays, cap, (answered, failed), passes, change, rules, signal in itertools.product(
            LLMBatchingMode,
            (1, 3, 24),
            (6, 12, 300),
            ((6, 0), (5, 1), (12, 0), (1, 11), (276, 0)),
            (0, 1, 4),
            (0.0, 1.0),
            (DELTA, WaveRules()),
            (0.0, 9.0),
        )
    }
    for decided in ends:
        assert decided.terminal == (decided.decision in {SCORE, FAIL})
        assert (decided.wave_kind is not None) == (decided.decision is MORE)
    assert {decided.label for decided in ends if decided.terminal} == set(labels)


COUNTS = st.integers(0, 400)


@given(
    mode=st.sampled_from(LLMBatchingMode), n_essays=st.integers(0, 40), budget_left=COUNTS, answered=COUNTS,
    failed=COUNTS, out=st.integers(0, 3), covered=COUNTS, unanswered=st.integers(0, 20), passes=st.integers(0, 5),
    mean_se=st.sampled_from([nan, 0.3, 0.9]), signal=st.sampled_from([nan, -1.0, 2.0, 9.0]),
    rule=st.sampled_from(StopRule),
)  # fmt: skip
def test_it_waits_only_for_outcomes_and_asks_only_for_pairs_that_there_are(
    mode: LLMBatchingMode, n_essays: int, budget_left: int, answered: int, failed: int, out: int, covered: int,
    unanswered: int, passes: int, mean_se: float, signal: float, rule: StopRule,
) -> None:  # fmt: skip
    possible = n_essays * (n_essays - 1) // 2
    covered = min(covered, possible, answered)
    coverage = Coverage(possible, covered, min(unanswered, possible - covered))
    evidence = Evidence(mean_se, mean_se, 7, 1, 0.01, 0.9, signal, signal_verdicts=30)
    rules = WaveRules(rule=rule)
    given_state = WaveState(
        mode, n_essays, budget_left, answered + failed + out, answered, failed, coverage, passes, evidence, rules
    )
    decided = decide(given_state)
    if decided.decision is WAIT:
        assert out
    if decided.wave_kind == "coverage" and given_state.planned:
        assert min(coverage.open, budget_left) > 0
        assert mode.iterative
    if decided.wave_kind == "resampling":
        assert min(coverage.answered, budget_left, rules.most_passes(n_essays) - passes) > 0
        assert mode.iterative
    if decided.label is TerminalLabel.STABLE:
        assert signal == 9.0
    if mode is BATCH_API and given_state.planned:
        assert decided.decision is not MORE
