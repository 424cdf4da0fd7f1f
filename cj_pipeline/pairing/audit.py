"""The mirrored audit: pairs asked again with the seats exchanged, to measure the judge's own noise."""

import numpy as np

from cj_pipeline.pairing.arrays import IntArray


def draw_mirrored_audit(essay_a: IntArray, essay_b: IntArray, n_audit: int, seed: int) -> IntArray:
    """Positions of `n_audit` pairs to ask again with seats exchanged, in rising order.

    Drawn at random in rounds; a round takes no essay twice and ends when no pair of two fresh essays is
    left, so the audit is spread over the essays as evenly as the pairs allow. Deterministic per seed.
    Raises ValueError if `n_audit` is negative or exceeds the number of pairs.
    """
    if not 0 <= n_audit <= essay_a.size:
        raise ValueError(f"an audit of {n_audit} pairs cannot be drawn from {essay_a.size}")
    left = np.random.default_rng(seed).permutation(essay_a.size)
    drawn: list[int] = []
    while len(drawn) < n_audit:
        met: set[int] = set()
        kept: list[int] = []
        for pair, a, b in zip(left.tolist(), essay_a[left].tolist(), essay_b[left].tolist(), strict=True):
            if len(drawn) == n_audit:
                break
            if a in met or b in met:
                kept.append(pair)
            else:
                drawn.append(pair)
                met.update((a, b))
        left = np.array(kept, dtype=np.int64)
    return np.sort(np.array(drawn, dtype=np.int64))
