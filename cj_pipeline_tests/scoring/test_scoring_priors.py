"""Priors of each essay's own, and essays whose score is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry
from cj_pipeline.scoring.fit import ORDER_EFFECT_PRIOR_SD, item_priors
from cj_pipeline.scoring.information import conjugate_gradients
from cj_pipeline.scoring.likelihood import Prior
from cj_pipeline.scoring.newton import find_mode
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline_tests.scoring.published import baseball


def class_of(n_items: int, n_pairs: int, seed: int) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    first, second = plan_single_wave(n_items, 0, n_pairs, seed)
    truth = rng.normal(size=n_items) * 1.5
    won = (rng.random(first.size) < expit(truth[first] - truth[second] + 0.3)).astype(float)
    return first, second, won, truth


def test_a_team_fixed_at_zero_is_the_reference_of_published_tables() -> None:
    """Baseball 1987 against Baltimore (Agresti 2002, page 438), with the standard errors of that coding."""
    home, away, outcome, times = baseball()
    sd = [np.inf] * 6 + [0.0]
    plain = fit_bradley_terry(home, away, outcome, 7, prior_sd=sd, weights=times, order_effect=False)
    assert plain.scores == pytest.approx([1.581356, 1.436408, 1.294485, 1.247618, 1.107698, 0.683853, 0], abs=5e-7)
    errors = [0.343256, 0.339569, 0.336669, 0.335861, 0.333878, 0.331877, 0]
    assert plain.standard_errors == pytest.approx(errors, abs=5e-7)
    at_home = fit_bradley_terry(home, away, outcome, 7, prior_sd=sd, weights=times)
    assert at_home.order_effect == pytest.approx(0.302261, abs=5e-7)
    assert at_home.order_effect_standard_error == pytest.approx(0.130944, abs=5e-7)


@given(st.integers(0, 2**32 - 1), st.integers(3, 10), st.integers(5, 60))
@settings(max_examples=40, deadline=None)
def test_the_mode_is_the_one_a_general_optimiser_finds(seed: int, n_items: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(n_items, size=size)
    second = (first + 1 + rng.integers(n_items - 1, size=size)) % n_items
    outcome, weights = rng.random(size), rng.random(size) * 3
    mean, sd = rng.normal(size=n_items), rng.uniform(0.3, 3, size=n_items)
    fixed = rng.random(n_items) < 0.3
    sd[fixed] = 0.0

    def point_of(free: FloatArray) -> FloatArray:
        scores = mean.copy()
        scores[~fixed] = free[:-1]
        return scores

    def loss(free: FloatArray) -> float:
        scores = point_of(free)
        margin = scores[first] - scores[second] + free[-1]
        pull = ((scores - mean)[~fixed] / sd[~fixed]) ** 2
        penalty = pull.sum() + (free[-1] / ORDER_EFFECT_PRIOR_SD) ** 2
        return float(weights @ (np.logaddexp(0, margin) - outcome * margin) + penalty / 2)

    found = minimize(loss, np.append(mean[~fixed], 0.0), method="BFGS", options={"gtol": 1e-9})
    fit = fit_bradley_terry(first, second, outcome, n_items, weights=weights, prior_mean=mean, prior_sd=sd)
    if fixed.all():
        assert fit.scores == pytest.approx(mean)
        return
    assert fit.scores == pytest.approx(point_of(found.x), abs=2e-6)
    assert fit.order_effect == pytest.approx(found.x[-1], abs=2e-6)
    assert (fit.scores[fixed] == mean[fixed]).all()
    assert (fit.standard_errors[fixed] == 0).all()
    assert (fit.standard_errors[~fixed] > 0).all()


def test_equal_priors_written_out_give_the_same_contrasts_and_the_origins_own_error() -> None:
    first, second, won, _ = class_of(40, 300, 1)
    short = fit_bradley_terry(first, second, won, 40)
    long = fit_bradley_terry(first, second, won, 40, prior_sd=[3.0] * 40)
    assert long.scores == pytest.approx(short.scores, abs=1e-9)
    assert long.standard_errors**2 - short.standard_errors**2 == pytest.approx(np.full(40, 9.0 / 40), rel=1e-9)


def test_moving_every_prior_moves_every_score() -> None:
    first, second, won, _ = class_of(30, 200, 2)
    mean = np.linspace(-1, 1, 30)
    one = fit_bradley_terry(first, second, won, 30, prior_mean=mean, prior_sd=1.0)
    moved = fit_bradley_terry(first, second, won, 30, prior_mean=mean + 5, prior_sd=1.0)
    assert moved.scores == pytest.approx(one.scores + 5, abs=1e-9)
    assert moved.standard_errors == pytest.approx(one.standard_errors, rel=1e-9)


def test_pupils_placed_among_fixed_anchors_are_covered_by_their_intervals() -> None:
    covered = []
    for seed in range(30):
        rng = np.random.default_rng([seed, 1])
        first, second = plan_single_wave(30, 10, 400, seed)
        truth = np.append(rng.normal(size=30) * 1.5, np.linspace(-3, 3, 10) + 1.0)
        won = (rng.random(first.size) < expit(truth[first] - truth[second])).astype(float)
        anchors = np.arange(40) >= 30
        fit = fit_bradley_terry(
            first, second, won, 40, prior_mean=np.where(anchors, truth, 1.0), prior_sd=np.where(anchors, 0.0, 3.0)
        )
        assert (fit.scores[anchors] == truth[anchors]).all()
        covered.append((np.abs(fit.scores - truth) <= 1.96 * fit.standard_errors)[~anchors])
    assert 0.92 <= np.mean(covered) <= 0.98


def test_groups_that_never_met_are_comparable_through_their_fixed_essays() -> None:
    sd = [0, np.inf, 0, np.inf]
    fit = fit_bradley_terry([0, 2], [1, 3], [0.5, 0.5], 4, prior_mean=[1, 1, 3, 3], prior_sd=sd, order_effect=False)
    assert fit.scores == pytest.approx([1, 1, 3, 3], abs=1e-9)
    assert fit.components.tolist() == [0, 0, 1, 1]


def test_a_group_without_prior_or_fixed_essay_is_centred_as_ever() -> None:
    first, second, outcome = [0, 1, 2, 3, 2, 3], [1, 0, 3, 2, 4, 4], [1, 1, 1, 1, 0.5, 0.5]
    sd, mean = [0.0, *[np.inf] * 4], [2.0, 0, 0, 0, 0]
    fit = fit_bradley_terry(first, second, outcome, 5, prior_sd=sd, prior_mean=mean, order_effect=False)
    free = fit_bradley_terry(first, second, outcome, 5, prior_sd=np.inf, order_effect=False)
    assert fit.scores[:2] == pytest.approx([2, 2], abs=1e-9)
    assert fit.scores[2:] == pytest.approx(free.scores[2:], abs=1e-9)
    assert fit.standard_errors[2:] == pytest.approx(free.standard_errors[2:], rel=1e-9)


def test_an_essay_nobody_asked_about_keeps_its_prior() -> None:
    fit = fit_bradley_terry([0], [1], [1], 5, prior_mean=[0, 0, 1, 2, 3], prior_sd=[1, 1, 0.5, 0, np.inf])
    assert fit.scores[2:] == pytest.approx([1, 2, np.nan], nan_ok=True)
    assert fit.standard_errors[2:] == pytest.approx([0.5, 0, np.nan], nan_ok=True)


@pytest.mark.parametrize("held", ["fixed essays", "priors"])
def test_thousands_of_essays_on_a_given_origin_have_errors_as_exact_as_few(held: str) -> None:
    n_items = 3400
    first, second, won, truth = class_of(n_items, 24_000, 1)
    sd = np.full(n_items, 3.0)
    if held == "fixed essays":
        sd[::50] = 0.0
    fit = fit_bradley_terry(first, second, won, n_items, prior_mean=truth, prior_sd=sd)
    counts = count_pairs(first, second, won, n_items)
    prior = item_priors(sd, truth, n_items)
    assert isinstance(prior, Prior)
    mode = find_mode(counts, counts.components(), prior)
    sample = np.flatnonzero(sd > 0)[:: n_items // 40]
    units = np.zeros((n_items + 1, sample.size))
    units[sample, np.arange(sample.size)] = 1.0
    exact = np.sqrt(conjugate_gradients(mode.information, units, 1e-8)[sample].diagonal())
    assert fit.standard_errors[sample] == pytest.approx(exact, rel=0.01)
    assert (fit.standard_errors[sd == 0] == 0).all()
    assert fit.standard_error_accuracy < 0.01


def test_what_cannot_be_a_prior_is_refused() -> None:
    with pytest.raises(ValueError, match="prior_mean must hold one finite number for each of the 3 items"):
        fit_bradley_terry([0], [1], [1], 3, prior_mean=[0, 1])
    with pytest.raises(ValueError, match="zero fixes it"):
        fit_bradley_terry([0], [1], [1], 2, prior_sd=[-1.0, 1.0])
    with pytest.raises(ValueError, match="one spread around zero"):
        fit_bradley_terry([0], [1], [1], 2, prior_sd="auto", prior_mean=[0, 1])
    with pytest.raises(NoMaximumLikelihood):
        fit_bradley_terry([0, 0], [1, 1], [1, 1], 2, prior_sd=[0.0, np.inf])
