"""Published results, to the digits given there.

Tables entered from the primary sources: Stigler (1994) and Agresti, Categorical Data Analysis (2002), pages
438 and 448; Davidson (1970), table of chocolate puddings. Further digits were computed with R packages
BradleyTerry2 and PlackettLuce and an independent implementation.
"""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.standard_errors import centred_covariances

CITED_BY = np.array([[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]])

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
HOME_WINS_AND_LOSSES = (  # rows: home team; entries: wins-losses against the others in the order of TEAMS
    "4-3 4-2 4-3 6-1 4-2 6-0",
    "3-3 4-2 4-3 6-0 6-1 4-3",
    "2-5 4-3 2-4 4-3 4-2 6-0",
    "3-3 5-1 2-5 4-3 4-2 6-1",
    "5-1 2-5 3-3 4-2 5-2 6-0",
    "2-5 3-3 3-4 4-3 4-2 2-4",
    "2-5 1-5 1-6 2-4 1-6 3-4",
)

PUDDINGS = (  # brand i, brand j, preferred i, preferred j, ties
    (1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9),
    (3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16),
    (1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12),
)  # fmt: skip


def citations() -> tuple[list[int], list[int], list[float], list[int]]:
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    return [i for i, _ in pairs], [j for _, j in pairs], [1.0] * 12, [int(CITED_BY[i, j]) for i, j in pairs]


def baseball() -> tuple[list[int], list[int], list[float], list[int]]:
    home, away, outcome, times = [], [], [], []
    for team, row in enumerate(HOME_WINS_AND_LOSSES):
        visitors = [other for other in range(7) if other != team]
        for visitor, record in zip(visitors, row.split(), strict=True):
            wins, losses = map(int, record.split("-"))
            home += [team, team]
            away += [visitor, visitor]
            outcome += [1.0, 0.0]
            times += [wins, losses]
    return home, away, outcome, times


def contrasts(data: tuple[ArrayLike, ...], n_items: int, reference: int, n_orders: int) -> tuple[FloatArray, ...]:
    """Scores less the reference's, and their standard errors, at maximum likelihood."""
    first, second, outcome, weights = (np.asarray(column) for column in data)
    counts = count_pairs(first, second, outcome.astype(float), n_items, n_orders=n_orders, weights=weights * 1.0)
    mode, _ = fit_mode(counts, counts.components(), np.inf)
    covariance = centred_covariances(mode.information, counts.components(), np.arange(n_items))
    variance = np.diag(covariance)
    error = np.sqrt(np.maximum(variance + variance[reference] - 2 * covariance[:, reference], 0.0))
    return mode.scores - mode.scores[reference], error


def test_statistics_journals_by_citations() -> None:
    scores, errors = contrasts(citations(), 4, reference=0, n_orders=0)
    assert scores == pytest.approx([0, -2.949072, -0.479570, 0.268954], abs=5e-7)
    assert errors == pytest.approx([0, 0.102545, 0.060589, 0.070830], abs=5e-7)


def test_baseball_1987() -> None:
    scores, errors = contrasts(baseball(), 7, reference=6, n_orders=0)
    expected = [1.581356, 1.436408, 1.294485, 1.247618, 1.107698, 0.683853, 0]
    assert scores == pytest.approx(expected, abs=5e-7)
    assert errors == pytest.approx([0.343256, 0.339569, 0.336669, 0.335861, 0.333878, 0.331877, 0], abs=5e-7)


def test_baseball_1987_with_the_advantage_of_the_home_team_as_order_effect() -> None:
    home, away, outcome, times = baseball()
    fit = fit_bradley_terry(home, away, outcome, 7, prior_sd=np.inf, weights=times)
    expected = [1.619555, 1.475357, 1.327110, 1.281340, 1.143803, 0.704694, 0]
    assert fit.scores - fit.scores[6] == pytest.approx(expected, abs=5e-7)
    assert fit.order_effect == pytest.approx(0.302261, abs=5e-7)
    assert fit.order_effect_standard_error == pytest.approx(0.130944, abs=5e-7)
    worths = np.sort(np.exp(fit.scores) / np.exp(fit.scores).sum())
    assert worths == pytest.approx([0.044, 0.088, 0.137, 0.157, 0.164, 0.190, 0.220], abs=5e-4)


def test_chocolate_puddings_with_ties_as_half_wins() -> None:
    i, j, one, other, ties = np.array(PUDDINGS).T
    first, second = np.tile(i - 1, 3), np.tile(j - 1, 3)
    outcome = np.repeat([1.0, 0.0, 0.5], i.size)
    weights = np.concatenate([one, other, ties])
    fit = fit_bradley_terry(first, second, outcome, 6, prior_sd=np.inf, order_effect=False, weights=weights)
    expected = [0, 0.16031, 0.11134, 0.12748, 0.09743, 0.27449]
    assert fit.scores - fit.scores[0] == pytest.approx(expected, abs=5e-6)


def test_choix_8_random_case() -> None:
    """choix tests/test_opt.py (MIT), alpha = .5, i.e. a prior with standard deviation 1."""
    winner = [7, 2, 5, 4, 2, 4, 6, 5, 7, 2, 4, 0, 6, 3, 3, 3, 5, 7, 7, 6]
    loser = [3, 0, 2, 2, 1, 5, 3, 4, 0, 3, 0, 4, 5, 2, 4, 4, 2, 3, 6, 5]
    fit = fit_bradley_terry(winner, loser, [1] * 20, 8, prior_sd=1.0, order_effect=False)
    expected = [-0.51974039, -0.46280878, -0.31376862, -0.06854694, -0.3185146, -0.00346107, 0.63032783, 1.05651257]
    assert fit.scores == pytest.approx(expected, abs=5e-9)


def test_choix_pairwise_case_2_at_maximum_likelihood() -> None:
    """choix tests/data/testcase-pairwise-2.json (MIT)."""
    fit = fit_bradley_terry([0, 0, 1, 2], [1, 1, 2, 0], [1] * 4, 3, prior_sd=np.inf, order_effect=False)
    assert fit.scores == pytest.approx([0.419617624, -0.419617624, 0], abs=5e-9)


def test_evalica_simple_case_with_ties_as_half_wins() -> None:
    """evalica simple.csv (Apache-2.0), Bradley-Terry with a tie weight of .5."""
    left = [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 4, 4]
    right = [1, 2, 2, 4, 0, 2, 2, 3, 4, 0, 1, 2, 4, 4, 0, 3]
    outcome = [0.5, 0, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 1, 1]
    fit = fit_bradley_terry(left, right, outcome, 5, prior_sd=np.inf, order_effect=False)
    worths = np.exp(fit.scores) / np.exp(fit.scores).sum()
    expected = [0.0507996725, 0.1311506915, 0.1316856807, 0.3368886804, 0.3494752749]
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
