"""Ties as an outcome of their own: published values, what is recovered, and what is promised."""

import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.likelihood import log_likelihood
from cj_pipeline.scoring.pair_counts import count_pairs

PUDDINGS = (  # Davidson (1970), chocolate puddings: brand i, brand j, preferred i, preferred j, ties
    (1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9),
    (3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16),
    (1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12),
)  # fmt: skip
DAVIDSON_LOG_WORTHS = [0, 0.22024, 0.15298, 0.17514, 0.13387, 0.37713]  # less brand 1's


def puddings() -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    i, j, one, other, ties = np.array(PUDDINGS).T
    outcome = np.repeat([1.0, 0.0, 0.5], i.size)
    return np.tile(i - 1, 3), np.tile(j - 1, 3), outcome, np.concatenate([one, other, ties]) * 1.0


def test_chocolate_puddings_with_ties_as_half_wins() -> None:
    first, second, outcome, weights = puddings()
    fit = fit_bradley_terry(first, second, outcome, 6, prior_sd=np.inf, order_effect=False, weights=weights)
    expected = [0, 0.16031, 0.11134, 0.12748, 0.09743, 0.27449]
    assert fit.scores - fit.scores[0] == pytest.approx(expected, abs=5e-6)
    assert np.isnan(fit.tie_parameter)


def test_chocolate_puddings_after_davidson() -> None:
    """Davidson (1970): worths .1388 ... and nu .7468; further digits by PlackettLuce."""
    first, second, outcome, weights = puddings()
    fit = fit_bradley_terry(
        first, second, outcome, 6, prior_sd=np.inf, order_effect=False, weights=weights, ties="davidson"
    )
    worths = np.exp(fit.scores) / np.exp(fit.scores).sum()
    assert worths == pytest.approx([0.13880, 0.17300, 0.16175, 0.16537, 0.15869, 0.20239], abs=5e-6)
    assert fit.scores - fit.scores[0] == pytest.approx(DAVIDSON_LOG_WORTHS, abs=5e-6)
    assert fit.tie_parameter == pytest.approx(0.74682, abs=5e-6)
    counts = count_pairs(first, second, outcome, 6, n_orders=0, weights=weights, tie_parameter=True)
    mode, _ = fit_mode(counts, counts.components(), np.inf)
    assert log_likelihood(counts, mode.scores, mode.border) == pytest.approx(-809.70951, abs=5e-6)


def test_chocolate_puddings_after_davidson_against_brand_1() -> None:
    """A fixed item is R's reference level, with R's standard errors."""
    first, second, outcome, weights = puddings()
    sd = [0.0, *[np.inf] * 5]
    fit = fit_bradley_terry(
        first, second, outcome, 6, prior_sd=sd, order_effect=False, weights=weights, ties="davidson"
    )
    assert fit.scores == pytest.approx(DAVIDSON_LOG_WORTHS, abs=5e-6)
    assert fit.standard_errors == pytest.approx([0, 0.18722, 0.19352, 0.18821, 0.19270, 0.19241], abs=5e-6)


def test_davidson_and_rao_kupper_cannot_be_told_apart_on_the_puddings() -> None:
    """Rao & Kupper (1967), not offered here, by a general optimiser: logLik -809.69713 against -809.70951."""
    first, second, outcome, weights = puddings()

    def loss(point: FloatArray) -> float:
        scores, log_eta = np.append(0.0, point[:5]), point[5]
        margin = scores[first] - scores[second]
        one, other = log_expit(margin - log_eta), log_expit(-margin - log_eta)
        tie = one + other + np.log(np.expm1(2 * log_eta))
        return -float(weights @ np.select([outcome == 1, outcome == 0], [one, other], tie))

    found = minimize(loss, [0.0] * 5 + [0.5], method="BFGS", options={"gtol": 1e-7})
    assert found.x[:5] == pytest.approx([0.17372, 0.12005, 0.13988, 0.10497, 0.29801], abs=2e-5)
    assert np.exp(found.x[5]) - 1 == pytest.approx(0.74846, abs=2e-5)
    assert -found.fun == pytest.approx(-809.69713, abs=5e-6)


def with_ties(
    n_items: int, n_pairs: int, seed: int, nu: float, gamma: float = 0.4, sigma: float = 1.5
) -> tuple[tuple[IntArray, IntArray, FloatArray, int], FloatArray]:
    """Comparisons from Davidson's model, and the true scores."""
    rng = np.random.default_rng(seed)
    first, second = plan_single_wave(n_items, 0, n_pairs, seed)
    truth = rng.normal(size=n_items) * sigma
    margin = truth[first] - truth[second] + gamma
    win, loss = np.exp(margin / 2), np.exp(-margin / 2)
    draw = rng.random(first.size) * (win + loss + nu)
    return (first, second, np.select([draw < win, draw < win + loss], [1.0, 0.0], 0.5), n_items), truth


def test_the_tie_parameter_and_the_order_effect_are_recovered_together() -> None:
    data, _ = with_ties(400, 8000, 1, nu=1.2)
    fit = fit_bradley_terry(*data, ties="davidson")
    assert fit.tie_parameter == pytest.approx(1.2, abs=3 * fit.tie_parameter_standard_error)
    assert fit.tie_parameter_standard_error < 0.05
    assert fit.order_effect == pytest.approx(0.4, abs=3 * fit.order_effect_standard_error)


def test_half_wins_shrink_the_scale_where_davidson_does_not() -> None:
    slopes: dict[str, list[float]] = {"half": [], "davidson": []}
    for seed in range(4):
        data, truth = with_ties(200, 4000, seed, nu=1.5)
        for ties in ("half", "davidson"):
            slopes[ties].append(np.polyfit(truth, fit_bradley_terry(*data, ties=ties).scores, 1)[0])
    assert np.mean(slopes["davidson"]) == pytest.approx(1.0, abs=0.07)
    assert np.mean(slopes["half"]) < 0.8


def test_intervals_cover_with_davidson_as_nominal() -> None:
    covered = []
    for seed in range(25):
        data, truth = with_ties(60, 600, seed, nu=1.0)
        fit = fit_bradley_terry(*data, ties="davidson")
        covered.append(np.abs(fit.scores - truth + truth.mean()) <= 1.96 * fit.standard_errors)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_many_essays_are_fitted_with_ties_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = with_ties(120, 1200, 3, nu=0.8)
    dense = fit_bradley_terry(*data, ties="davidson")
    monkeypatch.setattr("cj_pipeline.scoring.newton.DENSE_UP_TO", 0)
    monkeypatch.setattr("cj_pipeline.scoring.standard_errors.EXACT_UP_TO", 0)
    sparse = fit_bradley_terry(*data, ties="davidson")
    assert sparse.scores == pytest.approx(dense.scores, abs=1e-7)
    assert sparse.tie_parameter == pytest.approx(dense.tie_parameter, abs=1e-7)
    assert sparse.tie_parameter_standard_error == pytest.approx(dense.tie_parameter_standard_error, rel=1e-3)


def test_the_ties_parameter_is_that_of_newman_in_evalica() -> None:
    """Newman (2023) writes P(tie) with 2 nu sqrt(worths): the same model, fitted by evalica without a prior."""
    data, _ = with_ties(30, 400, 5, nu=0.9, gamma=0.0, sigma=0.7)
    first, second, outcome, n_items = data
    winners = [{1.0: evalica.Winner.X, 0.0: evalica.Winner.Y}.get(value, evalica.Winner.Draw) for value in outcome]
    theirs = evalica.newman(first.tolist(), second.tolist(), winners, tolerance=1e-13, limit=100_000)
    logits = np.log([theirs.scores[item] for item in range(n_items)])
    ours = fit_bradley_terry(*data, prior_sd=np.inf, order_effect=False, ties="davidson")
    assert ours.scores == pytest.approx(logits - logits.mean(), abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 10), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_seats_and_repeats_matter_to_a_fit_with_ties_as_to_any(seed: int, n_items: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(n_items, size=size)
    second = (first + 1 + rng.integers(n_items - 1, size=size)) % n_items
    outcome = rng.choice([0.0, 0.5, 1.0], size=size)
    fit = fit_bradley_terry(first, second, outcome, n_items, ties="davidson")
    assert fit.gradient_norm <= 1e-7
    turned = fit_bradley_terry(second, first, 1 - outcome, n_items, ties="davidson")
    assert turned.scores == pytest.approx(fit.scores, abs=1e-9, nan_ok=True)
    assert turned.order_effect == pytest.approx(-fit.order_effect, abs=1e-9)
    assert turned.tie_parameter == pytest.approx(fit.tie_parameter, rel=1e-9)
    rows = np.tile(np.arange(size), 2)
    twice = fit_bradley_terry(first[rows], second[rows], outcome[rows], n_items, ties="davidson")
    weighted = fit_bradley_terry(first, second, outcome, n_items, ties="davidson", weights=[2.0] * size)
    assert twice.scores == pytest.approx(weighted.scores, abs=1e-9, nan_ok=True)
    assert twice.tie_parameter == pytest.approx(weighted.tie_parameter, rel=1e-9)


def test_fractions_and_one_sided_ties_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"outcome\[1\] is 0.7"):
        fit_bradley_terry([0, 0], [1, 1], [1, 0.7], 2, ties="davidson")
    with pytest.raises(ValueError, match='"half" or "davidson"'):
        fit_bradley_terry([0, 0], [1, 1], [1, 0], 2, ties="rao_kupper")  # type: ignore[arg-type]  # what a caller without types may write
    for outcome, what in (([1, 0], "no comparison is a tie"), ([0.5, 0.5], "every comparison is a tie")):
        with pytest.raises(NoMaximumLikelihood, match=what):
            fit_bradley_terry([0, 0], [1, 1], outcome, 2, ties="davidson", prior_sd=np.inf)
        fit = fit_bradley_terry([0, 0], [1, 1], outcome, 2, ties="davidson")
        assert 0 < fit.tie_parameter < np.inf
        assert fit.tie_parameter_standard_error > 0


def test_the_automatic_prior_works_with_ties() -> None:
    widths = []
    for seed in range(4):
        data, _ = with_ties(200, 3000, seed, nu=1.0)
        widths.append(fit_bradley_terry(*data, prior_sd="auto", ties="davidson").prior_sd)
    assert np.mean(widths) == pytest.approx(1.5, abs=0.12)
