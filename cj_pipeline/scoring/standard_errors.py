"""Standard errors of centred scores: exact by Cholesky, or a cavity iteration certified by exact columns.

Only contrasts of scores are identified, so the variance is that of a score less its component's mean:
V = Q H^-1 Q. A reference essay with standard error zero would make all others sqrt(2) too large.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor
from scipy.linalg.lapack import dpotri

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.newton import DENSE_UP_TO, Information, centred, conjugate_gradients, pin_components

EXACT_UP_TO = 3_000  # items in a component; Cholesky takes about a second there
CAVITY_SWEEPS = 6
CERTIFIED_COLUMNS = 8
CERTIFIED_WITHIN = 0.02  # relative error of a standard error; beyond it all of them are widened


@dataclass(frozen=True, slots=True)
class Variances:
    """Variances of centred scores and of order effects."""

    scores: FloatArray  # (n,)
    orders: FloatArray  # (J,)
    largest_error: float  # relative, of a standard error, at the certified columns; 0 when exact


def centred_variances(information: Information, components: IntArray) -> Variances:
    """Diagonal of Q H^-1 Q and the order effects' variances, dense up to 3,000 items."""
    if components.size <= EXACT_UP_TO:
        return _exact(information, components)
    return _certified(information, components)


def _exact(information: Information, components: IntArray) -> Variances:
    n_items = components.size
    diagonal = np.diagonal(_pinned_inverse(information.dense(), components))
    # A component's mean is an eigenvector with the prior's precision as eigenvalue. Raising it by one keeps
    # the inverse well-conditioned for any prior, and its known share is taken off again.
    of_mean = 1.0 / (np.bincount(components)[components] * (1.0 + _prior_precision(information)))
    return Variances(scores=diagonal[:n_items] - of_mean, orders=diagonal[n_items:].copy(), largest_error=0.0)


def _pinned_inverse(matrix: FloatArray, components: IntArray) -> FloatArray:
    """The inverse with each component's mean pinned; above 150 rows only its lower triangle is filled in."""
    pin_components(matrix, components)
    if len(matrix) <= DENSE_UP_TO:  # dpotri starts threads even here, which costs more than it saves
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    factor, _ = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse: FloatArray = dpotri(factor, lower=1, overwrite_c=1)[0]
    return inverse


def _prior_precision(information: Information) -> FloatArray:
    """What the diagonal holds beyond the pairs: the prior's precision of each item."""
    counts = information.counts
    return information.diagonal - counts.row_sums(information.pairs) - counts.other_sums(information.pairs)


def _certified(information: Information, components: IntArray) -> Variances:
    scores = np.empty(components.size)
    sizes = np.bincount(components)
    upper = merge_repeats(information.counts.sparse(information.pairs))
    large = np.flatnonzero((sizes > EXACT_UP_TO)[components])
    if large.size:
        scores[large] = cavity_variances(upper, information.diagonal)[large]
    prior = _prior_precision(information)
    by_component = np.split(np.argsort(components, kind="stable"), np.cumsum(sizes)[:-1])
    for items in (by_component[label] for label in np.flatnonzero(sizes <= EXACT_UP_TO)):
        block = upper[items][:, items].toarray()
        matrix = np.diag(information.diagonal[items]) - block - block.T
        inverse = _pinned_inverse(matrix, np.zeros(items.size, dtype=np.int64))
        scores[items] = np.diagonal(inverse) - 1.0 / (items.size * (1.0 + prior[items]))
    orders = np.zeros(0)
    if information.order.size:
        known_scores = conjugate_gradients(information.without_orders(), information.coupling, 1e-3)
        order_covariance = np.linalg.inv(np.diag(information.order) - information.coupling.T @ known_scores)
        scores += np.einsum("ij,jk,ik->i", known_scores, order_covariance, known_scores)
        orders = np.diagonal(order_covariance).copy()
    largest_error = 0.0
    if large.size:
        sample = _columns_to_certify(information.diagonal, large)
        # the energy of a column errs by the square of the tolerance
        exact = centred_covariances(information, components, sample, tolerance=1e-2)[sample].diagonal()
        ratio = np.sqrt(exact / scores[sample])
        largest_error = float(np.abs(ratio - 1).max())
        if largest_error > CERTIFIED_WITHIN:
            scores[large] *= max(1.0, float(ratio.max())) ** 2
    return Variances(scores=scores, orders=orders, largest_error=largest_error)


def merge_repeats(upper: "sp.csr_array[np.float64]") -> "sp.csr_array[np.float64]":
    """One entry per pair of essays: repeats lie beside each other in a row and are added up."""
    starts = np.ones(upper.data.size, dtype=bool)
    starts[1:] = upper.indices[1:] != upper.indices[:-1]
    starts[upper.indptr[:-1][np.diff(upper.indptr) > 0]] = True
    if starts.all():
        return upper
    kept = np.flatnonzero(starts)
    row_start = np.searchsorted(kept, upper.indptr).astype(upper.indptr.dtype)
    return sp.csr_array((np.add.reduceat(upper.data, kept), upper.indices[kept], row_start), shape=upper.shape)


def cavity_variances(upper: "sp.csr_array[np.float64]", diagonal: FloatArray) -> FloatArray:
    """v <- 1 / (d - (W o W) v): mean-field Gaussian belief propagation, exact on trees.

    It never sees the constant mode, so it is the centred variance directly.
    """
    squared = sp.csr_array((upper.data**2, upper.indices, upper.indptr), shape=upper.shape, copy=False)
    variance = 1.0 / diagonal
    for _ in range(CAVITY_SWEEPS):
        variance = 1.0 / (diagonal - squared @ variance - squared.T @ variance)
    return variance


def _columns_to_certify(diagonal: FloatArray, candidates: IntArray) -> IntArray:
    """Where the cavity errs most if it errs: the least and the most informed items, the others spread evenly."""
    by_information = candidates[np.argsort(diagonal[candidates], kind="stable")]
    places = np.linspace(0, candidates.size - 1, CERTIFIED_COLUMNS).astype(np.int64)
    return by_information[np.unique(places)]


def centred_covariances(
    information: Information, components: IntArray, items: IntArray, tolerance: float = 1e-8
) -> FloatArray:
    """Columns (n, k) of Q H^-1 Q at `items`, order effects estimated, by conjugate gradients."""
    n_items = components.size
    right_sides = np.zeros((n_items + information.order.size, items.size))
    right_sides[items, np.arange(items.size)] = 1.0
    same = components[:, None] == components[items][None, :]
    right_sides[:n_items] -= same / np.bincount(components)[components[items]]
    columns: FloatArray = conjugate_gradients(information, right_sides, tolerance)[:n_items]
    return centred(columns, components)
