"""What `cj plan` promises before any money is spent."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.grading.budget_curve import (
    Cohort,
    expected,
    expected_beside,
    mean_information,
    smallest_budget,
    usual_budgets,
)
from cj_pipeline.grading.forecast import ORDINARY_JUDGE_SD, SHARP_JUDGE_SD, Forecast, forecast
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.scales import scale_named

ANCHORS = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4])


def promised(budget: int, judge_sd: float = ORDINARY_JUDGE_SD, *, pupils: int = 25) -> Forecast:
    first, second = plan_single_wave(pupils, ANCHORS.size, budget, seed=1)
    return forecast(
        first,
        second,
        pupils + ANCHORS.size,
        judge_sd=judge_sd,
        anchor_grades=ANCHORS,
        scale=scale_named("cefr"),
    )


def test_more_comparisons_and_a_sharper_judge_promise_more() -> None:
    few, usual, many = promised(80), promised(259), promised(600)
    assert few.reliability < usual.reliability < many.reliability
    assert few.mean_standard_error > usual.mean_standard_error > many.mean_standard_error
    assert few.exact is not None
    assert many.exact is not None
    assert few.exact < many.exact
    assert promised(259, SHARP_JUDGE_SD).reliability > usual.reliability


def test_the_promise_for_an_exam_s_design_is_what_simulations_of_it_gave() -> None:
    """37 essays, 14 comparisons each, essays with sd 1.5: squared correlation .81."""
    assert promised(259).reliability == pytest.approx(0.81, abs=0.04)


def test_the_promise_is_the_same_every_time() -> None:
    assert promised(120) == promised(120)


def test_without_anchors_no_grades_are_promised() -> None:
    first, second = plan_single_wave(20, 0, 140, seed=1)
    assert forecast(first, second, 20, judge_sd=1.5).exact is None


def test_a_thousand_essays_are_promised_without_a_numeric_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0.7 < promised(7_000, SHARP_JUDGE_SD, pupils=988).reliability < 0.95


# --- other budgets ----------------------------------------------------------------------------------------

CLASS = Cohort(n_pupils=25, n_anchors=12, n_grades=6)


def test_the_mean_information_of_a_comparison_is_what_quadrature_by_hand_gives() -> None:
    """.146 for essays of sd 1.5 logits, .101 for 2.5."""
    assert mean_information(1.5) == pytest.approx(0.146, abs=0.001)
    assert mean_information(2.5) == pytest.approx(0.101, abs=0.001)


@pytest.mark.parametrize("judge_sd", [ORDINARY_JUDGE_SD, SHARP_JUDGE_SD])
@pytest.mark.parametrize("per_essay", [6, 20, 30])
def test_the_curve_through_a_simulated_plan_foretells_simulations_of_other_budgets(
    per_essay: int, judge_sd: float
) -> None:
    here, there = CLASS.pairs_for(14), CLASS.pairs_for(per_essay)
    foretold = expected_beside(CLASS, there, promised(here, judge_sd), here)
    simulated = promised(there, judge_sd)
    assert foretold.reliability == pytest.approx(simulated.reliability, abs=0.04)
    assert foretold.mean_standard_error == pytest.approx(simulated.mean_standard_error, rel=0.08)
    assert foretold.exact == pytest.approx(simulated.exact, abs=0.1)
    assert foretold.adjacent == pytest.approx(simulated.adjacent, abs=0.1)


@pytest.mark.parametrize(("pupils", "per_essay"), [(25, 8), (25, 28), (88, 14), (88, 30)])
def test_the_law_alone_is_near_a_simulation_at_any_size(pupils: int, per_essay: int) -> None:
    cohort = Cohort(pupils, ANCHORS.size, 6)
    simulated = promised(cohort.pairs_for(per_essay), pupils=pupils)
    by_law = expected(cohort, cohort.pairs_for(per_essay), ORDINARY_JUDGE_SD)
    assert by_law.reliability == pytest.approx(simulated.reliability, abs=0.05)
    assert by_law.exact == pytest.approx(simulated.exact, abs=0.1)


@given(st.integers(0, 40), st.integers(0, 12), st.floats(0.5, 4), st.data())
@settings(max_examples=50, deadline=None)
def test_a_larger_budget_never_promises_less(pupils: int, anchors: int, judge_sd: float, data: st.DataObject) -> None:
    cohort = Cohort(pupils + 2, anchors, 5)
    few = data.draw(st.integers(cohort.n_essays, max(cohort.n_essays, cohort.every_pair - 1)))
    little, more = (expected(cohort, count, judge_sd) for count in (few, few + cohort.n_essays))
    assert 0 <= little.reliability <= more.reliability <= 1
    assert little.mean_standard_error >= more.mean_standard_error > 0


@pytest.mark.parametrize("target", [0.6, 0.8, 0.9])
def test_the_smallest_budget_reaches_the_target_and_one_pair_fewer_does_not(target: float) -> None:
    pairs = CLASS.pairs_for(14)
    simulated = promised(pairs)
    least = smallest_budget(CLASS, target, simulated, pairs)
    assert least is not None
    assert expected_beside(CLASS, least, simulated, pairs).reliability >= target
    assert expected_beside(CLASS, least - 1, simulated, pairs).reliability < target


def test_a_reliability_out_of_reach_has_no_budget_and_one_beyond_all_measure_is_refused() -> None:
    pairs = CLASS.pairs_for(14)
    simulated = promised(pairs)
    assert smallest_budget(CLASS, 0.99, simulated, pairs) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        smallest_budget(CLASS, 1.0, simulated, pairs)


def test_a_curve_shows_the_usual_budgets_as_far_as_there_are_pairs_and_the_plan_s_own() -> None:
    assert usual_budgets(Cohort(10, 0), 31) == [20, 30, 31, 40]
    assert 100 in usual_budgets(CLASS, 100)
    assert max(usual_budgets(CLASS, 100)) <= CLASS.every_pair
