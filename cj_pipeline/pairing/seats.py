"""Who sits first: turning pairs round until no essay sits in one seat much more often than in the other."""

from collections import deque

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, IntArray

MOST_SEAT_IMBALANCE = 2  # first minus second seats of an essay


def seat_balance(first: IntArray, second: IntArray, n_items: int) -> IntArray:
    """First minus second seats of each essay, (n_items,)."""
    balance: IntArray = np.bincount(first, minlength=n_items) - np.bincount(second, minlength=n_items)
    return balance


def seats_to_exchange(first: IntArray, second: IntArray, elsewhere: IntArray) -> BoolArray:
    """Which pairs to turn round so that each essay's seats, with those `elsewhere`, stay within two of each other.

    `elsewhere` (n_items,) is the balance in pairs that stay as they are. Turning every pair of a chain changes only
    its two ends, by two each: a chain leads from an essay that sits too often in one seat to one that does not.
    Where `elsewhere` is within two, such chains were found in every plan we tried; where there is none, the essay
    stays as it is.
    """
    balance = (elsewhere + seat_balance(first, second, elsewhere.size)).tolist()
    turned = np.zeros(first.size, dtype=np.bool_)
    unbalanced = [essay for essay, seats in enumerate(balance) if abs(seats) > MOST_SEAT_IMBALANCE]
    if not unbalanced:
        return turned
    incident = _Incident(first, second, elsewhere.size)
    for essay in unbalanced:
        while abs(balance[essay]) > MOST_SEAT_IMBALANCE:
            side = 1 if balance[essay] > 0 else -1
            chain, end = _chain(essay, side, incident, turned, balance)
            if not chain:
                break
            turned[chain] ^= True
            balance[essay] -= 2 * side
            balance[end] += 2 * side
    return turned


class _Incident:
    """The pairs of each essay, and who sits in them."""

    def __init__(self, first: IntArray, second: IntArray, n_items: int) -> None:
        ends = np.concatenate([first, second])
        self._by_essay = np.argsort(ends, kind="stable") % max(first.size, 1)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n_items))])
        self.first, self.second = first, second

    def pairs(self, essay: int) -> list[int]:
        found: list[int] = self._by_essay[self._starts[essay] : self._starts[essay + 1]].tolist()
        return found


def _chain(essay: int, side: int, incident: _Incident, turned: BoolArray, balance: list[int]) -> tuple[list[int], int]:
    """The shortest chain of pairs, each entered from the seat `side` (1: first), to an essay with room, and that."""
    came_by: dict[int, tuple[int, int]] = {essay: (-1, -1)}
    waiting = deque([essay])
    while waiting:
        here = waiting.popleft()
        for pair in incident.pairs(here):
            is_first = bool(incident.first[pair] == here)
            there = int(incident.second[pair] if is_first else incident.first[pair])
            if there in came_by or (is_first != bool(turned[pair])) != (side > 0):
                continue
            came_by[there] = (pair, here)
            if side * balance[there] <= 0:
                return _followed_back(there, essay, came_by), there
            waiting.append(there)
    return [], essay


def _followed_back(end: int, start: int, came_by: dict[int, tuple[int, int]]) -> list[int]:
    chain = []
    while end != start:
        pair, end = came_by[end]
        chain.append(pair)
    return chain
