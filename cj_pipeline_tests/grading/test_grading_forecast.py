"""What `cj plan` promises before any money is spent."""

import warnings

import numpy as np
import pytest

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
