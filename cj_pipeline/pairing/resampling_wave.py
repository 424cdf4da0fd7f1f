"""A resampling wave: pairs that were answered are asked again, those of the least asked essays first."""

import numpy as np

from cj_pipeline.pairing.arrays import IntArray


def resampling_wave(low: IntArray, high: IntArray, counts: IntArray, limit: int, rng: np.random.Generator) -> IntArray:
    """Positions of min(m, limit) of the pairs (m,) to ask again, in rising order.

    Least asked essays first (`counts` (n,)), ties at random. No essay is taken more often than an even share,
    ceil(2 limit / n), until the pairs left allow nothing else; so the budget is spent to the last pair.
    """
    wanted = min(low.size, limit)
    if wanted < 1:
        return np.zeros(0, dtype=np.int64)
    essays = np.unique(np.concatenate([low, high])).size
    most = max(1, -(-2 * wanted // essays))
    shuffled = rng.permutation(low.size)
    by_count = np.argsort(counts[low[shuffled]] + counts[high[shuffled]], kind="stable")
    waiting: list[int] = shuffled[by_count].tolist()
    taken = np.zeros(counts.size, dtype=np.int64).tolist()
    chosen: list[int] = []
    while len(chosen) < wanted:
        left = []
        for pair in waiting:
            one, other = int(low[pair]), int(high[pair])
            if len(chosen) < wanted and taken[one] < most and taken[other] < most:
                chosen.append(pair)
                taken[one] += 1
                taken[other] += 1
            else:
                left.append(pair)
        waiting, most = left, most + 1
    return np.sort(np.array(chosen, dtype=np.int64))
