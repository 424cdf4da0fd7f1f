"""How many of the possible pairs have an answer, and which were not asked yet."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.arrays import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Coverage:
    """Unordered pairs: all there are, those with an answer, and those asked without one."""

    possible: int
    answered: int
    unanswered: int = 0

    @property
    def open(self) -> int:
        """Pairs a coverage wave can still ask."""
        return max(0, self.possible - self.answered - self.unanswered)

    @property
    def complete(self) -> bool:
        """Every pair was asked."""
        return self.possible > 0 and self.open == 0


@dataclass(frozen=True, slots=True)
class PairHistory:
    """What became of each unordered pair asked so far; arrays have one entry per pair, low < high."""

    low: IntArray
    high: IntArray
    low_first: IntArray  # times the lower numbered essay was shown first
    high_first: IntArray
    answered: BoolArray  # at least once
    n_essays: int

    def coverage(self) -> Coverage:
        """The counts over all pairs of the batch."""
        return Coverage(comb(self.n_essays, 2), int(self.answered.sum()), int((~self.answered).sum()))


def pair_history(essay_a: IntArray, essay_b: IntArray, answered: BoolArray, n_essays: int) -> PairHistory:
    """Gather ordered comparisons (m,) of essays 0..n_essays-1 by unordered pair; A is shown first."""
    low, high = np.minimum(essay_a, essay_b), np.maximum(essay_a, essay_b)
    keys, pair = np.unique(low * np.int64(n_essays) + high, return_inverse=True)
    low_first = np.bincount(pair, essay_a < essay_b, minlength=keys.size).astype(np.int64)
    return PairHistory(
        low=keys // n_essays,
        high=keys % n_essays,
        low_first=low_first,
        high_first=np.bincount(pair, minlength=keys.size) - low_first,
        answered=np.bincount(pair, answered, minlength=keys.size) > 0,
        n_essays=n_essays,
    )


def coverage_of(essays: pa.Table, asked: pa.Table, answered: Container[int]) -> Coverage:
    """Coverage of a batch: `asked` are its pairs of all waves, `answered` the pair_ids with a success."""
    return history_of(essays, asked, answered).coverage()


def history_of(essays: pa.Table, asked: pa.Table, answered: Container[int]) -> PairHistory:
    """The pairs of a table `comparison_pairs`, essays numbered by the sorted order of their ids."""
    essay_a, essay_b = by_number(asked, sorted(essays["essay_id"].to_pylist()))
    succeeded = np.array([pair in answered for pair in asked["pair_id"].to_pylist()], dtype=np.bool_)
    return pair_history(essay_a, essay_b, succeeded, essays.num_rows)


def by_number(pairs: pa.Table, names: Sequence[str]) -> tuple[IntArray, IntArray]:
    """(essay_a, essay_b) of a table as positions in `names`."""
    number = {name: index for index, name in enumerate(names)}
    first, second = (
        np.array([number[name] for name in pairs[column].to_pylist()], dtype=np.int64)
        for column in ("essay_a", "essay_b")
    )
    return first, second
