"""Scores without the prior's pull: what essays with few and with many comparisons can be compared on.

The prior draws an essay to the middle the more, the less it was compared; the logistic likelihood pushes it
outwards in the same measure. Anchors and pupils differ in both, so cuts are laid on these scores instead.
"""

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.information import centred, conjugate_gradients
from cj_pipeline.scoring.likelihood import win_probabilities
from cj_pipeline.scoring.newton import Mode
from cj_pipeline.scoring.pair_counts import PairCounts


def unshrunk_scores(
    counts: PairCounts, mode: Mode, components: IntArray, variances: FloatArray, prior_precision: float
) -> tuple[FloatArray, FloatArray]:
    """(scores, variances) to first order free of bias: (I - precision H^-1)^-1 mode, less Cox & Snell's bias.

    The latter is H^-1 X' [p(1-p) (p - 1/2) var(margin)] (Cox & Snell 1968); the covariance of two opponents
    in var(margin) is taken to first order, information x variance x variance.
    """
    information = mode.information
    probability = win_probabilities(counts, mode.scores, mode.orders)
    one, other = variances[counts.row], variances[counts.other]
    margin_variance = one + other - 2 * information.pairs * one * other
    outward = information.pairs * (probability - 0.5) * margin_variance
    right_sides = np.zeros((counts.n_items + counts.n_borders, 1))
    right_sides[: counts.n_items, 0] = counts.row_sums(outward) - counts.other_sums(outward)
    bias = conjugate_gradients(information, right_sides, 1e-8)[: counts.n_items, 0]

    known_orders = information.without_border()
    pulled = known_orders.times(mode.scores)[:, None]
    unpulled = conjugate_gradients(known_orders.without_prior(prior_precision), pulled, 1e-8)[:, 0]
    return centred(unpulled - bias, components), variances / (1 - prior_precision * variances)
