"""The scale by choix's own optimiser: the same posterior mode by another hand, for parity and as an oracle.

choix.opt_pairwise penalises alpha * |scores|^2 (its manual says a variance of 1/alpha; it is 1/(2 alpha)).
It holds dense matrices and loops over comparisons in Python: a class, not an exam. It gives no errors.
"""

import choix
import numpy as np
from numpy.typing import ArrayLike

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.existence import refuse_separated
from cj_pipeline.scoring.fit import DEFAULT_PRIOR_SD, checked_comparisons
from cj_pipeline.scoring.information import centred
from cj_pipeline.scoring.pair_counts import count_pairs

TOLERANCE = 1e-12  # of choix's Newton-CG, on the change of the scores


def fit_choix_map(
    essay_a: ArrayLike,
    essay_b: ArrayLike,
    outcome: ArrayLike,
    n_items: int,
    *,
    prior_sd: float = DEFAULT_PRIOR_SD,
) -> FloatArray:
    """Scores (n_items,) that fit_bradley_terry(prior_sd=prior_sd, order_effect=False) gives; NaN if not compared.

    Outcomes are 1 (A wins), 0 (B wins) or .5: choix knows no ties, so every comparison is asked twice, a tie
    once each way, and the penalty is doubled with them. Raises ValueError on other outcomes,
    NoMaximumLikelihood for prior_sd=np.inf without a maximum.
    """
    first, second, won, _ = checked_comparisons(essay_a, essay_b, outcome, n_items)
    if not np.isin(won, (0.0, 0.5, 1.0)).all():
        raise ValueError("choix knows wins only: outcomes must be 0, .5 (a tie) or 1")
    if not prior_sd > 0:
        raise ValueError(f"prior_sd must be above zero (np.inf for maximum likelihood), not {prior_sd}")
    counts = count_pairs(first, second, won, n_items, n_orders=0)
    if prior_sd == np.inf:
        refuse_separated(first, second, won, counts.components())
    twice = [(won > 0, first, second), (won == 1, first, second), (won < 1, second, first), (won == 0, second, first)]
    wins = [pair for rows, winner, loser in twice for pair in _pairs(winner[rows], loser[rows])]
    if not wins:
        return np.full(n_items, np.nan)
    alpha = prior_sd**-2  # half the precision, and twice for the doubled comparisons
    scores = np.asarray(choix.opt_pairwise(n_items, wins, alpha=alpha, tol=TOLERANCE), dtype=np.float64)
    return np.where(counts.comparisons > 0, centred(scores, counts.components()), np.nan)


def _pairs(winner: IntArray, loser: IntArray) -> list[tuple[int, int]]:
    return list(zip(winner.tolist(), loser.tolist(), strict=True))
