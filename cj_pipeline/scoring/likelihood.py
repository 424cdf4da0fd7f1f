"""What the comparisons say at a point: expected points, gradient, information, log-likelihood.

Model: the margin is score[first] - score[second] + order[judge]; P(first wins) is its logistic. With a tie
parameter nu (Davidson 1970, JASA 65): P(first) : P(tie) : P(second) = exp(margin/2) : nu : exp(-margin/2).
"""

from dataclasses import dataclass, field

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.information import NOBODY, Information
from cj_pipeline.scoring.pair_counts import SMALL, PairCounts

BLOCK = 16_384  # comparisons per pass, so that its temporaries stay in the second-level cache
LARGEST_MARGIN = 600.0  # logits; its exponential is still a number


@dataclass(frozen=True, slots=True)
class Prior:
    """Independent Gaussians: each item's score, each order effect, the log of the tie parameter.

    A precision of zero is no prior. `mean` and `precision` are one number for all items or (n,) arrays, in
    which case the scores stand on the origin of the means; else they are centred. `fixed` items stay at their
    mean whatever the comparisons say.
    """

    precision: float | FloatArray
    border: float  # precision of order effects and tie parameter, around zero
    mean: float | FloatArray = 0.0
    fixed: IntArray = field(default_factory=lambda: NOBODY)

    @property
    def has_origin(self) -> bool:
        """Whether items have means, spreads or values of their own, so that scores are not just contrasts."""
        return isinstance(self.precision, np.ndarray)

    @property
    def improper(self) -> bool:
        """Whether some parameter has no prior at all, so that a maximum may not exist."""
        free = np.asarray(self.precision) == 0
        if self.has_origin:
            free[self.fixed] = False
        return self.border == 0 or bool(free.any())

    def holds(self, n_items: int) -> BoolArray:
        """(n_items,) whether an item has a score without any comparison: it is fixed or has a prior."""
        held = np.broadcast_to(np.asarray(self.precision) > 0, n_items).copy()
        held[self.fixed] = True
        return held

    def loose(self, components: IntArray) -> BoolArray:
        """(components,) where neither prior nor fixed items hold the origin."""
        n_components = int(components.max(initial=-1)) + 1
        if not self.has_origin:
            return np.full(n_components, self.precision == 0)
        return np.bincount(components, self.holds(components.size), n_components) == 0


@dataclass(frozen=True, slots=True)
class Expected:
    """Per comparison, from the row's side: points (a tie is half a point) and how they vary."""

    points: FloatArray
    information: FloatArray  # variance of the points
    ties: FloatArray | None = None  # P(tie)
    ties_and_points: FloatArray | None = None  # covariance of tie and points


def expected_points(counts: PairCounts, scores: FloatArray, border: FloatArray) -> Expected:
    """Expectations at scores (n,) and border (B,)."""
    if counts.ties is not None:
        return _expected_with_ties(counts, scores, border[:-1], float(np.exp(border[-1])))
    small = counts.row.size < SMALL
    points = scores[counts.row] if small else np.repeat(scores, np.diff(counts.row_start))
    information = np.empty_like(points)
    inverse_odds = np.empty(min(BLOCK, points.size))
    with np.errstate(over="ignore"):
        for begin in range(0, points.size, BLOCK):
            block = slice(begin, begin + BLOCK)
            out, variance = points[block], information[block]
            odds = inverse_odds[: out.size]
            np.take(scores, counts.other[block], out=odds, mode="clip")  # with `out`, "raise" would buffer
            odds -= out
            if border.size == 1:
                odds -= border[0] * counts.seat[block]
            elif counts.judge is not None:
                odds -= border[counts.judge[block]] * counts.seat[block]
            np.exp(odds, out=odds)
            odds += 1.0
            np.reciprocal(odds, out=out)
            np.subtract(1.0, out, out=variance)
            variance *= out
    return Expected(points, information)


def _expected_with_ties(counts: PairCounts, scores: FloatArray, orders: FloatArray, nu: float) -> Expected:
    margin = margins(counts, scores, orders)
    np.clip(margin, -LARGEST_MARGIN, LARGEST_MARGIN, out=margin)
    root = np.exp(-0.5 * margin)
    win = 1.0 / (1.0 + root * (root + nu))
    tie = nu * root * win
    points = win + 0.5 * tie
    return Expected(
        points=points,
        information=win + 0.25 * tie - points**2,
        ties=tie,
        ties_and_points=tie * (0.5 - points),
    )


def win_probabilities(counts: PairCounts, scores: FloatArray, orders: FloatArray) -> FloatArray:
    """Expected points of the row's item in each comparison, in row order: P(it wins), were there no ties."""
    return expected_points(counts, scores, orders).points


def margins(counts: PairCounts, scores: FloatArray, orders: FloatArray) -> FloatArray:
    """The logit margin of each comparison from the row's side."""
    margin = scores[counts.row] - scores[counts.other]
    if orders.size == 1:
        margin += orders[0] * counts.seat
    elif counts.judge is not None:
        margin += orders[counts.judge] * counts.seat
    return margin


def derivatives(counts: PairCounts, point: FloatArray, prior: Prior) -> tuple[FloatArray, Information]:
    """Gradient and negative Hessian of the penalised log-likelihood at a point (n + B,)."""
    n_items, n_orders = counts.n_items, counts.n_orders
    scores, border = point[:n_items], point[n_items:]
    expected = expected_points(counts, scores, border)
    weighted = [expected.points, expected.information, expected.ties, expected.ties_and_points]
    if counts.weight is not None:
        for values in weighted:
            if values is not None:
                values *= counts.weight
    points, pairs = expected.points, expected.information
    expected_wins = counts.row_sums(points) + counts.comparisons_as_other - counts.other_sums(points)
    gradient = np.empty_like(point)
    gradient[:n_items] = counts.wins - expected_wins - prior.precision * (scores - prior.mean)
    gradient[prior.fixed] = 0.0
    coupling = np.zeros((n_items, border.size))
    information = np.zeros((border.size, border.size))
    diagonal = information.ravel()[:: border.size + 1]
    if n_orders:
        points *= counts.seat
        expected_first_wins = counts.order_sums(points) + counts.second_seat_weight
        gradient[n_items : n_items + n_orders] = counts.first_wins - expected_first_wins
        coupling[:, :n_orders] = _order_coupling(counts, np.multiply(pairs, counts.seat, out=points))
        diagonal[:n_orders] = counts.order_sums(pairs)
    if counts.ties is not None and expected.ties is not None and expected.ties_and_points is not None:
        gradient[-1] = counts.ties - expected.ties.sum()
        coupling[:, -1] = counts.row_sums(expected.ties_and_points) - counts.other_sums(expected.ties_and_points)
        weight = 1.0 if counts.weight is None else counts.weight
        diagonal[-1] = (expected.ties * (1.0 - expected.ties / weight)).sum()
        information[-1, :n_orders] = counts.order_sums(expected.ties_and_points * counts.seat)
        information[:n_orders, -1] = information[-1, :n_orders]
    gradient[n_items:] -= prior.border * border
    diagonal += prior.border
    return gradient, Information(
        counts=counts,
        pairs=pairs,
        diagonal=counts.row_sums(pairs) + counts.other_sums(pairs) + prior.precision,
        coupling=coupling,
        border=information,
        fixed=prior.fixed,
    )


def _order_coupling(counts: PairCounts, seated: FloatArray) -> FloatArray:
    if counts.judge is None:
        return (counts.row_sums(seated) - counts.other_sums(seated))[:, None]
    n_cells = counts.n_items * counts.n_orders
    as_row = np.bincount(counts.row * np.int64(counts.n_orders) + counts.judge, seated, n_cells)
    as_other = np.bincount(counts.other * np.int64(counts.n_orders) + counts.judge, seated, n_cells)
    return np.asarray(as_row - as_other).reshape(counts.n_items, counts.n_orders)


def log_likelihood(counts: PairCounts, scores: FloatArray, border: FloatArray) -> float:
    """Sum of log P(outcome), a tie without a parameter of its own being half a win for each."""
    orders = border[: counts.n_orders]
    margin = margins(counts, scores, orders)
    normaliser = np.logaddexp(0.0, margin)
    won = scores @ (counts.wins - counts.comparisons_as_other)
    won += orders @ (counts.first_wins - counts.second_seat_weight)
    if counts.ties is not None:
        normaliser = np.logaddexp(normaliser, border[-1] + 0.5 * margin)
        won += counts.ties * border[-1]
    total = normaliser.sum() if counts.weight is None else counts.weight @ normaliser
    return float(won) - float(total)
