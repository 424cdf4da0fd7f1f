"""Pairs that let new essays join a judged batch: among themselves, with its anchors, and with some of its pupils.

The new essays are planned as pupils are, and the essays they are tied to stand where anchors stand in a single
wave; so each new essay meets about as many others as the next, and no pair of the judged batch is asked again.
"""

from math import comb

import numpy as np

from cj_pipeline.pairing.arrays import IntArray
from cj_pipeline.pairing.seats import seat_balance, seats_to_exchange
from cj_pipeline.pairing.single_wave import plan_single_wave, student_anchor_share

COMPARISONS_PER_ESSAY = 14  # default, as in a batch of its own
LEAST_TIES = 12  # earlier essays to be tied to, where there are as many


def tied_essays(n_anchors: int, n_old: int, n_new: int, budget: int) -> int:
    """How many of the earlier essays new ones are paired with: all anchors, and as many pupils beside them.

    More where the pairs would not suffice, fewer where the budget could not reach them all.
    """
    wanted = max(2 * n_anchors, LEAST_TIES)
    needed = -(-max(0, budget - comb(n_new, 2)) // n_new)
    reachable = max(1, budget - n_new + 1)
    return min(n_old, max(needed, min(wanted, reachable)))


def usual_top_up_pairs(n_anchors: int, n_old: int, n_new: int) -> int:
    """Pairs that put each new essay into 14 comparisons, as far as there are pairs."""
    ends = COMPARISONS_PER_ESSAY * n_new
    share = student_anchor_share(n_new, tied_essays(n_anchors, n_old, n_new, ends))
    among = min(comb(n_new, 2), round(ends * (1 - share) / (2 - share)))
    return among + min(n_new * n_old, ends - 2 * among)


def every_top_up_pair(n_old: int, n_new: int) -> int:
    """Pairs with a new essay in them."""
    return comb(n_new, 2) + n_new * n_old


def plan_top_up(
    existing_first: IntArray, existing_second: IntArray, n_anchors: int, n_old: int, n_new: int, budget: int, seed: int
) -> tuple[IntArray, IntArray]:
    """Plan min(budget, all) pairs of new essays n_old..n_old+n_new-1 with each other and with essays 0..n_old-1.

    Of the earlier essays, 0..n_anchors-1 are anchors; `existing_*` are the pairs they were asked in. Returns
    (first, second). Every pair holds a new essay, none occurs twice; degrees of new essays differ by at most one,
    and so do the new pairs of earlier essays that are tied to. With a budget of n_new or more every new essay is
    linked to an earlier one. Counting the existing pairs, no essay's two seats differ by more than two, given that
    those of the existing pairs do not. The same arguments give the same plan. Which pupils are tied to depends on
    how often and where they sat, never on who won: a choice by score would flatter the reliability (Bramley 2015).

    Raises ValueError on counts or a budget below one, more anchors than earlier essays, or a negative seed.
    """
    if n_new < 1 or budget < 1 or seed < 0 or not 0 <= n_anchors <= n_old or n_old < 1:
        raise ValueError(
            f"cannot plan {budget} pairs of {n_new} new essays beside {n_old} earlier ones ({n_anchors} anchors), "
            f"seed {seed}"
        )
    n_ties = tied_essays(n_anchors, n_old, n_new, budget)
    imbalance = seat_balance(existing_first, existing_second, n_old + n_new)
    met = np.bincount(np.concatenate([existing_first, existing_second]), minlength=n_old)[:n_old]
    drawn = np.random.default_rng([seed, n_old]).permutation(np.arange(n_anchors, n_old))
    pupils = drawn[np.lexsort((met[drawn], np.abs(imbalance[drawn])))]
    ties = np.concatenate([np.arange(n_anchors), pupils])[:n_ties]

    first, second = plan_single_wave(n_new, n_ties, min(budget, comb(n_new, 2) + n_new * n_ties), seed)
    names = np.concatenate([ties, np.arange(n_old, n_old + n_new)])
    first, second = names[first], names[second]
    turned = seats_to_exchange(first, second, imbalance)
    return np.where(turned, second, first), np.where(turned, first, second)
