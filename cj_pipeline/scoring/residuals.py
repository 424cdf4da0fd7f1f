"""What the fit does not explain: infit and outfit, judges' order effects, flips, dispersion of repeats."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Misfit:
    """Mean-square residuals per group; 1 is what the model expects, NaN a group without comparisons."""

    infit: FloatArray  # weighted by information: sum (y-p)^2 / sum p(1-p)
    outfit: FloatArray  # plain mean of (y-p)^2 / p(1-p)


def misfit(residual: FloatArray, information: FloatArray, groups: IntArray, n_groups: int) -> Misfit:
    """Infit and outfit of comparisons by group (Wright & Masters 1982; as in sirt::btm)."""
    squared = residual**2
    count = np.bincount(groups, minlength=n_groups).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        infit = np.bincount(groups, squared, n_groups) / np.bincount(groups, information, n_groups)
        outfit = np.bincount(groups, squared / information, n_groups) / count
    return Misfit(infit=infit, outfit=outfit)


def conditional_order_effects(
    margin: FloatArray, outcome: FloatArray, judge: IntArray, n_judges: int, start: float, precision: float
) -> tuple[FloatArray, FloatArray]:
    """Each judge's own order effect and standard error, the scores taken as known; one Newton per judge.

    `margin` is score[first] - score[second]; the prior's mean is zero.
    """
    effects = np.full(n_judges, start)
    for _ in range(50):
        probability = expit(margin + effects[judge])
        information = np.bincount(judge, probability * (1 - probability), n_judges) + precision
        gradient = np.bincount(judge, outcome - probability, n_judges) - precision * effects
        step = np.clip(gradient / information, -1.0, 1.0)
        effects += step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return effects, 1 / np.sqrt(information)


@dataclass(frozen=True, slots=True)
class Flips:
    """Mirrored pairs per judge: the same two essays asked in both orders."""

    n_pairs: IntArray
    observed: FloatArray  # share in which the other essay wins once the seats are exchanged; NaN if none
    expected: FloatArray  # what the fitted model expects of independent answers


def count_flips(
    essay_a: IntArray,
    essay_b: IntArray,
    outcome: FloatArray,
    probability: FloatArray,
    judge: IntArray,
    n_judges: int,
) -> Flips:
    """Flip rates on mirrored pairs; `probability` is P(A wins), A being shown first.

    The first answer in each order counts; a tie against a win is half a flip.
    """
    n_items = int(max(essay_a.max(initial=0), essay_b.max(initial=0))) + 1
    lower_first = essay_a < essay_b
    pair = (judge * n_items + np.minimum(essay_a, essay_b)) * n_items + np.maximum(essay_a, essay_b)
    pairs_ab, rows_ab = np.unique(pair[lower_first], return_index=True)
    pairs_ba, rows_ba = np.unique(pair[~lower_first], return_index=True)
    mirrored, among_ab, among_ba = np.intersect1d(pairs_ab, pairs_ba, assume_unique=True, return_indices=True)
    one = np.flatnonzero(lower_first)[rows_ab[among_ab]]
    other = np.flatnonzero(~lower_first)[rows_ba[among_ba]]
    flipped = np.abs(outcome[one] - (1 - outcome[other]))
    p_one, p_other = probability[one], 1 - probability[other]
    expected = p_one * (1 - p_other) + (1 - p_one) * p_other
    of_judge = mirrored // (n_items * n_items)
    n_pairs = np.bincount(of_judge, minlength=n_judges)
    with np.errstate(invalid="ignore"):
        return Flips(
            n_pairs=n_pairs,
            observed=np.bincount(of_judge, flipped, n_judges) / n_pairs,
            expected=np.bincount(of_judge, expected, n_judges) / n_pairs,
        )


def pair_dispersion(
    essay_a: IntArray,
    essay_b: IntArray,
    residual: FloatArray,
    information: FloatArray,
    n_free: int,
) -> float:
    """phi >= 1: how much more the comparisons of one pair agree than independent ones would.

    Pair-level Pearson dispersion over the pairs that were judged more than once, less their part of the
    `n_free` fitted scores; pairs judged once are consistent with phi = 1 by definition and are weighed in
    as such. When every pair repeats this is sum_pairs (sum r)^2 / sum p(1-p), over G - n + 1. `residual` is
    outcome - P(A wins). A dispersion below one is reported as one.
    """
    n_items = int(max(essay_a.max(initial=0), essay_b.max(initial=0))) + 1
    pair = np.minimum(essay_a, essay_b) * np.int64(n_items) + np.maximum(essay_a, essay_b)
    keys, group, size = np.unique(pair, return_inverse=True, return_counts=True)
    if keys.size == pair.size:
        return 1.0
    surprise = np.bincount(group, np.where(essay_a < essay_b, residual, -residual))
    expected = np.bincount(group, information)
    repeated = size > 1
    share = float(expected[repeated].sum() / expected.sum())
    degrees_of_freedom = float(repeated.sum()) - n_free * share
    if degrees_of_freedom < 1:
        return 1.0
    of_repeated = float((surprise[repeated] ** 2 / expected[repeated]).sum()) / degrees_of_freedom
    return max(1.0, share * of_repeated + 1 - share)
