"""Standard errors of scores: exact by Cholesky, or a cavity iteration certified by exact columns.

Only contrasts of scores are identified, so the variance is that of a score less its component's mean:
V = Q H^-1 Q. A reference essay with standard error zero would make all others sqrt(2) too large. Where
priors or fixed items hold the origin, it is the variance of the score itself.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor
from scipy.linalg.lapack import dpotri

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.information import DENSE_UP_TO, Information, centred, conjugate_gradients, pin_components

EXACT_UP_TO = 3_000  # items in a component; Cholesky takes about a second there
CAVITY_SWEEPS = 6  # at most
CAVITY_TOLERANCE = 1e-5  # of the largest variance; a tenth of what the iteration itself is worth
CERTIFIED_COLUMNS = 8
CERTIFIED_WITHIN = 0.02  # relative error of a standard error; beyond it all of them are widened


@dataclass(frozen=True, slots=True)
class Variances:
    """Variances of scores, of order effects and of the log of the tie parameter."""

    scores: FloatArray  # (n,) zero where an item is fixed
    border: FloatArray  # (B,)
    largest_error: float  # relative, of a standard error, at the certified columns; 0 when exact

    @property
    def orders(self) -> FloatArray:
        """The order effects' variances where there is no tie parameter behind them."""
        return self.border


def centred_variances(information: Information, components: IntArray, centre: BoolArray | None = None) -> Variances:
    """Diagonal of Q H^-1 Q and the border's variances, dense up to 3,000 items.

    `centre` (components,) says in which components the score is taken less the mean (None: in all), elsewhere
    its own variance is given.
    """
    if centre is None:
        centre = np.ones(int(components.max(initial=-1)) + 1, dtype=bool)
    if components.size <= EXACT_UP_TO:
        return _exact(information, components, centre)
    return _certified(information, components, centre)


def _exact(information: Information, components: IntArray, centre: BoolArray) -> Variances:
    n_items = components.size
    matrix = information.dense()
    diagonal = np.diagonal(_pinned_inverse(matrix, components, centre))
    # A component's mean is an eigenvector with the prior's precision as eigenvalue. Raising it by one keeps
    # the inverse well-conditioned for any prior, and its known share is taken off again.
    of_mean = centre[components] / (np.bincount(components)[components] * (1.0 + _prior_precision(information)))
    scores = np.maximum(diagonal[:n_items] - of_mean, 0.0)  # rounding, where an essay is alone
    scores[information.fixed] = 0.0
    return Variances(scores=scores, border=diagonal[n_items:].copy(), largest_error=0.0)


def _pinned_inverse(matrix: FloatArray, components: IntArray, centre: BoolArray) -> FloatArray:
    """The inverse with chosen components' means pinned; above 150 rows only its lower triangle is filled in."""
    if centre.any():
        pin_components(matrix, components, centre)
    if len(matrix) <= DENSE_UP_TO:  # dpotri starts threads even here, which costs more than it saves
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    factor, _ = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse: FloatArray = dpotri(factor, lower=1, overwrite_c=1)[0]
    return inverse


def _prior_precision(information: Information) -> FloatArray:
    """What the diagonal holds beyond the pairs: the prior's precision of each item."""
    counts = information.counts
    return information.diagonal - counts.row_sums(information.pairs) - counts.other_sums(information.pairs)


def _certified(information: Information, components: IntArray, centre: BoolArray) -> Variances:
    known = information.without_border()
    sizes = np.bincount(components)
    links = merge_repeats(information.counts.sparse(information.pairs))
    is_large = (sizes > EXACT_UP_TO)[components]
    is_large[information.fixed] = False
    large = np.flatnonzero(is_large)
    scores = np.zeros(components.size)
    if large.size:
        scores[large] = cavity_variances(links, information.diagonal, information.fixed)[large]
    for label in np.flatnonzero((sizes > EXACT_UP_TO) & ~centre):
        members = large[components[large] == label]
        scores[members] += _of_the_mean(known, members)
    _fill_small(scores, known, links, components, centre)
    border = np.zeros(0)
    if information.border.size:
        known_scores = conjugate_gradients(known, information.coupling, 1e-3)
        covariance = np.linalg.inv(information.border - information.coupling.T @ known_scores)
        scores += np.einsum("ij,jk,ik->i", known_scores, covariance, known_scores)
        border = np.diagonal(covariance).copy()
    largest_error = 0.0
    if large.size:
        sample = _columns_to_certify(information.diagonal, large)
        # the energy of a column errs by the square of the tolerance
        columns = centred_covariances(information, components, sample, tolerance=2e-2, centre=centre)
        ratio = np.sqrt(columns[sample].diagonal() / scores[sample])
        largest_error = float(np.abs(ratio - 1).max())
        if largest_error > CERTIFIED_WITHIN:
            scores[large] *= max(1.0, float(ratio.max())) ** 2
    return Variances(scores=scores, border=border, largest_error=largest_error)


def _of_the_mean(known: Information, members: IntArray) -> FloatArray:
    """What is to be added to a centred variance for the origin's own: 2 cov(score, mean) - var(mean)."""
    right_side = np.zeros((known.diagonal.size, 1))
    right_side[members] = 1.0 / members.size
    with_mean: FloatArray = conjugate_gradients(known, right_side, 1e-3)[members, 0]
    return 2 * with_mean - with_mean.mean()


def _fill_small(
    scores: FloatArray,
    known: Information,
    links: "sp.csr_array[np.float64]",
    components: IntArray,
    centre: BoolArray,
) -> None:
    """The exact variances of every component of up to 3,000 items, at a known border (in place)."""
    sizes = np.bincount(components)
    small = np.flatnonzero(sizes <= EXACT_UP_TO)
    if not small.size:
        return
    prior = _prior_precision(known)
    by_component = np.split(np.argsort(components, kind="stable"), np.cumsum(sizes)[:-1])
    for label in small:
        items = by_component[label]
        block = links[items][:, items].toarray()
        matrix = np.diag(known.diagonal[items]) - block - block.T
        given = np.flatnonzero(np.isin(items, known.fixed))
        matrix[given] = matrix[:, given] = 0.0
        matrix[given, given] = 1.0
        inverse = _pinned_inverse(matrix, np.zeros(items.size, dtype=np.int64), centre[label : label + 1])
        scores[items] = np.diagonal(inverse) - centre[label] / (items.size * (1.0 + prior[items]))
        scores[items[given]] = 0.0


def merge_repeats(upper: "sp.csr_array[np.float64]") -> "sp.csr_array[np.float64]":
    """Triangular, one entry per pair of essays: repeats are added up.

    Turned over by a counting sort, after which they lie beside each other.
    """
    turned = upper.tocsc()
    rows, row_start, values = turned.indices, turned.indptr, turned.data
    begins = np.ones(values.size, dtype=bool)
    np.not_equal(rows[1:], rows[:-1], out=begins[1:])
    begins[row_start[:-1][np.diff(row_start) > 0]] = True
    if not begins.all():
        kept = np.flatnonzero(begins)
        row_start = np.searchsorted(kept, row_start).astype(row_start.dtype)
        rows, values = rows[kept], np.add.reduceat(values, kept)
    return sp.csr_array((values, rows, row_start), shape=upper.shape, copy=False)


def cavity_variances(
    links: "sp.csr_array[np.float64]", diagonal: FloatArray, fixed: IntArray | None = None
) -> FloatArray:
    """v <- 1 / (d - (W o W) v): mean-field Gaussian belief propagation, exact on trees.

    It never sees the constant mode, so it is the centred variance directly. A fixed item has none.
    """
    squared = sp.csr_array((links.data**2, links.indices, links.indptr), shape=links.shape, copy=False)
    diagonal = np.where(diagonal > 0, diagonal, 1.0)  # an essay nobody asked about, without a prior
    variance = 1.0 / diagonal
    for _ in range(CAVITY_SWEEPS):
        if fixed is not None:
            variance[fixed] = 0.0
        previous, variance = variance, 1.0 / (diagonal - squared @ variance - squared.T @ variance)
        if np.abs(variance - previous).max(initial=0.0) <= CAVITY_TOLERANCE * variance.max(initial=0.0):
            break
    return variance


def _columns_to_certify(diagonal: FloatArray, candidates: IntArray) -> IntArray:
    """Where the cavity errs most if it errs: the least and the most informed items, the others spread evenly."""
    places = np.unique(np.linspace(0, candidates.size - 1, CERTIFIED_COLUMNS).astype(np.int64))
    return candidates[np.argpartition(diagonal[candidates], places)[places]]


def centred_covariances(
    information: Information,
    components: IntArray,
    items: IntArray,
    tolerance: float = 1e-8,
    centre: BoolArray | None = None,
) -> FloatArray:
    """Columns (n, k) of Q H^-1 Q at `items`, the border estimated, by conjugate gradients.

    `centre` (components,) says in which components Q takes the mean off; None: in all.
    """
    n_items = components.size
    right_sides = np.zeros((n_items + len(information.border), items.size))
    right_sides[items, np.arange(items.size)] = 1.0
    share = 1.0 / np.bincount(components)
    if centre is not None:
        share *= centre
    same = components[:, None] == components[items][None, :]
    right_sides[:n_items] -= same * share[components[items]]
    columns: FloatArray = conjugate_gradients(information, right_sides, tolerance)[:n_items]
    return centred(columns, components, centre)
