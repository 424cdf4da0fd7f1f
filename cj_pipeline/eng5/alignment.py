"""How well a judge's order of the anchors follows their grades: tau, inversions, anchors that never won, win rates.

By the predecessor's rules (its alignment report), figure for figure. They say something of real or replayed judges
only: a judge that draws lots has no order to be held against.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN_GRADE = 99  # the rank of a grade that is not on the scale: worse than all


@dataclass(frozen=True, slots=True)
class Met:
    """One comparison of two anchors with a verdict. `confidence` 0 where the judge gave none."""

    winner: str
    loser: str
    confidence: float = 0.0
    justification: str = ""


@dataclass(frozen=True, slots=True)
class Inversion:
    """A pair in which the anchor with the worse grade won; the first such comparison stands for the pair."""

    better: str
    worse: str
    met: Met


@dataclass(frozen=True, slots=True)
class Alignment:
    """What stands on the first page of an alignment report. `win_rates` by anchor."""

    comparisons: int
    kendall_tau: float
    inversions: tuple[Inversion, ...]
    zero_wins: tuple[str, ...]
    win_rates: Mapping[str, float]


def align(
    ranked: Sequence[str], grades: Mapping[str, str], met: Sequence[Met], rank: Callable[[str], int]
) -> Alignment:
    """Hold anchors, best score first, and their comparisons against their grades; `rank` of a grade is 0 at best.

    The expected order sorts by grade and leaves equal grades as they stand in `ranked`: that flatters tau, and is
    kept because the predecessor's targets (tau >= .90) are set on it.
    """
    expected = sorted(ranked, key=lambda anchor: rank(grades.get(anchor, "")))
    place = {anchor: number for number, anchor in enumerate(expected, start=1)}
    rates = win_rates(ranked, met)
    won = {one.winner for one in met}
    return Alignment(
        comparisons=len(met),
        kendall_tau=kendall_tau_a([place[anchor] for anchor in ranked]),
        inversions=tuple(direct_inversions(grades, met, rank)),
        zero_wins=tuple(anchor for anchor in ranked if anchor not in won),
        win_rates=rates,
    )


def kendall_tau_a(places: Sequence[float]) -> float:
    """(concordant - discordant) / (n (n - 1) / 2) of places in the order found; a tie counts as neither.

    Kendall (1938), tau-a. 0 with fewer than two places.
    """
    n = len(places)
    if n < 2:
        return 0.0
    values = np.asarray(places, dtype=np.float64)
    one, other = np.triu_indices(n, 1)
    return float(np.sign(values[other] - values[one]).sum() / (n * (n - 1) / 2))


def direct_inversions(grades: Mapping[str, str], met: Iterable[Met], rank: Callable[[str], int]) -> list[Inversion]:
    """Pairs in which the worse grade won, each once, in the order of the comparisons.

    Equal grades cannot be inverted; an unknown grade is worse than all.
    """
    found: dict[tuple[str, str], Inversion] = {}
    for one in met:
        if rank(grades.get(one.winner, "")) > rank(grades.get(one.loser, "")):
            found.setdefault((one.loser, one.winner), Inversion(one.loser, one.winner, one))
    return list(found.values())


def win_rates(anchors: Iterable[str], met: Sequence[Met]) -> dict[str, float]:
    """Wins / (wins + losses) by anchor; 0 for one that met nobody."""
    wins, losses = Counter(one.winner for one in met), Counter(one.loser for one in met)
    return {
        anchor: wins[anchor] / (wins[anchor] + losses[anchor]) if wins[anchor] + losses[anchor] else 0.0
        for anchor in anchors
    }
