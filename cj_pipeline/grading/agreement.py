"""How well two sets of grades agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from cj_pipeline.pairing.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two graders; shares of `n`, NaN where a figure is not defined."""

    n: int
    exact: float
    adjacent: float  # within one grade, exact included
    mae: float  # mean absolute difference in grades
    qwk: float  # Cohen's kappa with quadratic weights (Cohen 1968)
    spearman: float


def agreement(grades_a: ArrayLike, grades_b: ArrayLike, n_grades: int) -> Agreement:
    """Compare grade indices 0..n_grades-1 of the same essays. ValueError on other values or lengths."""
    a, b = np.asarray(grades_a), np.asarray(grades_b)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"two vectors of one length are compared, not {a.shape} and {b.shape}")
    if not a.size:
        return Agreement(0, np.nan, np.nan, np.nan, np.nan, np.nan)
    if min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= n_grades:
        raise ValueError(f"grades must lie in 0..{n_grades - 1}; leave ungraded essays out")
    distance = np.abs(a - b)
    return Agreement(
        n=a.size,
        exact=float((distance == 0).mean()),
        adjacent=float((distance <= 1).mean()),
        mae=float(distance.mean()),
        qwk=_quadratic_weighted_kappa(a.astype(np.float64), b.astype(np.float64)),
        spearman=_correlation(rankdata(a), rankdata(b)),
    )


def _quadratic_weighted_kappa(a: FloatArray, b: FloatArray) -> float:
    """1 - mean squared difference over the one expected of independent graders with the same margins."""
    expected = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(1 - ((a - b) ** 2).mean() / expected) if expected > 0 else float("nan")


def _correlation(a: FloatArray, b: FloatArray) -> float:
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
