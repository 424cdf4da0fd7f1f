"""The penalised likelihood's mode: damped Newton steps, solved by Cholesky (small) or Jacobi-PCG (large).

Model: logit P(first wins) = score[first] - score[second] + order[judge]; scores ~ N(0, 1/score_precision),
order effects ~ N(0, 1/order_precision). A precision of zero is maximum likelihood.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.pair_counts import PairCounts

DENSE_UP_TO = 150  # parameters; above, sparse matrix products beat a Cholesky factor
BLOCK = 32_768  # comparisons per pass, so that its temporaries stay in the second-level cache
MAX_NEWTON = 60
MAX_PCG = 500
GRADIENT_TOLERANCE = 1e-8  # per unit of median information, infinity norm


@dataclass(frozen=True, slots=True)
class Information:
    """Negative Hessian of the penalised log-likelihood at one point, bordered by the order effects."""

    counts: PairCounts
    pairs: FloatArray  # (m,) information p(1-p) of each comparison, in row order
    diagonal: FloatArray  # (n,) including the prior
    coupling: FloatArray  # (n, J) between scores and order effects
    order: FloatArray  # (J,) including the prior

    def times(self, vectors: FloatArray, upper: "sp.csr_array[np.float64] | None" = None) -> FloatArray:
        """Product with one vector (n + J,) or several (n + J, k); `upper` if the caller has it at hand."""
        upper = self.counts.sparse(self.pairs) if upper is None else upper
        n_items = self.diagonal.size
        scores, orders = vectors[:n_items], vectors[n_items:]
        columns = (slice(None),) + (None,) * (vectors.ndim - 1)
        product = np.empty_like(vectors)
        product[:n_items] = self.diagonal[columns] * scores - upper @ scores - upper.T @ scores
        if orders.size:
            # einsum, here and below: a threaded BLAS can stall for milliseconds on a vector of this length
            product[:n_items] += np.einsum("ij,j...->i...", self.coupling, orders)
            product[n_items:] = np.einsum("ij,i...->j...", self.coupling, scores) + self.order[columns] * orders
        return product

    def without_orders(self) -> "Information":
        """The same at known order effects."""
        return replace(self, coupling=np.zeros((self.diagonal.size, 0)), order=np.zeros(0))

    def without_prior(self, precision: float) -> "Information":
        """The same less the scores' prior: the likelihood's own information."""
        return replace(self, diagonal=self.diagonal - precision)

    def dense(self) -> FloatArray:
        """The full (n + J, n + J) matrix."""
        n_items, n_orders = self.coupling.shape
        matrix = np.zeros((n_items + n_orders, n_items + n_orders))
        cells = self.counts.row.astype(np.int64) * n_items + self.counts.other
        upper = grouped_sums(cells, self.pairs, n_items * n_items).reshape(n_items, n_items)
        scores = matrix[:n_items, :n_items]
        scores -= upper
        scores -= upper.T
        scores[np.diag_indices(n_items)] = self.diagonal
        matrix[:n_items, n_items:] = self.coupling
        matrix[n_items:, :n_items] = self.coupling.T
        matrix[n_items:, n_items:] = np.diag(self.order)
        return matrix


@dataclass(frozen=True, slots=True)
class Mode:
    """Where the penalised likelihood is highest, and how well that was reached."""

    scores: FloatArray
    orders: FloatArray
    information: Information
    gradient_norm: float  # infinity norm
    tolerance: float
    last_step: float  # infinity norm of the last Newton step; stays large where no maximum exists
    iterations: int

    @property
    def converged(self) -> bool:
        """Whether the gradient met its tolerance."""
        return self.gradient_norm <= self.tolerance


def find_mode(
    counts: PairCounts,
    components: IntArray,
    score_precision: float,
    order_precision: float,
    start: Mode | None = None,
) -> Mode:
    """Maximise from the items' win logits, or from `start`. Never raises: the caller reads `converged`."""
    n_items = counts.n_items
    point = np.zeros(n_items + counts.n_orders)
    if start is None:
        point[:n_items] = win_logits(counts, components)
    else:
        point[:n_items], point[n_items:] = start.scores, start.orders
    gradient, information = _derivatives(counts, point, score_precision, order_precision)
    first_norm = float(np.abs(gradient).max(initial=0.0)) or 1.0
    tolerance = GRADIENT_TOLERANCE * max(1.0, float(np.median(information.diagonal))) if n_items else 0.0
    aim = tolerance if point.size > DENSE_UP_TO else 1e-3 * tolerance  # quadratic: a digit more costs nothing
    step_size, iterations = 0.0, 0
    while iterations < MAX_NEWTON:
        norm = float(np.abs(gradient).max(initial=0.0))
        if norm <= aim and (score_precision > 0 or (iterations > 0 and step_size < 1e-4)):
            break
        forcing = min(0.1, max(norm / first_norm, 0.1 * tolerance / norm if norm else 1.0))
        try:
            step = newton_step(information, components, gradient, forcing, pinned=score_precision > 0)
        except LinAlgError:  # without a prior, information can run out on the way to infinity
            step_size = np.inf
            break
        slope = float(np.einsum("i,i->", gradient, step))
        scale = 1.0
        for _ in range(30):
            trial = point + scale * step
            trial_gradient, trial_information = _derivatives(counts, trial, score_precision, order_precision)
            overshoot = -float(np.einsum("i,i->", trial_gradient, step))
            if overshoot <= 0.5 * slope:
                break
            scale *= slope / (slope + overshoot)
        point, gradient, information = trial, trial_gradient, trial_information
        step_size = scale * float(np.abs(step).max())
        iterations += 1
    return Mode(
        scores=point[:n_items],
        orders=point[n_items:],
        information=information,
        gradient_norm=float(np.abs(gradient).max(initial=0.0)),
        tolerance=tolerance,
        last_step=step_size,
        iterations=iterations,
    )


def win_probabilities(counts: PairCounts, scores: FloatArray, orders: FloatArray) -> FloatArray:
    """P(the row's item wins) of each comparison, in row order."""
    probability = np.repeat(scores, np.diff(counts.row_start))
    with np.errstate(over="ignore"):
        for begin in range(0, counts.row.size, BLOCK):
            block = slice(begin, begin + BLOCK)
            out = probability[block]
            np.subtract(scores[counts.other[block]], out, out=out)
            if orders.size == 1:
                out -= orders[0] * counts.seat[block]
            elif counts.judge is not None:
                out -= orders[counts.judge[block]] * counts.seat[block]
            np.exp(out, out=out)
            out += 1.0
            np.reciprocal(out, out=out)
    return probability


def _derivatives(
    counts: PairCounts, point: FloatArray, score_precision: float, order_precision: float
) -> tuple[FloatArray, Information]:
    n_items = counts.n_items
    scores, orders = point[:n_items], point[n_items:]
    expected = win_probabilities(counts, scores, orders)
    pairs = np.subtract(1.0, expected)
    pairs *= expected
    if counts.weight is not None:
        pairs *= counts.weight
        expected *= counts.weight
    expected_wins = counts.row_sums(expected) + counts.comparisons_as_other - counts.other_sums(expected)
    gradient = np.empty_like(point)
    gradient[:n_items] = counts.wins - expected_wins - score_precision * scores
    coupling = np.zeros((n_items, orders.size))
    if orders.size:
        expected *= counts.seat
        expected_first_wins = counts.order_sums(expected) + counts.second_seat_weight
        gradient[n_items:] = counts.first_wins - expected_first_wins - order_precision * orders
        coupling = _coupling(counts, np.multiply(pairs, counts.seat, out=expected))
    return gradient, Information(
        counts=counts,
        pairs=pairs,
        diagonal=counts.row_sums(pairs) + counts.other_sums(pairs) + score_precision,
        coupling=coupling,
        order=counts.order_sums(pairs) + order_precision,
    )


def _coupling(counts: PairCounts, seated: FloatArray) -> FloatArray:
    if counts.judge is None:
        return (counts.row_sums(seated) - counts.other_sums(seated))[:, None]
    n_cells = counts.n_items * counts.n_orders
    as_row = grouped_sums(counts.row.astype(np.int64) * counts.n_orders + counts.judge, seated, n_cells)
    as_other = grouped_sums(counts.other.astype(np.int64) * counts.n_orders + counts.judge, seated, n_cells)
    return (as_row - as_other).reshape(counts.n_items, counts.n_orders)


def win_logits(counts: PairCounts, components: IntArray) -> FloatArray:
    """Each item's win logit, widened for the spread of its opponents: about two Newton steps saved."""
    logits = np.log((counts.wins + 0.5) / (counts.comparisons - counts.wins + 0.5))
    logits *= np.sqrt(1 + logits.var() / 2.9) if logits.size else 1.0
    return centred(logits, components)


def centred(values: FloatArray, components: IntArray) -> FloatArray:
    """Values less their mean within each component; for (n, k), column by column."""
    sizes = np.bincount(components)
    if values.ndim == 1:
        return values - (np.bincount(components, values) / sizes)[components]
    return np.column_stack([centred(column, components) for column in values.T])


def newton_step(
    information: Information, components: IntArray, gradient: FloatArray, forcing: float, pinned: bool
) -> FloatArray:
    """Solve information @ step = gradient; `pinned` says that the prior fixes each component's mean."""
    if gradient.size <= DENSE_UP_TO:
        matrix = information.dense()
        if not pinned:
            pin_components(matrix, components)
        step: FloatArray = cho_solve(cho_factor(matrix, check_finite=False), gradient, check_finite=False)
        return step
    step = conjugate_gradients(information, gradient[:, None], forcing)[:, 0]
    if not pinned:
        step[: components.size] = centred(step[: components.size], components)
    return step


def pin_components(matrix: FloatArray, components: IntArray) -> None:
    """Give each component's mean, which the likelihood leaves free, a unit of information (in place)."""
    n_items = components.size
    same = components[:, None] == components[None, :]
    matrix[:n_items, :n_items] += same / np.bincount(components)[components]


def conjugate_gradients(information: Information, right_sides: FloatArray, tolerance: float) -> FloatArray:
    """Solve information @ x = b for the columns of b at once, to a relative residual, Jacobi-preconditioned."""
    upper = information.counts.sparse(information.pairs)
    diagonal = np.concatenate([information.diagonal, information.order])[:, None]
    inverse_diagonal = 1.0 / np.where(diagonal > 0, diagonal, 1.0)
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
        residual -= length * image
        np.multiply(inverse_diagonal, residual, out=preconditioned)
        previous, energy = energy, np.einsum("ij,ij->j", residual, preconditioned)
        ratio = np.divide(energy, previous, out=np.zeros_like(energy), where=previous > 0)
        direction *= ratio
        direction += preconditioned
    return solution
