"""The spread of the essays themselves: prior standard deviation by Laplace marginal likelihood.

Maximises log-likelihood - |scores|^2 / (2 sd^2) - n log sd - 1/2 log det H. Expectation-maximisation and
penalised quasi-likelihood, which drop the determinant's own dependence on the scores, shrink far too much
below 30 comparisons per essay.
"""

import numpy as np
from scipy.linalg import cho_factor
from scipy.optimize import minimize_scalar
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.information import Information, conjugate_gradients
from cj_pipeline.scoring.likelihood import Prior, log_likelihood
from cj_pipeline.scoring.newton import Mode, find_mode
from cj_pipeline.scoring.pair_counts import PairCounts
from cj_pipeline.scoring.standard_errors import cavity_variances, merge_repeats

SMALLEST_SD, LARGEST_SD = 0.05, 20.0
EXACT_DETERMINANT_UP_TO = 500  # items; above, the belief-propagation determinant is good to 1e-4 per item


def estimate_prior_sd(counts: PairCounts, components: IntArray, order_precision: float) -> float:
    """The prior standard deviation that makes the outcomes most probable, within [0.05, 20]."""
    latest: list[Mode] = []

    def misfit(log_sd: float) -> float:
        precision = float(np.exp(-2 * log_sd))
        prior = Prior(precision, order_precision)
        mode = find_mode(counts, components, prior, start=latest[-1] if latest else None)
        latest[:] = [mode]
        return -_log_evidence(counts, components, mode, precision, order_precision)

    found = minimize_scalar(
        misfit,
        bounds=(float(np.log(SMALLEST_SD)), float(np.log(LARGEST_SD))),
        method="bounded",
        options={"xatol": 0.005},
    )
    return float(np.exp(found.x))


def weight_of_differing(
    counts: PairCounts, components: IntArray, mode: Mode, sd: float, order_precision: float
) -> float:
    """Akaike weight of essays that differ, with one parameter more (their spread), against essays all alike.

    `mode` is the fit at the most probable prior `sd`. Near 1 wherever there is something to see; for tossed coins, of
    which one batch in twenty shows a spread of its own, between .3 and .6 (Burnham & Anderson 2002, 2.9).
    """
    alike = find_mode(counts, components, Prior(SMALLEST_SD**-2, order_precision))
    gain = _log_evidence(counts, components, mode, sd**-2, order_precision) - _log_evidence(
        counts, components, alike, SMALLEST_SD**-2, order_precision
    )
    return float(expit(gain - 1))


def _log_evidence(
    counts: PairCounts, components: IntArray, mode: Mode, precision: float, order_precision: float
) -> float:
    penalty = precision * mode.scores @ mode.scores + order_precision * mode.border @ mode.border
    if counts.n_items <= EXACT_DETERMINANT_UP_TO:
        free, log_determinant = counts.n_items, _exact_log_determinant(mode.information)
    else:
        free = counts.n_items - int(components.max()) - 1
        log_determinant = _approximate_log_determinant(mode.information)
    likelihood = log_likelihood(counts, mode.scores, mode.border)
    return likelihood - 0.5 * float(penalty - free * np.log(precision) + log_determinant)


def _exact_log_determinant(information: Information) -> float:
    factor, _ = cho_factor(information.dense(), check_finite=False)
    return 2 * float(np.log(np.diagonal(factor)).sum())


def _approximate_log_determinant(information: Information) -> float:
    """Bethe's determinant, without the constant modes: -sum log v - sum over pairs log(1 - rho^2)."""
    upper = merge_repeats(information.counts.sparse(information.pairs))
    variance = cavity_variances(upper, information.diagonal)
    # under a very wide prior the iteration can leave the positive numbers; the diagonal alone still bounds it there
    variance = np.where(variance > 0, variance, 1 / information.diagonal)
    rows = np.repeat(np.arange(variance.size), np.diff(upper.indptr))
    one, other, coupling = variance[rows], variance[upper.indices], upper.data**2
    unshared = (1 / one + coupling * other) * (1 / other + coupling * one)
    total = -float(np.log(variance).sum()) - float(np.log1p(-coupling / unshared).sum())
    if information.border.size:
        solved: FloatArray = conjugate_gradients(information.without_border(), information.coupling, 1e-4)
        border = information.border - information.coupling.T @ solved
        total += float(np.linalg.slogdet(border)[1])
    return total
