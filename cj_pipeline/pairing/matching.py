"""Matchings: sets of pairs in which no essay stands twice."""

import numpy as np
import rustworkx as rx

from cj_pipeline.pairing.arrays import FloatArray, IntArray

WEIGHT_STEPS = 2**40  # per unit: the blossom algorithm is exact on whole numbers, and ties become too rare to matter
LOOK_AHEAD = 64  # free places to look for a partner in


def heaviest_matching(low: IntArray, high: IntArray, weight: FloatArray) -> IntArray:
    """Positions of the edges of the largest matching of greatest weight, in rising order.

    Edges (m,) of items 0..n-1, low < high; weights in any unit. Blossom algorithm, O(n^3) (Galil, ACM Computing
    Surveys 18, 1986, as rustworkx implements it).
    """
    graph = rx.PyGraph(multigraph=False)
    nodes = np.unique(np.concatenate([low, high]))
    graph.add_nodes_from(nodes.tolist())
    whole = np.rint(weight * WEIGHT_STEPS).astype(np.int64).tolist()
    ends = np.searchsorted(nodes, low).tolist(), np.searchsorted(nodes, high).tolist()
    graph.add_edges_from(list(zip(*ends, whole, strict=True)))
    matched = rx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    chosen = {(int(nodes[min(pair)]), int(nodes[max(pair)])) for pair in matched}
    edges = zip(low.tolist(), high.tolist(), strict=True)
    return np.array([place for place, edge in enumerate(edges) if edge in chosen], dtype=np.int64)


def nearest_matching(
    order: IntArray, closed: set[tuple[int, int]], limit: int, *, look_ahead: int = LOOK_AHEAD
) -> list[tuple[int, int]]:
    """Pairs (low, high) of items that stand near each other in `order`, each item at most once, `limit` at most.

    From the front, each item takes the next free one it may meet, within `look_ahead` free places; `closed` pairs
    are not made.
    """
    free = order.tolist()
    pairs: list[tuple[int, int]] = []
    taken = [False] * len(free)
    for place, item in enumerate(free):
        if taken[place] or len(pairs) == limit:
            continue
        looked = 0
        for other_place in range(place + 1, len(free)):
            if taken[other_place]:
                continue
            other = free[other_place]
            pair = (item, other) if item < other else (other, item)
            if pair not in closed:
                taken[place] = taken[other_place] = True
                pairs.append(pair)
                break
            looked += 1
            if looked == look_ahead:
                break
    return pairs
