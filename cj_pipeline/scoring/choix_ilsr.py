"""The predecessor's estimator, for parity: choix.ilsr_pairwise(alpha=.01) with its reference-essay errors.

Not for grading: alpha adds wins to every ordered pair, so shrinkage grows with the number of essays and
groups that never met are linked; the standard errors are about 1.6 times the real ones, and zero for one essay.
"""

from dataclasses import dataclass

import choix
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring.fit import checked_comparisons

ALPHA = 0.01
LARGEST_STANDARD_ERROR = 2.0
SATURATED = 10.0  # logits; beyond, the predecessor takes the outcome as certain


@dataclass(frozen=True, slots=True)
class PredecessorFit:
    """Centred scores, and standard errors against the reference essay (its own is zero)."""

    scores: FloatArray
    standard_errors: FloatArray


def fit_choix_ilsr(
    essay_a: ArrayLike,
    essay_b: ArrayLike,
    outcome: ArrayLike,
    n_items: int,
    *,
    reference: int | None = None,
    alpha: float = ALPHA,
) -> PredecessorFit:
    """Scores as the predecessor computed them; ties are left out, as it had none.

    `reference` is the essay whose standard error is zero (default the last one; there, the last anchor).
    Raises ValueError without a decided comparison, RuntimeError when choix does not converge.
    """
    first, second, won, _ = checked_comparisons(essay_a, essay_b, outcome, n_items)
    decided = won != 0.5
    if not decided.any():
        raise ValueError("the predecessor's estimator needs at least one decided comparison")
    winner = np.where(won > 0.5, first, second)[decided]
    loser = np.where(won > 0.5, second, first)[decided]
    pairs = list(zip(winner.tolist(), loser.tolist(), strict=True))
    scores = np.asarray(choix.ilsr_pairwise(n_items, pairs, alpha=alpha), dtype=np.float64)
    scores -= scores.mean()

    margin = scores[winner] - scores[loser]
    information = np.where(np.abs(margin) > SATURATED, 0.0, expit(margin) * expit(-margin))
    matrix = np.zeros((n_items, n_items))
    for one, other, sign in ((winner, winner, 1), (loser, loser, 1), (winner, loser, -1), (loser, winner, -1)):
        np.add.at(matrix, (one, other), sign * information)
    others = np.delete(np.arange(n_items), n_items - 1 if reference is None else reference)
    variances = np.diag(np.linalg.pinv(matrix[np.ix_(others, others)], rcond=1e-10))
    standard_errors = np.zeros(n_items)
    standard_errors[others] = np.minimum(np.sqrt(np.maximum(variances, 0.0)), LARGEST_STANDARD_ERROR)
    return PredecessorFit(scores=scores, standard_errors=standard_errors)
