"""What a set of pairs is worth as a design: degrees, seats, connection."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from cj_pipeline.pairing.arrays import IntArray


@dataclass(frozen=True, slots=True)
class Design:
    """Counts of a set of pairs over `n_items` essays; arrays have one entry per essay."""

    comparisons: IntArray
    first_seats: IntArray
    components: IntArray  # 0 is the largest; an essay without pairs is a component of its own
    n_components: int
    max_seat_imbalance: int  # largest |first - second| of an essay
    n_duplicates: int  # pairs beyond the first of the same two essays, in either order
    min_comparisons: int
    max_comparisons: int


def describe_design(essay_a: IntArray, essay_b: IntArray, n_items: int) -> Design:
    """Describe pairs of essays 0..n_items-1; `essay_a` is shown first."""
    first = np.bincount(essay_a, minlength=n_items)
    second = np.bincount(essay_b, minlength=n_items)
    comparisons = first + second
    components = component_labels(essay_a, essay_b, n_items)
    unordered = np.minimum(essay_a, essay_b) * np.int64(n_items) + np.maximum(essay_a, essay_b)
    return Design(
        comparisons=comparisons,
        first_seats=first,
        components=components,
        n_components=int(components.max(initial=-1)) + 1,
        max_seat_imbalance=int(np.abs(first - second).max(initial=0)),
        n_duplicates=int(unordered.size - np.unique(unordered).size),
        min_comparisons=int(comparisons.min()) if n_items else 0,
        max_comparisons=int(comparisons.max(initial=0)),
    )


def component_labels(essay_a: IntArray, essay_b: IntArray, n_items: int) -> IntArray:
    """The connected component of each essay, numbered from the largest (0) down; ties by lowest essay."""
    graph = sp.coo_array((np.ones(essay_a.size, dtype=np.int8), (essay_a, essay_b)), shape=(n_items, n_items))
    return label_components(graph.tocsr())


def label_components(graph: "sp.csr_array[Any]") -> IntArray:
    """The same from an adjacency matrix in which each pair is stored at least once."""
    n_components, labels = connected_components(graph, directed=False)
    if n_components < 2:
        return np.zeros(labels.size, dtype=np.int64)
    sizes = np.bincount(labels, minlength=n_components)
    _, earliest = np.unique(labels, return_index=True)
    by_size = np.lexsort((earliest, -sizes))
    rank = np.empty(n_components, dtype=np.int64)
    rank[by_size] = np.arange(n_components)
    return rank[labels]
