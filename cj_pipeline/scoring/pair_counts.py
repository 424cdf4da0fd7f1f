"""Comparisons as the solver reads them: sorted by essay, outcomes reduced to their sufficient statistics.

A comparison is stored once, at the lower-numbered of its two essays (its row), from that essay's side.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.pairing.design import label_components

SMALL = 50_000  # comparisons; below, numpy alone beats the set-up of a sparse matrix


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Comparisons in row order (length m) over n items, and what the outcomes amount to.

    `wins` and `first_wins` are sufficient for scores and order effects, so the outcomes are not kept.
    """

    n_items: int
    n_orders: int  # order effects to estimate: 0 none, 1 shared, J one per judge
    row_start: IntArray  # (n + 1,) CSR row pointer
    row: IntArray  # (m,) int32
    other: IntArray  # (m,) int32, always above its row, rising within a row
    seat: IntArray  # (m,) int8: +1 the row's essay was shown first, -1 second
    judge: IntArray | None  # (m,) which order effect applies; None when there are fewer than two
    weight: FloatArray | None  # (m,); None means one each
    position: IntArray  # (m,) where the comparison stood in the input
    wins: FloatArray  # (n,) weighted wins, ties half
    comparisons: FloatArray  # (n,) weighted number of comparisons
    comparisons_as_other: FloatArray  # (n,)
    first_wins: FloatArray  # (J,) weighted wins of the essay shown first
    second_seat_weight: FloatArray  # (J,) weight of comparisons whose row was shown second

    def row_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison over each item's own row."""
        return _sums_by_row(values, self.row_start)

    def other_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison over the rows in which an item is the other."""
        return _sums_by_other(values, self.other, self.row_start)

    def order_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison for each order effect."""
        return _sums_by_order(values, self.judge, self.n_orders)

    def sparse(self, values: FloatArray) -> "sp.csr_array[np.float64]":
        """The strictly upper triangular matrix with a value per comparison; repeats are entries of their own."""
        return _upper(values, self.other, self.row_start)

    def components(self) -> IntArray:
        """The connected component of each item, 0 the largest."""
        return label_components(self.sparse(np.ones(self.row.size)))


def count_pairs(
    essay_a: IntArray,
    essay_b: IntArray,
    outcome: FloatArray,
    n_items: int,
    *,
    judge: IntArray | None = None,
    n_orders: int = 1,
    weights: FloatArray | None = None,
) -> PairCounts:
    """Sort comparisons by (row, other) in O(m). Arguments are taken as checked."""
    lower, upper = np.minimum(essay_a, essay_b).astype(np.int32), np.maximum(essay_a, essay_b).astype(np.int32)
    by_upper, _ = _counting_sort(upper, n_items)
    within, row_start = _counting_sort(lower[by_upper], n_items)
    position = by_upper[within]
    other = upper[position]
    a_is_row = (essay_a < essay_b)[position]
    judge = None if judge is None or n_orders < 2 else judge[position].astype(np.int32)
    weight = None if weights is None else weights[position]

    points = outcome[position]
    row_points = np.where(a_is_row, points, 1 - points)
    second_seat = np.where(a_is_row, 0.0, 1.0)
    if weight is not None:
        points, row_points, second_seat = points * weight, row_points * weight, second_seat * weight
    ones = np.ones(position.size) if weight is None else weight
    as_row, as_other = _sums_by_row(ones, row_start), _sums_by_other(ones, other, row_start)
    wins = _sums_by_row(row_points, row_start) + as_other - _sums_by_other(row_points, other, row_start)
    return PairCounts(
        n_items=n_items,
        n_orders=n_orders,
        row_start=row_start,
        row=np.repeat(np.arange(n_items, dtype=np.int32), np.diff(row_start)),
        other=other,
        seat=np.where(a_is_row, np.int8(1), np.int8(-1)),
        judge=judge,
        weight=weight,
        position=position,
        wins=wins,
        comparisons=as_row + as_other,
        comparisons_as_other=as_other,
        first_wins=_sums_by_order(points, judge, n_orders),
        second_seat_weight=_sums_by_order(second_seat, judge, n_orders),
    )


def _counting_sort(keys: IntArray, n_keys: int) -> tuple[IntArray, IntArray]:
    """Stable order of integer keys below `n_keys`, and where each key begins; scipy's CSR conversion is one."""
    size = keys.size
    if size < SMALL:
        starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n_keys))])
        return np.argsort(keys, kind="stable").astype(np.int32), starts.astype(np.int32)
    entries = (np.ones(size, dtype=np.int8), (keys, np.arange(size, dtype=np.int32)))
    table = sp.csr_array(entries, shape=(n_keys, size))
    return table.indices, table.indptr


def _sums_by_row(values: FloatArray, row_start: IntArray) -> FloatArray:
    sums = np.zeros(row_start.size - 1)
    filled = np.flatnonzero(row_start[1:] > row_start[:-1])
    if filled.size:
        sums[filled] = np.add.reduceat(values, row_start[filled])
    return sums


def _sums_by_other(values: FloatArray, other: IntArray, row_start: IntArray) -> FloatArray:
    if values.size < SMALL:
        return grouped_sums(other, values, row_start.size - 1)
    return np.asarray(_upper(values, other, row_start).T @ np.ones(row_start.size - 1))


def _sums_by_order(values: FloatArray, judge: IntArray | None, n_orders: int) -> FloatArray:
    return np.full(n_orders, values.sum()) if judge is None else grouped_sums(judge, values, n_orders)


def _upper(values: FloatArray, other: IntArray, row_start: IntArray) -> "sp.csr_array[np.float64]":
    n_items = row_start.size - 1
    return sp.csr_array((values, other, row_start), shape=(n_items, n_items), copy=False)
