"""From a fitted scale to grades: what every projection promises, and when it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from cj_pipeline.grading import GradeProjection, NotGradable, own_scale, project_grades, review_curve, scale_named
from cj_pipeline.grading.thresholds import fit_thresholds
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit, score_comparisons

ENG5 = scale_named("eng5_np_legacy_9_step")
ANCHOR_GRADES = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8])
ANCHORS = np.arange(12)
CUTS = np.linspace(-2.25, 2.25, 8)


def true_scores(seed: int, n_students: int = 25) -> FloatArray:
    rng = np.random.default_rng([seed, 1])
    edges = np.concatenate([[CUTS[0] - 0.64], CUTS, [CUTS[-1] + 0.64]])
    anchors = edges[ANCHOR_GRADES] + rng.random(12) * np.diff(edges)[ANCHOR_GRADES]
    return np.concatenate([anchors, rng.normal(size=n_students) * 1.5])


def judged(first: IntArray, second: IntArray, truth: FloatArray, seed: int) -> ScaleFit:
    chance = expit(truth[first] - truth[second] + 0.3)
    outcome = (np.random.default_rng([seed, 2]).random(first.size) < chance).astype(float)
    return score_comparisons(first, second, outcome, np.zeros(first.size, dtype=int), truth.size, n_judges=1)


@pytest.fixture(scope="module")
def fit() -> ScaleFit:
    return judged(*plan_single_wave(25, 12, 400, 1), true_scores(1), 1)


@pytest.fixture(scope="module")
def projection(fit: ScaleFit) -> GradeProjection:
    return project_grades(fit, ANCHORS, ANCHOR_GRADES, ENG5)


def test_every_essay_has_probabilities_that_add_up(projection: GradeProjection) -> None:
    assert projection.probabilities.shape == (37, 10)
    assert projection.probabilities.sum(axis=1) == pytest.approx(np.ones(37))
    assert (projection.probabilities >= 0).all()
    assert projection.ungraded_reason == [None] * 37


def test_cuts_rise_and_the_lowest_lies_a_step_under_the_others(projection: GradeProjection) -> None:
    assert projection.thresholds.shape == projection.threshold_standard_errors.shape == (9,)
    assert (np.diff(projection.thresholds) > 0).all()
    assert (projection.threshold_standard_errors > 0).all()


def test_the_grade_is_the_median_and_lies_in_its_range(projection: GradeProjection) -> None:
    cumulated = projection.probabilities.cumsum(axis=1)
    rows = np.arange(37)
    assert (cumulated[rows, projection.grade] >= 0.5 - 1e-9).all()
    assert (projection.range_low <= projection.grade).all()
    assert (projection.grade <= projection.range_high).all()
    below = np.where(projection.range_low > 0, cumulated[rows, projection.range_low - 1], 0.0)
    held = cumulated[rows, projection.range_high] - below
    assert (held >= projection.range_mass - 1e-9).all()
    assert projection.p_exact == pytest.approx(projection.probabilities[rows, projection.grade])
    assert (projection.p_within_one >= projection.p_exact).all()


def test_the_pupils_ranges_hold_four_fifths_on_average_and_no_more_than_they_must(
    projection: GradeProjection,
) -> None:
    cumulated = np.pad(projection.probabilities[12:].cumsum(axis=1), ((0, 0), (1, 0)))
    rows = np.arange(25)
    held = cumulated[rows, projection.range_high[12:] + 1] - cumulated[rows, projection.range_low[12:]]
    assert 0.8 <= held.mean() < 0.83
    assert 2 / 3 <= projection.range_mass < 0.8


def test_equal_scores_with_equal_errors_are_equal_grades_whoever_else_is_in_the_batch(fit: ScaleFit) -> None:
    """The prior knows the scale, not the class."""
    others = replace(fit, unshrunk_scores=np.where(np.arange(37) > 20, fit.unshrunk_scores + 3, fit.unshrunk_scores))
    both = [project_grades(one, ANCHORS, ANCHOR_GRADES, ENG5).probabilities[12:21] for one in (fit, others)]
    assert both[0] == pytest.approx(both[1])


def test_a_higher_score_with_the_same_error_is_never_a_lower_grade(fit: ScaleFit) -> None:
    even = replace(fit, unshrunk_standard_errors=np.full(37, 0.5))
    projection = project_grades(even, ANCHORS, ANCHOR_GRADES, ENG5)
    students = 12 + np.argsort(fit.unshrunk_scores[12:])
    assert (np.diff(projection.probabilities[students].cumsum(axis=1), axis=0) <= 1e-9).all()
    assert (np.diff(projection.grade[students]) >= 0).all()


def test_a_projection_is_the_same_every_time(fit: ScaleFit, projection: GradeProjection) -> None:
    again = project_grades(fit, ANCHORS, ANCHOR_GRADES, ENG5)
    assert np.array_equal(again.probabilities, projection.probabilities)
    assert again.gate == projection.gate


def test_the_order_in_which_anchors_are_listed_does_not_matter(fit: ScaleFit, projection: GradeProjection) -> None:
    order = np.random.default_rng(0).permutation(12)
    again = project_grades(fit, ANCHORS[order], ANCHOR_GRADES[order], ENG5)
    assert again.probabilities == pytest.approx(projection.probabilities, abs=1e-4)


def test_an_anchor_is_projected_without_its_own_grade(fit: ScaleFit, projection: GradeProjection) -> None:
    mislabelled = ANCHOR_GRADES.copy()
    mislabelled[6] = 6
    without = projection.leave_one_out.probabilities[6]
    again = project_grades(fit, ANCHORS, mislabelled, ENG5)
    assert again.leave_one_out.probabilities[6] == pytest.approx(without, abs=0.02)
    assert np.array_equal(projection.probabilities[ANCHORS], projection.leave_one_out.probabilities)


def test_leave_one_out_figures_are_those_of_its_rows(projection: GradeProjection) -> None:
    left_out = projection.leave_one_out
    assert left_out.n == 12
    assert left_out.given.tolist() == (ANCHOR_GRADES + 1).tolist()
    assert left_out.exact == pytest.approx((left_out.given == left_out.projected).mean())
    assert left_out.mae == pytest.approx(np.abs(left_out.given - left_out.projected).mean())
    assert left_out.qwk > 0.7
    assert np.abs(left_out.residual).max() < 4
    assert (left_out.projected >= 1).all()  # an anchor is never below the lowest grade


def test_an_agreeing_judge_passes_the_anchor_gate(projection: GradeProjection) -> None:
    gate = projection.gate
    assert gate.passes
    assert gate.reason is None
    assert gate.kendall_tau > gate.kendall_tau_quantile
    assert gate.largest_deviation < 3


def test_a_judge_that_turns_the_scale_round_is_stopped_at_the_gate(fit: ScaleFit) -> None:
    gate = project_grades(fit, ANCHORS, ANCHOR_GRADES[::-1], ENG5).gate
    assert not gate.passes
    assert gate.reason is not None
    assert "no more than with shuffled ones" in gate.reason
    assert "out of order" in gate.reason


def test_one_anchor_at_the_wrong_end_is_found(fit: ScaleFit) -> None:
    grades = ANCHOR_GRADES.copy()
    grades[0] = 8
    projection = project_grades(fit, ANCHORS, grades, ENG5)
    assert not projection.gate.passes
    assert projection.gate.largest_deviation_anchor == 0
    assert projection.gate.largest_deviation > 3
    assert projection.leave_one_out.residual.argmin() == 0


def test_disagreement_with_the_anchors_grades_widens_the_ranges(fit: ScaleFit, projection: GradeProjection) -> None:
    shaken = np.array([3, 0, 4, 0, 5, 2, 8, 4, 7, 5, 8, 5])
    wider = project_grades(fit, ANCHORS, shaken, ENG5)
    assert wider.discrepancy > projection.discrepancy
    widths = [(one.range_high - one.range_low)[12:].mean() for one in (projection, wider)]
    assert widths[1] > widths[0]


def test_the_review_curve_falls_from_all_expected_misgrades_to_none(projection: GradeProjection) -> None:
    share, misgrades = review_curve(projection, np.arange(12, 37))
    assert share == pytest.approx(np.linspace(0, 1, 26))
    assert misgrades[0] == pytest.approx((1 - projection.p_exact[12:]).sum())
    assert misgrades[-1] == pytest.approx(0)
    assert (np.diff(misgrades) <= 0).all()
    assert misgrades[13] < 0.5 * misgrades[0]


def test_a_scale_without_below_lowest_has_as_many_labels_as_grades(fit: ScaleFit) -> None:
    projection = project_grades(fit, ANCHORS, ANCHOR_GRADES, own_scale(tuple("123456789")))
    assert projection.probabilities.shape == (37, 9)
    assert projection.leave_one_out.given.tolist() == ANCHOR_GRADES.tolist()


def test_two_grades_and_three_anchors_are_enough(fit: ScaleFit) -> None:
    projection = project_grades(fit, [0, 4, 10], [0, 0, 1], own_scale(["fail", "pass"]))
    assert projection.thresholds.shape == (1,)
    assert projection.probabilities.sum(axis=1) == pytest.approx(np.ones(37))


def test_grades_without_an_anchor_still_have_a_place(fit: ScaleFit) -> None:
    few = np.array([0, 3, 8, 11])
    projection = project_grades(fit, few, ANCHOR_GRADES[few], ENG5)
    assert (np.diff(projection.thresholds) > 0).all()
    assert np.isfinite(projection.probabilities).all()


@pytest.mark.parametrize(
    ("anchors", "grades", "reason"),
    [
        ([], [], "no anchors"),
        ([0, 1], [0, 4], "2 of 2 anchors"),
        ([0, 1, 2], [3, 3, 3], "1 grade only"),
    ],
)
def test_too_few_anchors_are_a_named_refusal(fit: ScaleFit, anchors: list[int], grades: list[int], reason: str) -> None:
    with pytest.raises(NotGradable, match=reason):
        project_grades(fit, anchors, grades, ENG5)


def test_anchors_that_do_not_fit_are_refused(fit: ScaleFit) -> None:
    with pytest.raises(ValueError, match="listed twice"):
        project_grades(fit, [0, 0, 1], [0, 1, 2], ENG5)
    with pytest.raises(ValueError, match="indices into the 9 grades"):
        project_grades(fit, [0, 1, 2], [0, 1, 9], ENG5)
    with pytest.raises(ValueError, match="items"):
        project_grades(fit, [0, 1, 99], [0, 1, 2], ENG5)
    with pytest.raises(ValueError, match="one grade"):
        project_grades(fit, [0, 1, 2], [0, 1], ENG5)


def test_a_group_without_anchors_is_ungraded_with_its_reason() -> None:
    first, second = plan_single_wave(25, 12, 400, 1)
    first, second = np.append(first, [37, 38]), np.append(second, [38, 37])
    fit = judged(first, second, np.append(true_scores(1), [0.0, 1.0, 0.0]), 1)
    projection = project_grades(fit, ANCHORS, ANCHOR_GRADES, ENG5)
    assert projection.grade[37:].tolist() == [-1, -1, -1]
    assert projection.range_low[37:].tolist() == projection.range_high[37:].tolist() == [-1, -1, -1]
    assert np.isnan(projection.probabilities[37:]).all()
    assert np.isnan(projection.p_exact[37:]).all()
    reasons = projection.ungraded_reason[36:]
    assert reasons[0] is None
    assert reasons[1] == reasons[2]
    assert "0 usable anchors" in str(reasons[1])
    assert reasons[3] == "no comparisons"
    assert review_curve(projection, np.arange(12, 40))[0].size == 26


def test_two_groups_with_their_own_anchors_are_graded_apart() -> None:
    first, second = plan_single_wave(25, 12, 400, 1)
    truth = np.tile(true_scores(1), 2)
    fit = judged(np.append(first, first + 37), np.append(second, second + 37), truth, 1)
    anchors = np.append(ANCHORS, ANCHORS + 37)
    projection = project_grades(fit, anchors, np.tile(ANCHOR_GRADES, 2), ENG5)
    assert (projection.grade >= 0).all()
    assert projection.leave_one_out.n == 24


def test_an_anchor_that_was_never_compared_is_left_out() -> None:
    first, second = plan_single_wave(25, 12, 400, 1)
    kept = (first != 0) & (second != 0)
    fit = judged(first[kept], second[kept], true_scores(1), 1)
    projection = project_grades(fit, ANCHORS, ANCHOR_GRADES, ENG5)
    assert projection.leave_one_out.anchors.tolist() == list(range(1, 12))
    assert projection.ungraded_reason[0] == "no comparisons"


def test_cuts_are_recovered_from_many_well_measured_anchors() -> None:
    rng = np.random.default_rng(0)
    positions = rng.uniform(-3, 3, 2000)
    grades = np.searchsorted([-1.5, 0.0, 1.0], positions)
    found = fit_thresholds(positions + 0.1 * rng.normal(size=2000), np.full(2000, 0.01), grades, own_scale("abcd"))
    assert found.cuts == pytest.approx([-1.5, 0.0, 1.0], abs=0.1)
    assert (np.sqrt(found.variances) < 0.1).all()


@pytest.mark.filterwarnings("error")
@given(st.integers(0, 2**32 - 1), st.integers(3, 8), st.integers(0, 11), st.integers(2, 9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_was_judged_is_graded_or_refused_by_name(
    seed: int, n_anchors: int, n_students: int, n_grades: int, has_below: bool
) -> None:
    rng = np.random.default_rng(seed)
    n_items = n_anchors + n_students
    budget = int(rng.integers(1, n_items * (n_items - 1) // 2 + 1))
    first, second = plan_single_wave(n_students, n_anchors, budget, seed)
    fit = judged(first, second, rng.normal(size=n_items) * rng.choice([0.0, 1.5, 30.0]), seed)
    scale = own_scale([f"grade {number}" for number in range(n_grades)], below_lowest="none" if has_below else None)
    grades = rng.integers(n_grades, size=n_anchors)
    compared = np.flatnonzero(np.isfinite(fit.scores[:n_anchors]))
    if compared.size < 3:
        with pytest.raises(NotGradable, match="anchors have comparisons"):
            project_grades(fit, np.arange(n_anchors), grades, scale)
        return
    try:
        projection = project_grades(fit, np.arange(n_anchors), grades, scale)
    except NotGradable:
        assume(False)
    graded = projection.grade >= 0
    assert projection.probabilities[graded].sum(axis=1) == pytest.approx(np.ones(graded.sum()))
    assert [reason is None for reason in projection.ungraded_reason] == graded.tolist()
    assert np.isfinite(projection.threshold_standard_errors).all()
    assert np.isfinite(projection.gate.kendall_tau)
