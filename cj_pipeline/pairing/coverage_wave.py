"""A coverage wave: one matching of essays that have not met, the least asked and the closest first.

A share of it is drawn without looking at scores, so that reliability can be computed on pairs nobody chose.
"""

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.pairing.matching import heaviest_matching, nearest_matching

BLOSSOM_UP_TO = 500  # essays; above, an exact matching takes seconds
PROXIMITY_REACH = 2.0  # logits; essays further apart gain nothing by being close
JITTER = 0.001  # breaks ties at random without outweighing a comparison or a logit


def coverage_wave(
    counts: IntArray,
    scores: FloatArray,
    closed_low: IntArray,
    closed_high: IntArray,
    limit: int,
    rng: np.random.Generator,
    *,
    count_weight: float = 1.0,
    proximity_weight: float = 0.5,
    at_random_share: float = 0.2,
) -> tuple[IntArray, IntArray, BoolArray]:
    """Plan at most min(n // 2, limit) pairs of essays 0..n-1; arrays (low, high, at_random), sorted by pair.

    `counts` (n,) are comparisons so far, `scores` (n,) logits; closed pairs (low < high) are not asked again. Where
    the number of essays is odd, the most asked one sits out (of several the first), unless that leaves no pair.
    Of the pairs, `at_random_share` is drawn uniformly; a share of one makes them all so. Empty when all are closed.
    """
    n_essays = counts.size
    closed = set(zip(closed_low.tolist(), closed_high.tolist(), strict=True))
    if n_essays > BLOSSOM_UP_TO:
        pairs = _near_pairs(counts, scores, closed, min(n_essays // 2, limit), rng, at_random_share)
    else:
        low, high = _open_pairs(n_essays, closed_low, closed_high)
        weight = _weights(low, high, counts, scores, rng, count_weight, proximity_weight)
        low, high, weight = _without_the_most_asked(low, high, weight, counts)
        pairs = _heavy_pairs(low, high, weight, min(n_essays // 2, limit), rng, at_random_share)
    chosen = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 3)
    return chosen[:, 0], chosen[:, 1], chosen[:, 2] == 1


def _open_pairs(n_essays: int, closed_low: IntArray, closed_high: IntArray) -> tuple[IntArray, IntArray]:
    may_meet = np.triu(np.ones((n_essays, n_essays), dtype=np.bool_), 1)
    may_meet[closed_low, closed_high] = False
    low, high = np.nonzero(may_meet)
    return low, high


def _weights(
    low: IntArray, high: IntArray, counts: IntArray, scores: FloatArray, rng: np.random.Generator,
    count_weight: float, proximity_weight: float,
) -> FloatArray:  # fmt: skip
    rarely = 1.0 / (1.0 + counts)
    apart = np.abs(scores[low] - scores[high])
    close = np.where(apart < PROXIMITY_REACH, np.exp(-apart), 0.0)
    weight: FloatArray = count_weight * (rarely[low] + rarely[high]) + proximity_weight * close
    return weight + rng.uniform(0.0, JITTER, size=low.size)


def _without_the_most_asked(
    low: IntArray, high: IntArray, weight: FloatArray, counts: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    if counts.size % 2 == 0:
        return low, high, weight
    resting = int(np.argmax(counts))
    kept = (low != resting) & (high != resting)
    return (low[kept], high[kept], weight[kept]) if kept.any() else (low, high, weight)


def _heavy_pairs(
    low: IntArray, high: IntArray, weight: FloatArray, limit: int, rng: np.random.Generator, share: float
) -> list[tuple[int, int, int]]:
    if not low.size:
        return []
    n_random = 0 if share >= 1 else round(share * limit)
    drawn = _drawn(low, high, n_random, rng)
    busy = np.zeros(int(high.max()) + 1, dtype=np.bool_)
    busy[low[drawn]] = busy[high[drawn]] = True
    rest = np.flatnonzero(~busy[low] & ~busy[high])
    chosen = rest[heaviest_matching(low[rest], high[rest], weight[rest])] if rest.size else rest
    heaviest = chosen[np.argsort(-weight[chosen], kind="stable")][: limit - drawn.size]
    return [
        (int(low[pair]), int(high[pair]), at_random)
        for pairs, at_random in ((drawn, 1), (heaviest, int(share >= 1)))
        for pair in pairs
    ]


def _drawn(low: IntArray, high: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    met: set[int] = set()
    drawn: list[int] = []
    for pair in rng.permutation(low.size).tolist():
        if len(drawn) == count:
            break
        if not met & {int(low[pair]), int(high[pair])}:
            drawn.append(pair)
            met |= {int(low[pair]), int(high[pair])}
    return np.array(drawn, dtype=np.int64)


def _near_pairs(
    counts: IntArray, scores: FloatArray, closed: set[tuple[int, int]], limit: int, rng: np.random.Generator,
    share: float,
) -> list[tuple[int, int, int]]:  # fmt: skip
    """The same for many essays, without a matching: a random part, then neighbours on the scale."""
    shuffled = rng.permutation(counts.size)
    drawn = nearest_matching(shuffled, closed, round(min(share, 1.0) * limit))
    busy = {essay for pair in drawn for essay in pair}
    rest = shuffled[[essay not in busy for essay in shuffled.tolist()]]
    if rest.size % 2:
        rest = np.delete(rest, np.argmax(counts[rest]))
    by_score = rest[np.argsort(scores[rest], kind="stable")]
    near = nearest_matching(by_score, closed, limit - len(drawn))
    if not drawn and not near:  # hardly a pair is open any more
        near = nearest_matching(shuffled, closed, limit, look_ahead=counts.size)
    return [(*pair, at_random) for pairs, at_random in ((drawn, 1), (near, int(share >= 1))) for pair in pairs]
