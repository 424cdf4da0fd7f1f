"""Parity with the predecessor: stability, scores, standard errors, quality flags (CJ-P75 to CJ-P87)."""

from itertools import combinations, pairwise
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import fit_choix_ilsr
from cj_pipeline.waves.coverage import Coverage
from cj_pipeline.waves.decision import Decision, TerminalLabel, WaveState, decide
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.quality import SeSummary, summarise
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline.waves.stop_rules import Evidence, score_change
from cj_pipeline_tests.waves.parity_case import case

SCORE, FAIL, MORE, WAIT = Decision
LARGEST_SE = 2.0


def full_order(n_essays: int) -> list[tuple[int, int]]:
    """Every essay beats all after it, winner first."""
    return list(combinations(range(n_essays), 2))


def scores_of(wins: list[tuple[int, int]], n_essays: int) -> FloatArray:
    return fit_choix_ilsr([win for win, _ in wins], [lost for _, lost in wins], [1] * len(wins), n_essays).scores


def predecessor_errors(scores: ArrayLike, wins: list[tuple[int, int]], reference: int | None = None) -> FloatArray:
    """The predecessor's standard errors at given scores, (n,): of the difference from a reference essay, at most 2.

    .5 for all without comparisons, 0 for fewer than two essays. A reference, as what each essay is held against.
    """
    theta = np.asarray(scores, dtype=np.float64)
    if theta.size < 2:
        return np.zeros(theta.size)
    if not wins:
        return np.full(theta.size, 0.5)
    information = np.zeros((theta.size, theta.size))
    for winner, loser in wins:
        margin = theta[winner] - theta[loser]
        weight = 0.0 if abs(margin) > 10 else float(expit(margin) * expit(-margin))
        information[[winner, loser], [winner, loser]] += weight
        information[[winner, loser], [loser, winner]] -= weight
    others = np.delete(np.arange(theta.size), theta.size - 1 if reference is None else reference)
    variances = np.diag(np.linalg.pinv(information[np.ix_(others, others)], rcond=1e-10))
    errors = np.zeros(theta.size)
    errors[others] = np.minimum(np.sqrt(np.maximum(variances, 0)), LARGEST_SE)
    return errors


@pytest.mark.parametrize(
    "changes",
    [
        case("CJ-P75", [({"a": 0.3, "b": -0.3}, {"a": 0.3, "b": -0.3}, 0.0)]),
        case(
            "CJ-P76",
            [
                ({"a": 0.52, "b": -0.52}, {"a": 0.5, "b": -0.5}, 0.02),
                ({"a": 1.5, "b": -1.5}, {"a": 0.5, "b": -0.5}, 1.0),
            ],
        ),
        case("CJ-P77", [({"a": 1.0}, None, inf), ({"a": 1.0}, {}, inf)]),
    ],
)
def test_stability_is_the_largest_change_of_a_score(
    changes: list[tuple[dict[str, float], dict[str, float] | None, float]],
) -> None:
    for current, previous, change in changes:
        assert score_change(current, previous) == pytest.approx(change)


def after(answered: int, failed: int, change: float, **rules: Any) -> WaveState:
    """A batch of 24 essays under the predecessor's stop rule, by name."""
    evidence = Evidence(nan, nan, 1, 1, change, reliability=0.9, signal=9.0, signal_verdicts=answered)
    return WaveState(
        LLMBatchingMode.SERIAL_BUNDLE, 24, 200, answered + failed, answered, failed, Coverage(276, answered),
        evidence=evidence, rules=WaveRules(rule=StopRule.MAX_DELTA, **rules),
    )  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        case("CJ-P78", [(11, 0, 0.0, False), (12, 0, 0.025, True), (12, 3, 0.025, True), (12, 0, 0.026, False)]),
        case("CJ-P79", [(11, 4, 0.0, False), (14, 5, 0.0, False)]),
    ],
)
def test_a_batch_is_stable_after_twelve_answers_that_moved_nothing(
    rows: list[tuple[int, int, float, bool]],
) -> None:
    """There failed answers counted towards the twelve. Corrected: they say nothing about any score."""
    for answered, failed, change, stable in rows:
        assert (decide(after(answered, failed, change)).label is TerminalLabel.STABLE) is stable


@pytest.mark.parametrize(("rounds", "change"), [case("CJ-P80", 2, 0.983)])
def test_the_predecessors_harness_stops_where_it_did(rounds: int, change: float) -> None:
    """Case A: 4 essays, 6 pairs a wave, threshold 10: stable after two waves. Case B: 3 pairs a wave, never checked,
    and an end after 9 comparisons; there by a limit on iterations, here by the budget (design §7: no such limit).
    """
    waves = [scores_of(full_order(4) * number, 4) for number in range(1, rounds + 1)]
    moved = float(np.abs(waves[1] - waves[0]).max())
    assert moved == pytest.approx(change, abs=1e-3)
    assert decide(after(6, 0, inf, max_delta=10, min_comparisons=6)).decision is MORE
    assert decide(after(12, 0, moved, max_delta=10, min_comparisons=6)).label is TerminalLabel.STABLE
    spent = WaveState(
        LLMBatchingMode.SERIAL_BUNDLE, 4, 0, 9, 9, 0, Coverage(6, 6), 1,
        rules=WaveRules(rule=StopRule.MAX_DELTA, max_delta=10, min_comparisons=1_000),
    )  # fmt: skip
    assert decide(spent).label is TerminalLabel.BUDGET_EXHAUSTED


FOUR, FIVE = full_order(4), full_order(5)
TABLE: list[tuple[str, list[tuple[int, int]], int, int | None, list[float], list[float] | None]] = [
    ("2 items, 0>1", [(0, 1)], 2, None, [1.965913, -1.965913], [2, 0]),
    ("2 items 1-1", [(0, 1), (1, 0)], 2, None, [0, 0], [1.414214, 0]),
    ("2 items 2-1", [(0, 1)] * 2 + [(1, 0)], 2, None, [0.341647, -0.341647], [1.222749, 0]),
    ("2 items 3-1", [(0, 1)] * 3 + [(1, 0)], 2, None, [0.542727, -0.542727], [1.150927, 0]),
    ("2 items 5-1", [(0, 1)] * 5 + [(1, 0)], 2, None, [0.796814, -0.796814], [1.089706, 0]),
    ("3 circular", [(0, 1), (1, 2), (2, 0)], 3, None, [0, 0, 0], [1.632993, 1.632993, 0]),
    ("3 circular, anchor 0", [(0, 1), (1, 2), (2, 0)], 3, 0, [0, 0, 0], [0, 1.632993, 1.632993]),
    ("3 full order", full_order(3), 3, None, [3.096052, 0.221449, -3.317501], [2, 2, 0]),
    ("3 items, only 0>1", [(0, 1)], 3, None, [1.400185, -2.135932, 0.735748], None),
    ("3 items, 2 isolated", [(0, 1), (1, 0)], 3, None, [0, 0, 0], [0.707107, 0.707107, 0]),
    ("3 chain ties", [(0, 1), (1, 0), (1, 2), (2, 1)], 3, None, [0, 0, 0], [2, 1.414214, 0]),
    ("3 both ways", full_order(3) + [(b, a) for a, b in full_order(3)], 3, None, [0] * 3, [1.154701, 1.154701, 0]),
    ("4 full order", FOUR, 4, None, [3.808503, 1.562342, -1.054058, -4.316787], [2, 2, 2, 0]),
    ("4 full order, anchors 0 and 2", FOUR, 4, 2, [3.808503, 1.562342, -1.054058, -4.316787], [2, 2, 0, 2]),
    ("4 twice", FOUR * 2, 4, None, [4.771118, 1.895563, -1.366747, -5.299933], [2, 2, 2, 0]),
    (
        "4 twice, 2-3 split",
        FOUR + FOUR[:-1] + [(3, 2)],
        4,
        None,
        [4.132656, 1.257756, -2.695206, -2.695206],
        [2, 2, 1.387335, 0],
    ),
    (
        "4, 3>0",
        [win for win in FOUR if win != (0, 3)] + [(3, 0)],
        4,
        None,
        [0.523984, 0.523984, -0.523984, -0.523984],
        [1.559261, 1.559261, 1.503776, 0],
    ),
    (
        "4 plus 3>0",
        [*FOUR, (3, 0)],
        4,
        None,
        [0.749088, 0.5466, -0.541181, -0.754507],
        [1.411772, 1.56117, 1.495679, 0],
    ),
    ("4 disconnected", [(0, 1), (2, 3)], 4, None, [1.629048, -1.629048, 1.629048, -1.629048], [2, 2, 2, 0]),
    ("4, 0 beats the rest", [(0, 1), (0, 2), (0, 3)], 4, None, [2.49215] + [-0.830717] * 3, None),
    ("5, 0 beats the rest", [(0, k) for k in range(1, 5)], 5, None, [2.52402] + [-0.631005] * 4, [2, 2, 2, 2, 0]),
    ("5 full order", FIVE, 5, None, [4.277655, 2.456317, 0.383895, -2.033328, -5.08454], [2, 2, 2, 2, 0]),
    ("5 x2", FIVE * 2, 5, None, [5.495052, 3.086735, 0.411778, -2.638976, -6.354589], None),
    ("5 x3", FIVE * 3, 5, None, [6.24984, 3.472026, 0.421334, -3.015678, -7.127523], None),
    ("5 x4", FIVE * 4, 5, None, [6.797604, 3.749958, 0.426052, -3.289299, -7.684314], None),
    (
        "6 full order, anchors 1 and 4",
        full_order(6),
        6,
        4,
        [4.598556, 3.08105, 1.373887, -0.551716, -2.810589, -5.691187],
        [2, 2, 2, 2, 0, 2],
    ),
]


@pytest.mark.parametrize("rows", [case("CJ-P81", TABLE)])
def test_scores_and_errors_are_the_predecessors_in_every_row_of_its_table(
    rows: list[tuple[str, list[tuple[int, int]], int, int | None, list[float], list[float] | None]],
) -> None:
    for name, wins, n_essays, reference, scores, errors in rows:
        won, lost = [winner for winner, _ in wins], [loser for _, loser in wins]
        fit = fit_choix_ilsr(won, lost, [1] * len(wins), n_essays, reference=reference)
        assert fit.scores == pytest.approx(scores, abs=1e-5), name
        assert fit.standard_errors == pytest.approx(predecessor_errors(fit.scores, wins, reference), abs=1e-9), name
        if errors is not None:
            assert fit.standard_errors == pytest.approx(errors, abs=1e-5), name


@pytest.mark.parametrize("rows", [case("CJ-P82", [(16, [5, 10, 15], 15), (8, [7], 7), (3, [0, 1, 2], 2), (10, [], 9)])])
def test_only_the_reference_essay_has_no_error(rows: list[tuple[int, list[int], int]]) -> None:
    """There the last anchor, else the last essay. In the product no essay has an error of zero (statistics)."""
    for n_essays, anchors, reference in rows:
        chain = [(essay, essay + 1) for essay in range(n_essays - 1)]
        errors = predecessor_errors(np.linspace(-1, 1, n_essays), chain, anchors[-1] if anchors else None)
        assert np.flatnonzero(errors == 0).tolist() == [reference]


@pytest.mark.parametrize("errors", [case("CJ-P83", ([0.0], [0.5, 0.5, 0.5]))])
def test_without_comparisons_errors_are_a_constant(errors: tuple[list[float], list[float]]) -> None:
    """There. In the product an essay without comparisons has neither score nor error, and a reason."""
    assert predecessor_errors([0.0], []).tolist() == errors[0]
    assert predecessor_errors([0.0, 0.0, 0.0], []).tolist() == errors[1]
    known = summarise(np.full(3, np.nan), np.zeros(3, dtype=np.int64))
    assert (known.isolated_items, known.comparison_count) == (3, 0)


@pytest.mark.parametrize("largest", [case("CJ-P84", 2.0)])
def test_errors_there_end_at_two(largest: float) -> None:
    """A variance of 100 is that of one comparison at a margin of 4.585 logits: sqrt(1 / p(1-p)) = 10."""
    margin = float(np.log((0.5 + np.sqrt(0.25 - 0.01)) / (0.5 - np.sqrt(0.25 - 0.01))))
    weight = float(expit(margin) * expit(-margin))
    assert 1 / weight == pytest.approx(100)
    assert predecessor_errors([margin, 0.0], [(0, 1)]).tolist() == [largest, 0.0]


@pytest.mark.parametrize("failed", [case("CJ-P85", 12)])
def test_without_one_verdict_there_are_no_scores_and_the_batch_fails(failed: int) -> None:
    """There CJ_INSUFFICIENT_COMPARISONS, and on one path a batch that hung for ever."""
    with pytest.raises(ValueError, match="at least one decided comparison"):
        fit_choix_ilsr([], [], [], 3)
    state = WaveState(LLMBatchingMode.SERIAL_BUNDLE, 24, 0, failed, 0, failed, Coverage(276, 0))
    assert decide(state).label is TerminalLabel.FAILED_LOW_SUCCESS


def summary(mean_se: float = 0.2, max_se: float = 0.3, comparisons: float = 2.0, isolated: int = 0) -> SeSummary:
    return SeSummary(mean_se, max_se, 0.0, 24, 24, isolated, comparisons, 1, 3)


@pytest.mark.parametrize(
    "rows",
    [
        case(
            "CJ-P86",
            [
                (summary(), (False, False, False)),
                (summary(mean_se=0.5, max_se=0.9), (True, False, False)),
                (summary(comparisons=0.5), (False, True, False)),
                (summary(isolated=2), (False, False, True)),
            ],
        )
    ],
)
def test_quality_flags_are_raised_above_their_limits(rows: list[tuple[SeSummary, tuple[bool, bool, bool]]]) -> None:
    for found, flags in rows:
        assert tuple(found.flags().values()) == flags
    assert not any(summary(mean_se=0.4, max_se=0.8, comparisons=1.0).flags().values())


@pytest.mark.parametrize("changes", [case("CJ-P87", [1.270, 0.773, 0.557, 0.435])])
def test_a_judge_that_never_contradicts_itself_is_never_stable_by_change(changes: list[float]) -> None:
    """Why `max_delta` is not the default: scores of a perfectly consistent judge move on with every repetition."""
    scores = [scores_of(FIVE * times, 5) for times in range(1, 6)]
    moved = [float(np.abs(later - earlier).max()) for earlier, later in pairwise(scores)]
    assert moved == pytest.approx(changes, abs=1e-3)
    assert min(moved) > WaveRules().max_delta
