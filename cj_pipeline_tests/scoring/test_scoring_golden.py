"""Published results, to the digits given there.

Tables entered from the primary sources: Stigler (1994) and Agresti, Categorical Data Analysis (2002), pages
438 and 448. Further digits were computed with the R package BradleyTerry2 and an independent implementation.
"""

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.special import xlogy

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.likelihood import log_likelihood
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.standard_errors import centred_covariances
from cj_pipeline_tests.scoring.published import baseball

CITED_BY = np.array([[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]])

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")

FOOD = (
    [
        0, 2, 4, 1, 2, 3, 4, 0, 1, 3, 2, 4, 1, 2, 0, 3, 2, 4, 0, 1, 3, 2, 4, 0, 1, 3, 4, 2, 1, 0,
    ],
    [
        1, 3, 0, 4, 0, 1, 2, 3, 2, 4, 1, 0, 3, 4, 2, 4, 1, 3, 4, 2, 0, 1, 3, 1, 2, 4, 0, 3, 4, 2,
    ],
    [
        1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.5, 0.0, 1.0, 0.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0,
        0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0,
    ],
)  # fmt: skip


def citations() -> tuple[list[int], list[int], list[float], list[int]]:
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    return [i for i, _ in pairs], [j for _, j in pairs], [1.0] * 12, [int(CITED_BY[i, j]) for i, j in pairs]


def contrasts(data: tuple[ArrayLike, ...], n_items: int, reference: int, n_orders: int) -> tuple[FloatArray, ...]:
    """Scores less the reference's, and their standard errors, at maximum likelihood."""
    first, second, outcome, weights = (np.asarray(column) for column in data)
    counts = count_pairs(first, second, outcome.astype(float), n_items, n_orders=n_orders, weights=weights * 1.0)
    mode, _ = fit_mode(counts, counts.components(), np.inf)
    covariance = centred_covariances(mode.information, counts.components(), np.arange(n_items))
    variance = np.diag(covariance)
    error = np.sqrt(np.maximum(variance + variance[reference] - 2 * covariance[:, reference], 0.0))
    return mode.scores - mode.scores[reference], error


def deviance(data: tuple[ArrayLike, ...], n_items: int, n_orders: int) -> float:
    """Twice the log-likelihood that one probability per row of opponents would gain."""
    first, second, outcome, weights = (np.asarray(column, dtype=float) for column in data)
    swap = first > second if not n_orders else np.zeros(first.size, dtype=bool)
    one = np.where(swap, second, first).astype(int)
    other = np.where(swap, first, second).astype(int)
    won = np.where(swap, 1 - outcome, outcome)
    wins, losses = (np.zeros((n_items, n_items)) for _ in range(2))
    np.add.at(wins, (one, other), weights * won)
    np.add.at(losses, (one, other), weights * (1 - won))
    saturated = (xlogy(wins, wins) + xlogy(losses, losses) - xlogy(wins + losses, wins + losses)).sum()
    counts = count_pairs(one, other, won, n_items, n_orders=n_orders, weights=weights)
    mode, _ = fit_mode(counts, counts.components(), np.inf)
    return float(2 * (saturated - log_likelihood(counts, mode.scores, mode.border)))


def test_statistics_journals_by_citations() -> None:
    assert deviance(citations(), 4, n_orders=0) == pytest.approx(4.29338, abs=5e-6)
    scores, errors = contrasts(citations(), 4, reference=0, n_orders=0)
    assert scores == pytest.approx([0, -2.949072, -0.479570, 0.268954], abs=5e-7)
    assert errors == pytest.approx([0, 0.102545, 0.060589, 0.070830], abs=5e-7)


def test_baseball_1987() -> None:
    by_home_team = deviance(baseball(), 7, n_orders=1)
    assert by_home_team == pytest.approx(38.64285, abs=5e-6)
    assert by_home_team + likelihood_ratio_of_the_home_team() == pytest.approx(44.05346, abs=5e-6)
    scores, errors = contrasts(baseball(), 7, reference=6, n_orders=0)
    expected = [1.581356, 1.436408, 1.294485, 1.247618, 1.107698, 0.683853, 0]
    assert scores == pytest.approx(expected, abs=5e-7)
    assert errors == pytest.approx([0.343256, 0.339569, 0.336669, 0.335861, 0.333878, 0.331877, 0], abs=5e-7)


def likelihood_ratio_of_the_home_team() -> float:
    home, away, outcome, times = (np.asarray(column, dtype=float) for column in baseball())
    found = []
    for n_orders in (1, 0):
        counts = count_pairs(home.astype(int), away.astype(int), outcome, 7, n_orders=n_orders, weights=times)
        mode, _ = fit_mode(counts, counts.components(), np.inf)
        found.append(log_likelihood(counts, mode.scores, mode.border))
    return 2 * (found[0] - found[1])


def test_baseball_1987_with_the_advantage_of_the_home_team_as_order_effect() -> None:
    home, away, outcome, times = baseball()
    fit = fit_bradley_terry(home, away, outcome, 7, prior_sd=np.inf, weights=times)
    expected = [1.619555, 1.475357, 1.327110, 1.281340, 1.143803, 0.704694, 0]
    assert fit.scores - fit.scores[6] == pytest.approx(expected, abs=5e-7)
    assert fit.order_effect == pytest.approx(0.302261, abs=5e-7)
    assert fit.order_effect_standard_error == pytest.approx(0.130944, abs=5e-7)
    worths = np.sort(np.exp(fit.scores) / np.exp(fit.scores).sum())
    assert worths == pytest.approx([0.044, 0.088, 0.137, 0.157, 0.164, 0.190, 0.220], abs=5e-4)


def test_choix_8_random_case() -> None:
    """choix tests/test_opt.py (MIT), alpha = .5, i.e. a prior with standard deviation 1."""
    winner = [7, 2, 5, 4, 2, 4, 6, 5, 7, 2, 4, 0, 6, 3, 3, 3, 5, 7, 7, 6]
    loser = [3, 0, 2, 2, 1, 5, 3, 4, 0, 3, 0, 4, 5, 2, 4, 4, 2, 3, 6, 5]
    fit = fit_bradley_terry(winner, loser, [1] * 20, 8, prior_sd=1.0, order_effect=False)
    expected = [-0.51974039, -0.46280878, -0.31376862, -0.06854694, -0.3185146, -0.00346107, 0.63032783, 1.05651257]
    assert fit.scores == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize(
    ("winner", "loser", "worths"),
    [
        ([0, 1, 2], [1, 2, 0], [1.0, 1.0, 1.0]),
        ([0, 0, 1, 2], [1, 1, 2, 0], [1.43586088, 0.62035049, 0.94378863]),
    ],
)
def test_choix_pairwise_cases_at_maximum_likelihood(winner: list[int], loser: list[int], worths: list[float]) -> None:
    """choix tests/data/testcase-pairwise-1.json and -2.json (MIT)."""
    fit = fit_bradley_terry(winner, loser, [1] * len(winner), 3, prior_sd=np.inf, order_effect=False)
    assert fit.scores == pytest.approx(np.log(worths) - np.log(worths).mean(), abs=1e-8)


def test_evalica_simple_case_with_ties_as_half_wins() -> None:
    """evalica simple.csv (Apache-2.0), Bradley-Terry with a tie weight of .5."""
    left = [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 4, 4]
    right = [1, 2, 2, 4, 0, 2, 2, 3, 4, 0, 1, 2, 4, 4, 0, 3]
    outcome = [0.5, 0, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 1, 1]
    fit = fit_bradley_terry(left, right, outcome, 5, prior_sd=np.inf, order_effect=False)
    worths = np.exp(fit.scores) / np.exp(fit.scores).sum()
    expected = [0.0507996725, 0.1311506915, 0.1316856807, 0.3368886804, 0.3494752749]
    assert worths == pytest.approx(expected, abs=5e-9)


def test_evalica_food_case_with_ties_as_half_wins() -> None:
    """evalica food.csv (Apache-2.0); Pizza, Sushi, Burger, Pasta, Tacos in the order they first appear."""
    fit = fit_bradley_terry(*FOOD, 5, prior_sd=np.inf, order_effect=False)
    worths = np.exp(fit.scores) / np.exp(fit.scores).sum()
    expected = [0.09897982556928, 0.19060028489839, 0.14797665121689, 0.12815341060320, 0.43428982771224]
    assert worths == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize(("wins", "losses"), [(3, 1), (10, 7), (1, 1)])
def test_two_essays_differ_by_the_log_odds_of_their_wins(wins: int, losses: int) -> None:
    n = wins + losses
    outcome = [1.0] * wins + [0.0] * losses
    fit = fit_bradley_terry([0] * n, [1] * n, outcome, 2, prior_sd=np.inf, order_effect=False)
    assert fit.scores[0] - fit.scores[1] == pytest.approx(np.log(wins / losses), abs=1e-9)


@pytest.mark.parametrize(("prior_sd", "difference"), [(1.0, 0.674831614343), (2.0, 1.481548786124)])
def test_one_comparison_under_a_prior_has_its_known_mode(prior_sd: float, difference: float) -> None:
    """d / (2 sd^2) = 1 / (1 + e^d)."""
    fit = fit_bradley_terry([0], [1], [1], 2, prior_sd=prior_sd, order_effect=False)
    assert fit.scores[0] - fit.scores[1] == pytest.approx(difference, abs=1e-10)


@pytest.mark.parametrize(("n_items", "repeats", "prior_sd"), [(7, 1, 3.0), (5, 4, 1.0), (40, 2, np.inf), (200, 1, 2.0)])
def test_a_complete_round_of_ties_has_its_known_standard_error(n_items: int, repeats: int, prior_sd: float) -> None:
    """Centred variance ((n-1)/n) / (r n / 4 + 1/sd^2)."""
    first, second = np.triu_indices(n_items, 1)
    first, second = np.tile(first, repeats), np.tile(second, repeats)
    fit = fit_bradley_terry(first, second, np.full(first.size, 0.5), n_items, prior_sd=prior_sd, order_effect=False)
    expected = (n_items - 1) / n_items / (repeats * n_items / 4 + prior_sd**-2)
    assert fit.scores == pytest.approx(np.zeros(n_items), abs=1e-12)
    assert fit.standard_errors**2 == pytest.approx(np.full(n_items, expected), rel=1e-9)


def test_maximum_likelihood_is_refused_where_it_does_not_exist() -> None:
    with pytest.raises(NoMaximumLikelihood, match="Ford"):
        fit_bradley_terry([0, 1, 2], [1, 2, 1], [1, 1, 1], 3, prior_sd=np.inf)
    with pytest.raises(NoMaximumLikelihood):  # every essay beats another, but only from the first seat
        fit_bradley_terry([0, 1, 2], [1, 2, 0], [1, 1, 1], 3, prior_sd=np.inf)
    without = fit_bradley_terry([0, 1, 2], [1, 2, 0], [1, 1, 1], 3, prior_sd=np.inf, order_effect=False)
    assert without.scores == pytest.approx([0, 0, 0], abs=1e-12)
