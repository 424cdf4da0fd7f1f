"""Nominal 95 % intervals cover 95 % of the truth, also when repeats of a pair are correlated."""

import numpy as np
import pytest
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.scoring import score_comparisons

pytestmark = pytest.mark.heavy
INTERVALS = 6_000  # of each kind: their share has a standard error of .3 %, and the bounds leave 2 %


def coverage(n_items: int, n_pairs: int, sigma: float, repeats: int, pair_sd: float, samples: int) -> float:
    """Share of centred true scores within 1.96 standard errors."""
    covered = []
    for seed in range(samples):
        rng = np.random.default_rng([seed, n_items, repeats])
        first, second = plan_single_wave(n_items, 0, n_pairs, seed)
        truth = rng.normal(size=n_items) * sigma
        chance = expit(truth[first] - truth[second] + 0.3 + pair_sd * rng.normal(size=first.size))
        # a pair effect flattens the judge: the scale is estimated in the flattened unit
        flattened = truth / np.sqrt(1 + 0.346 * pair_sd**2)
        first, second, chance = np.tile(first, repeats), np.tile(second, repeats), np.tile(chance, repeats)
        outcome = (rng.random(first.size) < chance).astype(float)
        scale = score_comparisons(first, second, outcome, np.zeros(first.size, dtype=int), n_items, n_judges=1)
        error = scale.scores - (flattened - flattened.mean())
        covered.append((np.abs(error) <= 1.96 * scale.standard_errors).mean())
    return float(np.mean(covered))


@pytest.mark.parametrize(
    ("n_items", "n_pairs", "sigma"), [(37, 259, 1.5), (37, 518, 1.5), (100, 1000, 1.5), (37, 259, 2.5)]
)
def test_intervals_cover_the_truth_of_a_class(n_items: int, n_pairs: int, sigma: float) -> None:
    assert 0.93 <= coverage(n_items, n_pairs, sigma, 1, 0.0, INTERVALS // n_items) <= 0.97


@pytest.mark.parametrize(("repeats", "pair_sd"), [(2, 1.5), (10, 0.0), (10, 1.5)])
def test_intervals_cover_the_truth_when_pairs_are_repeated(repeats: int, pair_sd: float) -> None:
    assert 0.93 <= coverage(200, 2000, 1.5, repeats, pair_sd, INTERVALS // 200) <= 0.97


def test_intervals_cover_the_truth_of_five_thousand_essays() -> None:
    assert 0.93 <= coverage(5000, 50_000, 1.5, 1, 0.0, samples=4) <= 0.97
