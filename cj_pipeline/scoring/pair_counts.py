"""Comparisons as the solver reads them: sorted by essay, outcomes reduced to their sufficient statistics.

A comparison is stored once, at the lower-numbered of its two essays (its row), from that essay's side.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums

SMALL = 50_000  # comparisons; below, numpy's plain loops beat the set-up of a sparse matrix


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Comparisons in row order (length m) over n items, and what the outcomes amount to.

    `wins` and `first_wins` are sufficient for scores and order effects, so the outcomes are not kept.
    """

    n_items: int
    n_orders: int  # order effects to estimate: 0 none, 1 shared, J one per judge
    row_start: IntArray  # (n + 1,) CSR row pointer
    row: IntArray  # (m,) int32
    other: IntArray  # (m,) int32, always above its row
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
        sums = np.zeros(self.n_items)
        filled = np.flatnonzero(np.diff(self.row_start))
        if filled.size:
            sums[filled] = np.add.reduceat(values, self.row_start[filled])
        return sums

    def other_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison over the rows in which an item is the other."""
        if values.size < SMALL:
            return grouped_sums(self.other, values, self.n_items)
        return np.asarray(self.sparse(values).T @ np.ones(self.n_items))

    def order_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison for each order effect."""
        if self.judge is None:
            return np.full(self.n_orders, values.sum())
        return grouped_sums(self.judge, values, self.n_orders)

    def sparse(self, values: FloatArray) -> "sp.csr_array[np.float64]":
        """The strictly upper triangular matrix with a value per comparison."""
        return sp.csr_array((values, self.other, self.row_start), shape=(self.n_items, self.n_items), copy=False)


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
    lower = np.minimum(essay_a, essay_b)
    by_other, _ = _counting_sort(np.maximum(essay_a, essay_b), n_items)
    within, row_start = _counting_sort(lower[by_other], n_items)
    position = by_other[within]
    a_is_row = (essay_a < essay_b)[position]
    row = lower[position].astype(np.int32)
    other = np.maximum(essay_a, essay_b)[position].astype(np.int32)
    weight = None if weights is None else weights[position]
    judge = None if judge is None or n_orders < 2 else judge[position].astype(np.int32)

    points = outcome if weights is None else outcome * weights
    lost_points = 1 - outcome if weights is None else weights - points
    wins = grouped_sums(essay_a, points, n_items) + grouped_sums(essay_b, lost_points, n_items)
    first_wins = points[position]
    second_seats = np.where(a_is_row, 0.0, 1.0 if weight is None else weight)
    as_row, as_other = grouped_sums(row, weight, n_items), grouped_sums(other, weight, n_items)

    def per_order(values: FloatArray) -> FloatArray:
        if judge is None:
            return np.full(n_orders, values.sum())
        return grouped_sums(judge, values, n_orders)

    return PairCounts(
        n_items=n_items,
        n_orders=n_orders,
        row_start=row_start,
        row=row,
        other=other,
        seat=np.where(a_is_row, np.int8(1), np.int8(-1)),
        judge=judge,
        weight=weight,
        position=position,
        wins=wins,
        comparisons=as_row + as_other,
        comparisons_as_other=as_other,
        first_wins=per_order(first_wins),
        second_seat_weight=per_order(second_seats),
    )


def _counting_sort(keys: IntArray, n_keys: int) -> tuple[IntArray, IntArray]:
    """Stable order of integer keys below `n_keys`, and where each key begins; scipy's CSR conversion is one."""
    size = keys.size
    entries = (np.ones(size, dtype=np.int8), (keys.astype(np.int32), np.arange(size, dtype=np.int32)))
    table = sp.csr_array(entries, shape=(n_keys, size))
    return table.indices, table.indptr
