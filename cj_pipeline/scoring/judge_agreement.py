"""How far judges agree with each other on the pairs that both of them judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.votes import Votes


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on their shared pairs; kappa is NaN where chance alone agrees always."""

    one: int
    other: int
    pairs: int
    agreement: float
    kappa: float


def judge_agreement(votes: Votes) -> list[Agreement]:
    """Every two judges that share a pair of essays, in whichever seats it was shown.

    A judge's verdict on a pair is the essay that won most of its votes on it, or a tie. Agreement is the share of
    pairs with the same verdict; kappa is Cohen's (1960), with the two essays in a fixed order.
    """
    verdicts = list(_verdicts(votes))
    found = (_agreement(one, other) for one, other in combinations(verdicts, 2))
    return [agreement for agreement in found if agreement is not None]


@dataclass(frozen=True, slots=True)
class _Verdicts:
    judge: int
    pair: IntArray  # rising
    verdict: IntArray  # 1 for the pair's lower essay, -1 for the upper one, 0 a tie


def _verdicts(votes: Votes) -> Iterator[_Verdicts]:
    low, high = np.minimum(votes.essay_a, votes.essay_b), np.maximum(votes.essay_a, votes.essay_b)
    pair = low * np.int64(votes.n_essays) + high
    balance = np.where(votes.essay_a < votes.essay_b, 1, -1) * (2 * votes.outcome - 1)
    for judge in votes.active.tolist():
        own = votes.judge == judge
        pairs, number = np.unique(pair[own], return_inverse=True)
        yield _Verdicts(judge, pairs, np.sign(np.bincount(number, balance[own])).astype(np.int64))


def _agreement(one: _Verdicts, other: _Verdicts) -> Agreement | None:
    shared, mine, theirs = np.intersect1d(one.pair, other.pair, assume_unique=True, return_indices=True)
    if not shared.size:
        return None
    first, second = one.verdict[mine], other.verdict[theirs]
    agreed = float(np.mean(first == second))
    by_chance = float(_shares(first) @ _shares(second))
    kappa = (agreed - by_chance) / (1 - by_chance) if by_chance < 1 - 1e-12 else np.nan
    return Agreement(one.judge, other.judge, int(shared.size), agreed, kappa)


def _shares(verdicts: IntArray) -> FloatArray:
    return np.bincount(verdicts + 1, minlength=3) / verdicts.size
