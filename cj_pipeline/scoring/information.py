"""The information matrix of a fit: products, its dense form, and linear systems solved with it.

Scores come first, then the border: order effects, and the log of the tie parameter if there is one.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dposv

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.pair_counts import PairCounts

DENSE_UP_TO = 150  # parameters; above, sparse matrix products beat a Cholesky factor
MAX_PCG = 500
NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Information:
    """Negative Hessian of the penalised log-likelihood at one point, over n scores and B border parameters."""

    counts: PairCounts
    pairs: FloatArray  # (m,) information of each comparison about its margin, in row order
    diagonal: FloatArray  # (n,) including the prior
    coupling: FloatArray  # (n, B) between scores and border
    border: FloatArray  # (B, B) including the prior
    fixed: IntArray = field(default_factory=lambda: NOBODY)  # items that are given, not estimated

    def times(self, vectors: FloatArray, upper: "sp.csr_array[np.float64] | None" = None) -> FloatArray:
        """Product with one vector (n + B,) or several (n + B, k); `upper` if the caller has it at hand."""
        upper = self.counts.sparse(self.pairs) if upper is None else upper
        n_items = self.diagonal.size
        scores, border = vectors[:n_items], vectors[n_items:]
        columns = (slice(None),) + (None,) * (vectors.ndim - 1)
        product = np.empty_like(vectors)
        np.multiply(self.diagonal[columns], scores, out=product[:n_items])
        product[:n_items] -= np.asarray(upper @ scores)
        product[:n_items] -= np.asarray(upper.T @ scores)
        if border.size:
            # einsum, here and below: a threaded BLAS can stall for milliseconds on a vector of this length
            product[:n_items] += np.einsum("ij,j...->i...", self.coupling, border)
            product[n_items:] = np.einsum("ij,i...->j...", self.coupling, scores) + self.border @ border
        return product

    def without_border(self) -> "Information":
        """The same at known order effects and tie parameter."""
        return replace(self, coupling=np.zeros((self.diagonal.size, 0)), border=np.zeros((0, 0)))

    def without_prior(self, precision: float) -> "Information":
        """The same less the scores' prior: the likelihood's own information."""
        return replace(self, diagonal=self.diagonal - precision)

    def dense(self) -> FloatArray:
        """The full (n + B, n + B) matrix; a fixed item is a row and column of the unit matrix."""
        n_items, n_border = self.coupling.shape
        size = n_items + n_border
        cells = self.counts.row * np.int64(size) + self.counts.other
        upper = grouped_sums(cells, self.pairs, size * size).reshape(size, size)
        upper += upper.T
        matrix = np.negative(upper, out=upper)
        matrix.ravel()[: n_items * (size + 1) : size + 1] = self.diagonal
        if n_border:
            matrix[:n_items, n_items:] = self.coupling
            matrix[n_items:, :n_items] = self.coupling.T
            matrix[n_items:, n_items:] = self.border
        if self.fixed.size:
            matrix[self.fixed] = matrix[:, self.fixed] = 0.0
            matrix[self.fixed, self.fixed] = 1.0
        return matrix


def newton_step(
    information: Information,
    components: IntArray,
    loose: BoolArray,
    gradient: FloatArray,
    tolerance: float,
    dense_up_to: int = DENSE_UP_TO,
) -> FloatArray:
    """Solve information @ step = gradient; the mean of a component that is loose stays where it is.

    `loose` (components,) says where neither prior nor fixed items hold the origin. Up to `dense_up_to`
    parameters the solution is exact, above it is had to a relative residual of `tolerance`.
    """
    if not gradient.size:
        return gradient
    if gradient.size <= dense_up_to:
        matrix = information.dense()
        if loose.any():
            pin_components(matrix, components, loose)
        _, solved, fault = dposv(matrix, gradient, overwrite_a=1)  # cho_solve's wrapping costs as much again
        if fault:
            raise LinAlgError("the information matrix is not positive definite")
        step: FloatArray = solved
        return step
    step = conjugate_gradients(information, gradient[:, None], tolerance)[:, 0]
    if loose.any():
        step[: components.size] = centred(step[: components.size], components, loose)
    return step


def pin_components(matrix: FloatArray, components: IntArray, pinned: BoolArray | None = None) -> None:
    """Give the mean of each component, or of the `pinned` ones, a unit of information (in place)."""
    n_items = components.size
    share = 1.0 / np.bincount(components)
    if pinned is not None:
        share *= pinned
    matrix[:n_items, :n_items] += (components[:, None] == components[None, :]) * share[components]


def centred(values: FloatArray, components: IntArray, chosen: BoolArray | None = None) -> FloatArray:
    """Values less their mean within each (chosen) component; for (n, k), column by column."""
    if chosen is None and components.size and not components.any():
        return values - values.mean(axis=0)
    if values.ndim > 1:
        return np.column_stack([centred(column, components, chosen) for column in values.T])
    means = np.bincount(components, values) / np.bincount(components)
    if chosen is not None:
        means *= chosen
    return values - means[components]


def conjugate_gradients(information: Information, right_sides: FloatArray, tolerance: float) -> FloatArray:
    """Solve information @ x = b for the columns of b at once, to a relative residual, Jacobi-preconditioned."""
    upper = information.counts.sparse(information.pairs)
    diagonal = np.concatenate([information.diagonal, np.diagonal(information.border)])[:, None]
    inverse_diagonal = 1.0 / np.where(diagonal > 0, diagonal, 1.0)
    inverse_diagonal[information.fixed] = 0.0  # so that no direction ever leaves the items that are estimated
    solution = np.zeros_like(right_sides)
    residual = right_sides.copy()
    preconditioned = inverse_diagonal * residual
    direction = preconditioned.copy()
    energy = np.einsum("ij,ij->j", residual, preconditioned)
    target = np.maximum(energy * tolerance**2, np.finfo(float).tiny)
    for _ in range(MAX_PCG):
        if (energy <= target).all():
            break
        image = information.times(direction, upper)
        curvature = np.einsum("ij,ij->j", direction, image)
        length = np.divide(energy, curvature, out=np.zeros_like(energy), where=curvature > 0)
        solution += length * direction
        image *= length
        residual -= image
        np.multiply(inverse_diagonal, residual, out=preconditioned)
        previous, energy = energy, np.einsum("ij,ij->j", residual, preconditioned)
        ratio = np.divide(energy, previous, out=np.zeros_like(energy), where=previous > 0)
        direction *= ratio
        direction += preconditioned
    return solution
