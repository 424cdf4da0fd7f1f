"""Who is shown first in a wave that follows others: the predecessor's fair complement, made reproducible."""

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, IntArray


def stays_as_given(balance_x: int, balance_y: int) -> bool | None:
    """Whether x is shown before y, by first minus second seats so far; None: a coin is to decide.

    The order that leaves the smaller sum of |balance| is taken.
    """
    if balance_x == balance_y == 0:
        return None
    kept = abs(balance_x + 1) + abs(balance_y - 1)
    turned = abs(balance_x - 1) + abs(balance_y + 1)
    return None if kept == turned else kept < turned


def turned_pairs(
    first: IntArray, second: IntArray, balance: IntArray, order_seen: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Which pairs (m,) of a wave to turn round, in the order given.

    `balance` (n_items,) is first minus second seats of each essay so far, and is carried on from pair to pair.
    `order_seen` (m,) is how often more a pair was asked as given than the other way round: its complement comes
    first, and only a pair asked in both orders alike goes by its essays' seats. The coin is `rng`'s.
    """
    seats = balance.tolist()
    turned = np.zeros(first.size, dtype=np.bool_)
    coins = rng.random(first.size).tolist()
    for pair, (x, y, seen, coin) in enumerate(
        zip(first.tolist(), second.tolist(), order_seen.tolist(), coins, strict=True)
    ):
        kept = seen < 0 if seen else stays_as_given(seats[x], seats[y])
        kept = coin < 0.5 if kept is None else kept
        turned[pair] = not kept
        seats[x] += 1 if kept else -1
        seats[y] -= 1 if kept else -1
    return turned
