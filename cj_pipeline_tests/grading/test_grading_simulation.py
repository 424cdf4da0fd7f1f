"""Grades of simulated batches with known truth: accuracy, ranges, fairness, re-reading and the anchor gate.

A fixed part of what `make validity` simulates: an exam's batch of 12 anchors on nine grades, 25 pupils, 14
comparisons per essay, pupils' spread 1.5 logits; grades equally wide, skewed, a fifth of the anchors one grade off,
or judged 2.5 times as sharply. Bounds leave room for the error of 200 batches where they are not promises.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.validity.batches import Design
from benchmarks.validity.figures import Graded, slope_ratio
from benchmarks.validity.judges import COIN, JUDGES, NOISY, ORDINARY, PERFECT, SHARP, UNRELATED, Judge, Worth
from benchmarks.validity.page import BEST_SCORES
from benchmarks.validity.runs import CASES, EXAM, anchor_gate_of, drift_alarms, gates_of, graded, reliability_of, seeds

pytestmark = pytest.mark.heavy

BATCHES = 200
# Of our score to the one with the true cuts. Skewed: what the best published simulation has itself, .612 to .522
# (600 batches of ours: 1.130, standard error .006); the others leave three standard errors of 200 batches.
NEAR_THE_TRUE_CUTS = {"equal": 1.12, "skewed": 1.17, "mislabelled": 1.12, "sharp": 1.12}


@pytest.fixture(scope="module", params=list(BEST_SCORES))
def simulated(request: pytest.FixtureRequest) -> tuple[str, list[Graded]]:
    return request.param, [graded(*CASES[request.param], seed) for seed in seeds(BATCHES)]


def test_grades_are_nearly_as_good_as_with_known_cuts(simulated: tuple[str, list[Graded]]) -> None:
    """Ranked probability score at most that of the best published simulation, and near that of the true cuts."""
    name, batches = simulated
    sharpness = CASES[name][1].sharpness
    ours, oracle = (np.mean([score(one) for one in batches]) for score in (
        Graded.score, lambda one: one.oracle_score(sharpness)
    ))  # fmt: skip
    assert ours <= BEST_SCORES[name]
    assert ours / oracle < NEAR_THE_TRUE_CUTS[name]


def test_eighty_per_cent_ranges_hold_the_truth_in_eighty_to_ninety_per_cent(
    simulated: tuple[str, list[Graded]],
) -> None:
    _, batches = simulated
    assert 0.80 <= np.mean([one.held().mean() for one in batches]) <= 0.90


def test_anchors_and_pupils_are_measured_with_the_same_stick(simulated: tuple[str, list[Graded]]) -> None:
    name, batches = simulated
    assert slope_ratio(batches, CASES[name][1].sharpness) == pytest.approx(1.0, abs=0.03)


def test_pupils_compared_less_than_anchors_are_measured_with_the_same_stick() -> None:
    design = Design(essays=412, per_essay=11)
    batches = [graded(design, ORDINARY, seed) for seed in seeds(12)]
    assert slope_ratio(batches, 1.0) == pytest.approx(1.0, abs=0.03)


def test_the_stated_probability_of_a_right_grade_is_cautious_and_sorts(simulated: tuple[str, list[Graded]]) -> None:
    """Some discrepancy is always reckoned with; a judge without any is right more often than it says."""
    _, batches = simulated
    stated = np.concatenate([one.projection.p_exact[one.pupils] for one in batches])
    right = np.concatenate([one.right() for one in batches])
    assert -0.02 <= right.mean() - stated.mean() <= 0.11
    sure = stated >= np.quantile(stated, 0.8)
    assert right[sure].mean() > right[~sure].mean()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_re_reading_prevents_at_least_three_quarters_of_what_was_promised(
    simulated: tuple[str, list[Graded]], share: float
) -> None:
    """More wrong grades are expected than there are, so fewer than promised can be prevented."""
    _, batches = simulated
    promised_before, before, promised, left = np.mean([one.review(share) for one in batches], axis=0)
    assert 0.75 <= (before - left) / (promised_before - promised) <= 1.25
    assert before - left > share * before


@pytest.mark.parametrize("judge", [PERFECT, SHARP, ORDINARY], ids=lambda judge: judge.name)
def test_a_judge_that_agrees_is_hardly_ever_stopped_at_the_anchor_gate(judge: Judge) -> None:
    assert anchor_gate_of((EXAM, judge), BATCHES).stopped.share <= 0.01


def test_a_noisy_honest_judge_is_seldom_stopped_when_there_are_a_dozen_anchors() -> None:
    assert anchor_gate_of((EXAM, NOISY), BATCHES).stopped.share <= 0.04


@pytest.mark.parametrize("judge", [COIN, UNRELATED], ids=lambda judge: judge.name)
@pytest.mark.parametrize("anchors", [4, 6, 12])
def test_a_judge_that_does_not_look_at_quality_is_stopped_at_the_anchor_gate(judge: Judge, anchors: int) -> None:
    passed = 1 - anchor_gate_of((Design(anchors=anchors), judge), 300).stopped.share
    assert passed <= 0.08  # 1 in 24 is promised, and three standard errors of 300 batches are 3.5 %


def test_scrambled_anchors_are_stopped_however_sharp_the_judge() -> None:
    passed = 1 - anchor_gate_of((replace(EXAM, scrambled=True), SHARP), 300).stopped.share
    assert passed <= 0.08


@pytest.mark.parametrize("judge", [one for one in JUDGES if one.refuses], ids=lambda judge: judge.name)
def test_a_judge_that_refuses_is_stopped_when_it_refuses_too_much_and_else_grades_the_others(judge: Judge) -> None:
    found = gates_of((EXAM, judge), 60)
    assert found.stopped.share <= 0.04 if judge.worth is Worth.PASS else found.stopped.share == 1


@pytest.mark.parametrize(("essays", "batches"), [(20, 200), (37, 60), (100, 40)])
def test_tossed_coins_have_no_reliability_at_any_size(essays: int, batches: int) -> None:
    """Five times as many batches: a 95th percentile is read off."""
    tossed = reliability_of((Design(essays=essays, anchors=6), COIN), batches)
    assert tossed.mean <= 0.10
    assert tossed.ninety_fifth <= 0.25


@pytest.mark.parametrize("essays", [37, 100])
def test_reliability_of_an_ordinary_judge_is_the_squared_correlation(essays: int) -> None:
    found = reliability_of((Design(essays=essays), ORDINARY), 100)
    assert found.mean == pytest.approx(found.truth, abs=0.03)


def test_drift_is_seldom_seen_where_nothing_moved_and_mostly_where_an_anchor_did() -> None:
    assert drift_alarms(200, 0.0).share <= 0.08
    assert drift_alarms(60, 5.0).share >= 0.5
