"""What the predecessor's mock said to the prompts of its own tests (section 4.4 of the reference), as golden values.

Its prompts were one sentence each that named two ids; ours are other texts, so the winners differ and the rule is the
same. These strings are kept to hold the scoring against its figures.
"""

from itertools import combinations

import numpy as np

from cj_pipeline.scoring.choix_ilsr import PredecessorFit, fit_choix_ilsr

# The page prints 67 letters, with seven A in this run of six; no other deletion gives the wins it states.
ANCHOR_WINNERS = "BAAAABBBBABBBBABBBBBAABBABAAAAAABBBABABAAAAAAAAAABABAAABBBBBABABBB"
LOWER5_WINNERS = "BBAABBBABB"  # 12 13 14 15 23 24 25 34 35 45
ANCHOR_WINS = [5, 3, 7, 5, 8, 7, 6, 5, 6, 3, 6, 5]


def pairs_of(essays: int) -> list[tuple[int, int]]:
    """All pairs in the order of the ids."""
    return list(combinations(range(essays), 2))


def wins_of(winners: str, essays: int) -> list[int]:
    """Wins of each essay."""
    won = [a if seat == "A" else b for (a, b), seat in zip(pairs_of(essays), winners, strict=True)]
    return np.bincount(won, minlength=essays).tolist()


def fit_of(winners: str, essays: int) -> PredecessorFit:
    """Its scores and standard errors, the last essay being the reference."""
    first, second = zip(*pairs_of(essays), strict=True)
    return fit_choix_ilsr(first, second, [1.0 if seat == "A" else 0.0 for seat in winners], essays)
