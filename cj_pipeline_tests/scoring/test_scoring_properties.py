"""What a fit promises whatever the comparisons, and agreement with choix and evalica."""

import choix
import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import BradleyTerryFit, fit_bradley_terry

Comparisons = tuple[IntArray, IntArray, FloatArray, int]


@st.composite
def comparisons(draw: st.DrawFn, ties: bool = True) -> Comparisons:
    n_items = draw(st.integers(2, 12))
    size = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first = rng.integers(n_items, size=size)
    second = (first + 1 + rng.integers(n_items - 1, size=size)) % n_items
    outcome = rng.choice([0.0, 0.5, 1.0] if ties else [0.0, 1.0], size=size)
    return first, second, outcome, n_items


def simulate(n_items: int, n_pairs: int, seed: int, sigma: float = 1.5, gamma: float = 0.3) -> Comparisons:
    rng = np.random.default_rng(seed)
    first, second = plan_single_wave(n_items, 0, n_pairs, seed)
    truth = rng.normal(size=n_items) * sigma
    won = rng.random(first.size) < expit(truth[first] - truth[second] + gamma)
    return first, second, won.astype(float), n_items


def same(one: BradleyTerryFit, other: BradleyTerryFit) -> None:
    assert other.scores == pytest.approx(one.scores, abs=1e-9, nan_ok=True)
    assert other.standard_errors == pytest.approx(one.standard_errors, abs=1e-9, nan_ok=True)


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_the_gradient_is_small_and_says_so(data: Comparisons) -> None:
    fit = fit_bradley_terry(*data)
    assert fit.gradient_norm <= 1e-7


@given(comparisons(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_rows_does_not_matter(data: Comparisons, seed: int) -> None:
    first, second, outcome, n_items = data
    order = np.random.default_rng(seed).permutation(first.size)
    same(fit_bradley_terry(*data), fit_bradley_terry(first[order], second[order], outcome[order], n_items))


@given(comparisons(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_the_numbering_of_the_essays_does_not_matter(data: Comparisons, seed: int) -> None:
    first, second, outcome, n_items = data
    names = np.random.default_rng(seed).permutation(n_items)
    one, other = fit_bradley_terry(*data), fit_bradley_terry(names[first], names[second], outcome, n_items)
    assert other.scores[names] == pytest.approx(one.scores, abs=1e-9, nan_ok=True)
    assert other.order_effect == pytest.approx(one.order_effect, abs=1e-9)


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_exchanging_seats_and_winner_turns_the_order_effect_round(data: Comparisons) -> None:
    first, second, outcome, n_items = data
    one, other = fit_bradley_terry(*data), fit_bradley_terry(second, first, 1 - outcome, n_items)
    same(one, other)
    assert other.order_effect == pytest.approx(-one.order_effect, abs=1e-9)


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_a_weight_of_two_is_a_row_twice(data: Comparisons) -> None:
    first, second, outcome, n_items = data
    twice = fit_bradley_terry(np.tile(first, 2), np.tile(second, 2), np.tile(outcome, 2), n_items)
    same(twice, fit_bradley_terry(*data, weights=np.full(first.size, 2.0)))


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_a_weight_of_zero_is_no_row(data: Comparisons) -> None:
    first, second, outcome, n_items = data
    weights = np.concatenate([np.ones(first.size), [0.0]])
    more = np.append(first, 0), np.append(second, n_items - 1), np.append(outcome, 1.0), n_items
    same(fit_bradley_terry(*data), fit_bradley_terry(*more, weights=weights))


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_an_essay_without_comparisons_changes_nothing_and_gets_no_score(data: Comparisons) -> None:
    first, second, outcome, n_items = data
    fit = fit_bradley_terry(first, second, outcome, n_items + 1)
    assert np.isnan(fit.scores[-1])
    assert np.isnan(fit.standard_errors[-1])
    assert fit.scores[:-1] == pytest.approx(fit_bradley_terry(*data).scores, abs=1e-9, nan_ok=True)


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_scores_are_centred_in_every_component_and_errors_are_never_zero(data: Comparisons) -> None:
    fit = fit_bradley_terry(*data)
    compared = np.isfinite(fit.scores)
    sums = np.bincount(fit.components[compared], fit.scores[compared])
    assert sums == pytest.approx(np.zeros(sums.size), abs=1e-9)
    assert (fit.standard_errors[compared] > 0).all()


@given(comparisons(ties=False), st.data())
@settings(max_examples=100, deadline=None)
def test_winning_what_was_lost_raises_the_score(data: Comparisons, draw: st.DataObject) -> None:
    first, second, outcome, n_items = data
    row = draw.draw(st.integers(0, first.size - 1))
    better = outcome.copy()
    better[row] = 1.0
    before, after = fit_bradley_terry(*data), fit_bradley_terry(first, second, better, n_items)
    assert after.scores[first[row]] >= before.scores[first[row]] - 1e-9


@given(comparisons(ties=False), st.floats(0.3, 5.0))
@settings(max_examples=60, deadline=None)
def test_scores_are_those_of_choix_at_the_same_prior(data: Comparisons, prior_sd: float) -> None:
    first, second, outcome, n_items = data
    wins = [(a, b) if won else (b, a) for a, b, won in zip(first, second, outcome, strict=True)]
    theirs = choix.opt_pairwise(n_items, wins, alpha=0.5 / prior_sd**2, tol=1e-12)
    ours = fit_bradley_terry(*data, prior_sd=prior_sd, order_effect=False).scores
    compared = np.isfinite(ours)
    assert ours[compared] == pytest.approx(theirs[compared], abs=1e-6)


def test_maximum_likelihood_is_that_of_evalica() -> None:
    first, second, outcome, n_items = simulate(60, 900, 4, sigma=1.0)
    winners = [evalica.Winner.X if won else evalica.Winner.Y for won in outcome]
    worths = evalica.bradley_terry(first.tolist(), second.tolist(), winners, tolerance=1e-14, limit=100_000).scores
    logits = np.log(np.array([worths[item] for item in range(n_items)]))
    ours = fit_bradley_terry(first, second, outcome, n_items, prior_sd=np.inf, order_effect=False).scores
    assert ours == pytest.approx(logits - logits.mean(), abs=1e-6)


@pytest.mark.parametrize("order_effect", [True, False])
def test_the_sparse_solver_finds_what_the_dense_one_finds(order_effect: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    data = simulate(120, 900, 2)
    dense = fit_bradley_terry(*data, order_effect=order_effect)
    monkeypatch.setattr("cj_pipeline.scoring.newton.DENSE_UP_TO", 0)
    sparse = fit_bradley_terry(*data, order_effect=order_effect)
    assert sparse.scores == pytest.approx(dense.scores, abs=1e-7)
    assert sparse.order_effect == pytest.approx(dense.order_effect, abs=1e-7, nan_ok=True)


def test_maximum_likelihood_scores_of_many_essays_are_centred_too() -> None:
    fit = fit_bradley_terry(*simulate(400, 12_000, 1, sigma=1.0), prior_sd=np.inf)
    assert fit.scores.sum() == pytest.approx(0, abs=1e-9)


def test_the_order_effect_is_recovered_and_does_not_move_the_scores() -> None:
    fit = fit_bradley_terry(*simulate(400, 20_000, 1, gamma=0.8))
    assert fit.order_effect == pytest.approx(0.8, abs=3 * fit.order_effect_standard_error)
    assert fit.order_effect_standard_error < 0.03


def test_the_automatic_prior_finds_how_far_the_essays_lie_apart() -> None:
    widths = [fit_bradley_terry(*simulate(300, 4500, seed), prior_sd="auto").prior_sd for seed in range(5)]
    assert np.mean(widths) == pytest.approx(1.5, abs=0.1)


def test_the_automatic_prior_hardly_depends_on_how_the_determinant_is_had(monkeypatch: pytest.MonkeyPatch) -> None:
    data = simulate(400, 4000, 3)
    exact = fit_bradley_terry(*data, prior_sd="auto").prior_sd
    monkeypatch.setattr("cj_pipeline.scoring.evidence.EXACT_DETERMINANT_UP_TO", 0)
    assert fit_bradley_terry(*data, prior_sd="auto").prior_sd == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(
    ("first", "second", "outcome", "complaint"),
    [
        ([0, 1], [1], [1, 0], "one length"),
        ([0], [3], [1], r"essay_b\[0\] is 3"),
        ([-1], [1], [1], r"essay_a\[0\] is -1"),
        ([0, 1], [1, 1], [1, 1], "essay 1 against itself"),
        ([0], [1], [2], r"outcome\[0\] is 2"),
        ([0], [1], [np.nan], r"outcome\[0\] is nan"),
        ([0.0], [1.0], [1], "integers"),
    ],
)
def test_impossible_comparisons_are_refused_by_row(
    first: list[int], second: list[int], outcome: list[float], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        fit_bradley_terry(first, second, outcome, 3)


def test_impossible_weights_and_priors_are_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        fit_bradley_terry([0], [1], [1], 2, weights=[-1.0])
    with pytest.raises(ValueError, match="prior_sd"):
        fit_bradley_terry([0], [1], [1], 2, prior_sd=0.0)
