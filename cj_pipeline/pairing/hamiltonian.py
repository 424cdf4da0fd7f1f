"""Edge-disjoint Hamiltonian cycles: near-regular, connected designs, exact up to every pair.

Each cycle shows every item once first and once second. Taken edge by edge in the order "every second
edge, then the others", the items' degrees never differ by more than one, and n-1 edges are a path.
"""

import numpy as np

from cj_pipeline.pairing.arrays import IntArray

RANDOM_CYCLES_UP_TO = 64  # above a degree of 128, rotations of one cycle expand as well as random cycles do
RANDOM_DENSITY_UP_TO = 1 / 16  # above, a random exchange meets too many pairs that are taken


def hamiltonian_pairs(n_items: int, count: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The first `count` pairs of a random cycle decomposition of the complete graph on `n_items`.

    Returns (first, second), items 0..n-1, unordered pairs unique. At every prefix the degrees and the two
    seats of an item differ by at most one; every prefix of n-1 pairs or more is connected.

    Sparse designs are unions of uniformly random cycles (a near-optimal spectral gap: Friedman 2008;
    Osting, Brune & Osher, JMLR 2014); dense ones are rotations in Walecki's decomposition (Alspach 2008).
    """
    n_cycles = min(-(-count // n_items), (n_items - 1) // 2) if n_items > 2 else 0
    sparse = n_cycles <= min(RANDOM_CYCLES_UP_TO, RANDOM_DENSITY_UP_TO * n_items)
    cycles = _random_cycles(n_items, n_cycles, rng) if sparse else _walecki_cycles(n_items, n_cycles, rng)
    every_second_edge = np.concatenate([np.arange(0, n_items, 2), np.arange(1, n_items, 2)])
    first = cycles[:, every_second_edge].ravel()
    second = np.roll(cycles, -1, axis=1)[:, every_second_edge].ravel()
    if count > first.size:
        last_first, last_second = _last_matching(n_items, rng)
        first, second = np.concatenate([first, last_first]), np.concatenate([second, last_second])
    names = np.arange(n_items) if sparse else rng.permutation(n_items)
    return names[first[:count]], names[second[:count]]


def _random_cycles(n_items: int, n_cycles: int, rng: np.random.Generator) -> IntArray:
    """Uniformly random cycles; an edge met before is broken by exchanging one of its ends."""
    cycles = np.empty((n_cycles, n_items), dtype=np.int64)
    for cycle in cycles:
        cycle[:] = rng.permutation(n_items)
    while (repeated := _repeated_edges(cycles)).size:
        rows, columns = np.divmod(repeated, n_items)
        for row, column, other in zip(
            rows, (columns + 1) % n_items, rng.integers(n_items, size=rows.size), strict=True
        ):
            cycles[row, column], cycles[row, other] = cycles[row, other], cycles[row, column]
    return cycles


def _repeated_edges(cycles: IntArray) -> IntArray:
    """Flat positions (cycle, place) of edges that an earlier position already holds."""
    following = np.roll(cycles, -1, axis=1)
    keys = (np.minimum(cycles, following) * cycles.shape[1] + np.maximum(cycles, following)).ravel()
    in_order = np.sort(keys)
    taken_twice = in_order[1:][in_order[1:] == in_order[:-1]]
    if not taken_twice.size:
        return taken_twice
    positions = np.flatnonzero(np.isin(keys, taken_twice))
    _, earliest = np.unique(keys[positions], return_index=True)
    return np.delete(positions, earliest)


def _walecki_cycles(n_items: int, n_cycles: int, rng: np.random.Generator) -> IntArray:
    """Rotations of one zigzag around a fixed item; pairs of cycle r sum to 2r or 2r + step, so none recur."""
    ring = n_items - 1
    step = 1 if n_items % 2 else 2
    halves = (np.arange(ring) + 1) // 2
    zigzag = np.where(np.arange(ring) % 2, halves, -halves) * step
    starts = rng.permutation((n_items - 1) // 2)[:n_cycles] * step
    around = (starts[:, None] + zigzag) % ring if ring else np.empty((n_cycles, 0), dtype=np.int64)
    return np.concatenate([np.full((n_cycles, 1), ring), around], axis=1)


def _last_matching(n_items: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """What Walecki's cycles leave of an even complete graph: the pairs that sum to -2, and the fixed item's."""
    ring = n_items - 1
    offset = np.arange(1, n_items // 2)
    one = np.concatenate([[ring], (ring - 1 + offset) % ring if ring else offset])
    other = np.concatenate([[ring - 1], (ring - 1 - offset) % ring if ring else offset])
    swapped = rng.random(one.size) < 0.5
    return np.where(swapped, other, one), np.where(swapped, one, other)
