"""Reliability in the No More Marking convention, so that figures can be laid beside published ones.

sirt::btm(eps = .3, ignore.ties, fix.eta = 0), re-implemented from its formulas: every essay's wins are
drawn towards half of its comparisons by eps, and scores solved for without a prior or an order effect.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.information import Information, newton_step
from cj_pipeline.scoring.likelihood import win_probabilities
from cj_pipeline.scoring.newton import win_logits
from cj_pipeline.scoring.pair_counts import PairCounts

EPS = 0.3  # sirt's and No More Marking's default
MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class Separation:
    """Scores in the sirt convention and what they say about reliability; NaN where it cannot be had."""

    scores: FloatArray
    standard_errors: FloatArray  # 1 / sqrt(information), no covariance
    ssr: float  # 1 - mean(se^2) / var(scores), variance with n - 1
    separation: float  # G = sd(scores) / sqrt(mean(se^2))


def separate(counts: PairCounts, components: IntArray) -> Separation:
    """Solve S'_i = expected wins, S'_i = eps + (M_i - 2 eps) S_i / M_i; scores centred per component.

    `counts` must be without order effects. The adjusted wins do not add up to the number of comparisons
    exactly; like sirt's centring at each step, the rest is spread in proportion to information.
    """
    compared = counts.comparisons > 0
    played = np.where(compared, counts.comparisons, 1.0)
    adjusted = np.where(compared, EPS + (played - 2 * EPS) * counts.wins / played, 0.0)
    scores = win_logits(counts, components)
    loose = np.ones(int(components.max(initial=-1)) + 1, dtype=bool)
    for _ in range(MAX_STEPS):
        gradient, information = _surplus(counts, scores, adjusted, components)
        try:
            step = newton_step(information, components, loose, gradient, 1e-3)
        except LinAlgError:
            return _nothing(scores.size)
        step /= max(1.0, float(np.abs(step).max(initial=0.0)))
        scores = scores + step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    else:
        return _nothing(scores.size)
    _, information = _surplus(counts, scores, adjusted, components)
    with np.errstate(divide="ignore"):
        standard_errors = np.where(compared, 1 / np.sqrt(information.diagonal), np.nan)
    scores = np.where(compared, scores, np.nan)
    ssr, separation = _from_spread(scores[compared], standard_errors[compared], components[compared])
    return Separation(scores, standard_errors, ssr, separation)


def _nothing(n_items: int) -> Separation:
    """Too sparse a graph: drawing each essay's wins to the middle still leaves one side winning everything."""
    unknown = np.full(n_items, np.nan)
    return Separation(scores=unknown, standard_errors=unknown, ssr=np.nan, separation=np.nan)


def _from_spread(scores: FloatArray, standard_errors: FloatArray, components: IntArray) -> tuple[float, float]:
    free = scores.size - np.unique(components).size
    if free < 2:
        return np.nan, np.nan
    error = float((standard_errors**2).mean())
    spread = float((scores**2).sum()) / free
    if spread == 0:
        return np.nan, 0.0
    return 1 - error / spread, float(np.sqrt(spread / error))


def _surplus(
    counts: PairCounts, scores: FloatArray, adjusted: FloatArray, components: IntArray
) -> tuple[FloatArray, Information]:
    expected = win_probabilities(counts, scores, np.zeros(0))
    pairs = expected * (1 - expected)
    if counts.weight is not None:
        pairs *= counts.weight
        expected *= counts.weight
    surplus = adjusted - counts.row_sums(expected) - counts.comparisons_as_other + counts.other_sums(expected)
    diagonal = counts.row_sums(pairs) + counts.other_sums(pairs)
    total = np.bincount(components, diagonal)
    rest = np.bincount(components, surplus) / np.where(total > 0, total, 1.0)
    return surplus - rest[components] * diagonal, Information(
        counts=counts,
        pairs=pairs,
        diagonal=diagonal,
        coupling=np.zeros((counts.n_items, 0)),
        border=np.zeros((0, 0)),
    )
