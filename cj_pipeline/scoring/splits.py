"""Would another half of the judges put the essays in the same order? Reliability from splits.

The median correlation of two random halves of the judges is No More Marking's inter-rater reliability. With one
judge only its comparisons can be halved, and then the judge is compared with itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import Literal

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.votes import Votes

MOST_SPLITS = 100
LEAST_SPLITS = 5
COMPARISONS_FIT = 500_000  # over all splits: a large batch, whose halves differ less by chance, needs fewer
ALL_ALIKE = 1e-9  # logits; scores that do not differ correlate with nothing
LEAST_ESSAYS = 4  # scored by both halves; with fewer a correlation says nothing


@dataclass(frozen=True, slots=True)
class SplitReliability:
    """`correlation` is the median Pearson over splits, `reliability` what it says of the whole; NaN without any."""

    by: Literal["judges", "comparisons"]
    splits: int
    correlation: float
    reliability: float  # Spearman-Brown: 2 r / (1 + r)


def split_reliability(votes: Votes, seed: int = 0) -> SplitReliability:
    """Halve the judges (all ways up to 100, else 100 drawn at random), score each half alone, correlate.

    With fewer than two judges random halves of the pairs are taken; repeats of a pair stay together, since they
    are not independent. Only essays in the largest group of linked essays of both halves count.
    """
    by: Literal["judges", "comparisons"] = "judges" if votes.active.size > 1 else "comparisons"
    wanted = max(LEAST_SPLITS, min(MOST_SPLITS, COMPARISONS_FIT // max(1, votes.outcome.size)))
    halves = _halves_of_judges(votes, wanted, seed) if by == "judges" else _halves_of_pairs(votes, wanted, seed)
    found = [r for half in halves if np.isfinite(r := _correlation(votes.only(half), votes.only(~half)))]
    if not found:
        return SplitReliability(by, 0, np.nan, np.nan)
    median = float(np.median(found))
    return SplitReliability(by, len(found), median, 2 * median / (1 + median) if median > -1 else np.nan)


def split_between_judges(votes: Votes, seed: int = 0) -> SplitReliability:
    """`split_reliability` of several judges; none of one judge, whose halves agree on who was put beside whom.

    For pairs that were chosen by earlier scores: the choice makes chance look like agreement (Bramley 2015).
    """
    if votes.active.size > 1:
        return split_reliability(votes, seed)
    return SplitReliability("comparisons", 0, np.nan, np.nan)


def _halves_of_judges(votes: Votes, wanted: int, seed: int) -> Iterator[BoolArray]:
    judges = votes.active
    size = judges.size // 2
    if comb(judges.size, size) <= 2 * wanted:
        chosen = list(combinations(judges.tolist(), size))
        if judges.size % 2 == 0:
            chosen = [half for half in chosen if int(judges[0]) in half]  # the others are their complements
        yield from (np.isin(votes.judge, half) for half in islice(chosen, wanted))
        return
    rng = np.random.default_rng([seed, judges.size])
    for _ in range(wanted):
        yield np.isin(votes.judge, rng.permutation(judges)[:size])


def _halves_of_pairs(votes: Votes, wanted: int, seed: int) -> Iterator[BoolArray]:
    low, high = np.minimum(votes.essay_a, votes.essay_b), np.maximum(votes.essay_a, votes.essay_b)
    pairs, pair = np.unique(low * np.int64(votes.n_essays) + high, return_inverse=True)
    rng = np.random.default_rng([seed, pairs.size])
    for _ in range(wanted if pairs.size > 1 else 0):
        yield (rng.permutation(pairs.size) < pairs.size // 2)[pair]


def _correlation(one: Votes, other: Votes) -> float:
    (mine, here), (theirs, there) = _scores(one), _scores(other)
    both = here & there
    if both.sum() < LEAST_ESSAYS or min(mine[both].std(), theirs[both].std()) < ALL_ALIKE:
        return np.nan
    return float(np.corrcoef(mine[both], theirs[both])[0, 1])


def _scores(half: Votes) -> tuple[FloatArray, BoolArray]:
    """Scores without their errors, which cost more than the scores, and which essays hang together."""
    counts = count_pairs(half.essay_a, half.essay_b, half.outcome, half.n_essays)
    components = counts.components()
    mode, _ = fit_mode(counts, components)
    return mode.scores, (components == 0) & (counts.comparisons > 0)
