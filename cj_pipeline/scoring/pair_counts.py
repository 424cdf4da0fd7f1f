"""Comparisons as the solver reads them: grouped by essay, outcomes reduced to their sufficient statistics.

A comparison is stored once, at the lower-numbered of its two essays (its row), from that essay's side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.pairing.design import label_components

SMALL = 2_000  # comparisons; below, numpy alone beats the set-up of a sparse matrix
FEW_ITEMS = 150  # below, the links fit into a table, which takes a third of the time of setting up a sparse matrix
LINKS_PER_ITEM = 6  # of a sample that connects nearly all that is connected

Rows: TypeAlias = slice | IntArray
Links: TypeAlias = tuple[IntArray, IntArray]  # from item, to item


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Comparisons in row order (length m) over n items, and what the outcomes amount to.

    `wins`, `first_wins` and `ties` are sufficient for scores, order effects and the tie parameter, so the
    outcomes are not kept.
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
    ties: float | None = None  # weight of ties where they have a parameter of their own (Davidson)

    @property
    def n_borders(self) -> int:
        """Parameters beside the scores: order effects, then the tie parameter if there is one."""
        return self.n_orders + (self.ties is not None)

    def row_sums(self, values: FloatArray) -> FloatArray:
        """Sum of a value per comparison over each item's own row."""
        if values.size < SMALL:
            return grouped_sums(self.row, values, self.n_items)
        sums = np.zeros(self.n_items)
        filled = np.flatnonzero(self.row_start[1:] > self.row_start[:-1])
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
        return _sums_by_order(values, self.judge, self.n_orders)

    def sparse(self, values: FloatArray) -> "sp.csr_array[np.float64]":
        """The strictly upper triangular matrix with a value per comparison; repeats are entries of their own."""
        shape = (self.n_items, self.n_items)
        return sp.csr_array((values, self.other, self.row_start), shape=shape, copy=False)

    def components(self) -> IntArray:
        """The connected component of each item, 0 the largest."""
        if self._sample_connects():
            return np.zeros(self.n_items, dtype=np.int64)

        def links(rows: Rows) -> Links:
            return self.row[rows], self.other[rows]

        found = fewer_links(self.row, self.other, self.n_items, links, directed=False)
        ones = np.ones(found[0].size, dtype=np.int8)
        return label_components(sp.csr_array((ones, found), shape=(self.n_items, self.n_items)))

    def _sample_connects(self) -> bool:
        if self.n_items <= FEW_ITEMS:
            return _reaches_all(self.row, self.other, self.n_items)
        every = max(1, self.row.size // (LINKS_PER_ITEM * self.n_items))
        others = self.other[::every]
        links = (np.ones(others.size, dtype=np.int8), others, -(-self.row_start // every))
        n_parts, _ = connected_components(sp.csr_array(links, shape=(self.n_items, self.n_items)), directed=False)
        return bool(n_parts == 1)


def _reaches_all(row: IntArray, other: IntArray, n_items: int) -> bool:
    """Whether every item is linked with the first one through some chain; by a table of who met whom."""
    met = np.eye(n_items, dtype=bool)
    met[row, other] = met[other, row] = True
    reached = met[:1].any(axis=0)
    while (wider := met[reached].any(axis=0)).sum() > reached.sum():
        reached = wider
    return bool(reached.all())


def fewer_links(
    first: IntArray, second: IntArray, n_items: int, links: Callable[[Rows], Links], *, directed: bool
) -> Links:
    """Links that connect the same items as all do, strongly if `directed`, and mostly far fewer.

    `links` gives those of chosen comparisons. The parts that an even sample of the comparisons connects are
    taken as stars, and with them every comparison between two parts.
    """
    every = first.size // (LINKS_PER_ITEM * max(1, n_items))
    if every < 2:
        return links(slice(None))
    sample = links(slice(None, None, every))
    graph = sp.csr_array((np.ones(sample[0].size, dtype=np.int8), sample), shape=(n_items, n_items))
    n_parts, part = connected_components(graph, directed=directed, connection="strong")
    items, centre_of = np.arange(n_items, dtype=np.int32), np.zeros(n_parts, dtype=np.int32)
    centre_of[part] = items
    centre = centre_of[part]
    between = np.flatnonzero(part[first] != part[second]) if n_parts > 1 else np.zeros(0, dtype=np.int64)
    source, target = links(between)
    if directed:
        source, target = np.concatenate([source, centre]), np.concatenate([target, items])
    return np.concatenate([source, items]), np.concatenate([target, centre])


def count_pairs(
    essay_a: IntArray,
    essay_b: IntArray,
    outcome: FloatArray,
    n_items: int,
    *,
    judge: IntArray | None = None,
    n_orders: int = 1,
    weights: FloatArray | None = None,
    tie_parameter: bool = False,
) -> PairCounts:
    """Group comparisons by row in O(m). Arguments are taken as checked."""
    one, two = essay_a.astype(np.int32), essay_b.astype(np.int32)
    a_is_row = one < two
    position, row_start, others_and_seats = _counting_sort(
        np.minimum(one, two), 2 * np.maximum(one, two) + a_is_row, n_items
    )
    rows = np.repeat(np.arange(n_items, dtype=np.int32), np.diff(row_start))
    judge_sorted = None if judge is None or n_orders < 2 else judge[position].astype(np.int32)
    by_order = judge if judge_sorted is not None else None

    points = outcome if weights is None else outcome * weights
    as_first, as_second = grouped_sums(essay_a, weights, n_items), grouped_sums(essay_b, weights, n_items)
    wins = grouped_sums(essay_a, points, n_items) + as_second - grouped_sums(essay_b, points, n_items)
    weight = None if weights is None else weights[position]
    in_row = np.diff(row_start) if weights is None else grouped_sums(rows, weight, n_items)
    ties = None
    if tie_parameter:
        ties = float(((outcome == 0.5) if weights is None else weights[outcome == 0.5]).sum())
    second_seat = (~a_is_row).astype(np.float64) if weights is None else weights * ~a_is_row
    return PairCounts(
        n_items=n_items,
        n_orders=n_orders,
        row_start=row_start,
        row=rows,
        other=others_and_seats >> 1,
        seat=2 * (others_and_seats & 1).astype(np.int8) - np.int8(1),
        judge=judge_sorted,
        weight=weight,
        position=position,
        wins=wins,
        comparisons=as_first + as_second,
        comparisons_as_other=as_first + as_second - in_row,
        first_wins=_sums_by_order(points, by_order, n_orders),
        second_seat_weight=_sums_by_order(second_seat, by_order, n_orders),
        ties=ties,
    )


def _counting_sort(keys: IntArray, payload: IntArray, n_keys: int) -> tuple[IntArray, IntArray, IntArray]:
    """Stable order of integer keys below `n_keys`, where each key begins, and the payload in that order.

    The long way round is a matrix with one entry per row turned column by column: scipy's conversion is a
    counting sort in C.
    """
    if keys.size < SMALL:
        order = np.argsort(keys, kind="stable")
        starts = np.zeros(n_keys + 1, dtype=np.int32)
        np.cumsum(np.bincount(keys, minlength=n_keys), out=starts[1:])
        return order.astype(np.int32), starts, payload[order]
    one_each = np.arange(keys.size + 1, dtype=np.int32)
    table = sp.csr_array((payload, keys, one_each), shape=(keys.size, n_keys), copy=False).tocsc()
    return table.indices, table.indptr, table.data


def _sums_by_order(values: FloatArray, judge: IntArray | None, n_orders: int) -> FloatArray:
    if judge is not None:
        return grouped_sums(judge, values, n_orders)
    if not n_orders:
        return np.zeros(0)
    return np.asarray(values.sum(keepdims=True), dtype=np.float64)
