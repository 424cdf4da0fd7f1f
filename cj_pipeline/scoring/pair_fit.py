"""Which comparisons surprise: residuals by pair of essays, and how much hangs on single answers."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.votes import Votes

LEAST_INFORMATION = 1e-12  # of a pair the fit is certain about: a contradiction is then as large as it can be


@dataclass(frozen=True, slots=True)
class PairFit:
    """One entry per pair of essays that was compared, the most surprising first; A is the lower-numbered essay."""

    essay_a: IntArray
    essay_b: IntArray
    comparisons: IntArray
    wins_a: FloatArray
    expected_wins_a: FloatArray
    infit: FloatArray  # sum (y-p)^2 / sum p(1-p)
    outfit: FloatArray  # mean (y-p)^2 / p(1-p)
    surprise: FloatArray  # (wins - expected) / sqrt(sum p(1-p))


def pair_fit(votes: Votes, probability: FloatArray, most: int | None = None) -> PairFit:
    """Residuals per pair; `probability` (m,) is the fitted P(A wins) of each vote. At most `most` pairs."""
    lower_first = votes.essay_a < votes.essay_b
    low, high = np.minimum(votes.essay_a, votes.essay_b), np.maximum(votes.essay_a, votes.essay_b)
    keys, pair = np.unique(low * np.int64(votes.n_essays) + high, return_inverse=True)
    won = np.where(lower_first, votes.outcome, 1 - votes.outcome)
    expected = np.where(lower_first, probability, 1 - probability)
    information = np.maximum(expected * (1 - expected), LEAST_INFORMATION)
    squared = (won - expected) ** 2

    def total(values: FloatArray | None) -> FloatArray:
        return grouped_sums(pair, values, keys.size)

    comparisons, wins, expected_wins, informed = total(None), total(won), total(expected), total(information)
    surprise = (wins - expected_wins) / np.sqrt(informed)
    order = np.argsort(-np.abs(surprise), kind="stable")[:most]
    return PairFit(
        essay_a=(keys // votes.n_essays)[order],
        essay_b=(keys % votes.n_essays)[order],
        comparisons=comparisons[order].astype(np.int64),
        wins_a=wins[order],
        expected_wins_a=expected_wins[order],
        infit=(total(squared) / informed)[order],
        outfit=(total(squared / information) / comparisons)[order],
        surprise=surprise[order],
    )


def leverages(
    first: IntArray, second: IntArray, information: FloatArray, variances: FloatArray, n_items: int
) -> FloatArray:
    """(n,) mean leverage of an essay's comparisons; NaN for an essay without any.

    A comparison's leverage is p(1-p) var(score[A] - score[B]): the weight of its own answer in its fitted value
    (Pregibon 1981). The covariance of the two scores is taken to first order, p(1-p) x variance x variance.
    `variances` (n,) are those of the centred scores, not widened by repeats.
    """
    one, other = variances[first], variances[second]
    own = np.clip(information * (one + other - 2 * information * one * other), 0.0, 1.0)
    total = grouped_sums(first, own, n_items) + grouped_sums(second, own, n_items)
    count = grouped_sums(first, None, n_items) + grouped_sums(second, None, n_items)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)
