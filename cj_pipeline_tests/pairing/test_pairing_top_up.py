"""What a top-up promises: new essays join a judged batch, and nothing of it is asked again."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.pairing import describe_design, plan_single_wave, plan_top_up
from cj_pipeline.pairing.arrays import IntArray
from cj_pipeline.pairing.top_up import every_top_up_pair, tied_essays, usual_top_up_pairs

Pairs = tuple[IntArray, IntArray]


@st.composite
def top_ups(draw: st.DrawFn) -> tuple[Pairs, int, int, int, Pairs]:
    """(existing pairs, anchors, earlier essays, new essays, the top-up's pairs)."""
    n_anchors, n_pupils, n_new = draw(st.integers(0, 14)), draw(st.integers(2, 25)), draw(st.integers(1, 20))
    n_old = n_anchors + n_pupils
    existing = plan_single_wave(n_pupils, n_anchors, draw(st.integers(n_old - 1, 8 * n_old)), draw(st.integers(0, 99)))
    budget = draw(st.integers(1, every_top_up_pair(n_old, n_new) + 2))
    return existing, n_anchors, n_old, n_new, plan_top_up(*existing, n_anchors, n_old, n_new, budget, draw(SEEDS))


SEEDS = st.integers(0, 2**62)


def both(existing: Pairs, added: Pairs) -> Pairs:
    return np.concatenate([existing[0], added[0]]), np.concatenate([existing[1], added[1]])


@given(top_ups())
@settings(max_examples=200, deadline=None)
def test_every_pair_of_a_top_up_holds_a_new_essay_so_none_was_asked_before(
    case: tuple[Pairs, int, int, int, Pairs],
) -> None:
    existing, _, n_old, n_new, (first, second) = case
    assert (np.maximum(first, second) >= n_old).all()
    assert describe_design(first, second, n_old + n_new).n_duplicates == 0
    assert describe_design(*both(existing, (first, second)), n_old + n_new).n_duplicates == 0


@given(top_ups(), st.integers(1, 400))
@settings(max_examples=100, deadline=None)
def test_a_budget_is_spent_whole_until_every_pair_is_used(
    case: tuple[Pairs, int, int, int, Pairs], budget: int
) -> None:
    existing, n_anchors, n_old, n_new, _ = case
    first, _ = plan_top_up(*existing, n_anchors, n_old, n_new, budget, 7)
    assert first.size == min(budget, every_top_up_pair(n_old, n_new))


@given(top_ups())
@settings(max_examples=200, deadline=None)
def test_new_essays_meet_equally_many_others_within_one(case: tuple[Pairs, int, int, int, Pairs]) -> None:
    _, _, n_old, n_new, added = case
    met = describe_design(*added, n_old + n_new).comparisons
    assert np.ptp(met[n_old:]) <= 1
    tied = met[:n_old][met[:n_old] > 0]
    assert not tied.size or np.ptp(tied) <= 1


@given(top_ups())
@settings(max_examples=200, deadline=None)
def test_seats_stay_within_two_counting_the_pairs_that_were_asked_before(
    case: tuple[Pairs, int, int, int, Pairs],
) -> None:
    existing, _, n_old, n_new, added = case
    assert describe_design(*both(existing, added), n_old + n_new).max_seat_imbalance <= 2


@given(top_ups())
@settings(max_examples=200, deadline=None)
def test_as_many_pairs_as_new_essays_link_them_all_to_the_judged_batch(
    case: tuple[Pairs, int, int, int, Pairs],
) -> None:
    existing, _, n_old, n_new, added = case
    if added[0].size >= n_new:
        assert describe_design(*both(existing, added), n_old + n_new).n_components == 1


@given(top_ups(), SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_same_seed_gives_the_same_top_up(case: tuple[Pairs, int, int, int, Pairs], seed: int) -> None:
    existing, n_anchors, n_old, n_new, added = case
    again = [plan_top_up(*existing, n_anchors, n_old, n_new, added[0].size, seed) for _ in range(2)]
    assert all(np.array_equal(one, other) for plans in pairwise(again) for one, other in zip(*plans, strict=True))


def test_one_top_up_after_another_keeps_every_seat_balanced() -> None:
    pairs = plan_single_wave(13, 12, 175, 1)
    for round_, n_old in enumerate(range(25, 60, 5)):
        added = plan_top_up(*pairs, 12, n_old, 5, usual_top_up_pairs(12, n_old, 5), seed=round_)
        pairs = both(pairs, added)
        design = describe_design(*pairs, n_old + 5)
        assert design.max_seat_imbalance <= 2
        assert design.n_duplicates == 0
        assert design.n_components == 1


def test_anchors_are_met_before_earlier_pupils_and_the_ties_hold_the_anchor_share() -> None:
    existing = plan_single_wave(25, 12, 259, 1)
    first, second = plan_top_up(*existing, 12, 37, 30, 280, seed=3)
    ends = np.minimum(first, second)
    with_anchors, with_pupils = (ends < 12).sum(), ((ends >= 12) & (ends < 37)).sum()
    assert with_anchors + with_pupils == 140
    assert np.unique(ends[ends < 12]).size == 12
    assert with_anchors >= with_pupils > 0


def test_a_single_new_essay_meets_fourteen_others_anchors_first() -> None:
    existing = plan_single_wave(25, 12, 259, 1)
    first, second = plan_top_up(*existing, 12, 37, 1, usual_top_up_pairs(12, 37, 1), seed=3)
    met = np.minimum(first, second)
    assert first.size == 14
    assert set(range(12)) < set(met.tolist())
    assert abs(int((first == 37).sum()) - 7) <= 1


@pytest.mark.parametrize(("n_new", "n_old"), [(1, 5), (2, 37), (8, 37), (30, 37), (300, 37)])
def test_by_default_each_new_essay_is_in_fourteen_comparisons_or_in_all_there_are(n_new: int, n_old: int) -> None:
    existing = plan_single_wave(n_old - 2, 2, 7 * n_old, 1)
    added = plan_top_up(*existing, 2, n_old, n_new, usual_top_up_pairs(2, n_old, n_new), seed=1)
    met = describe_design(*added, n_old + n_new).comparisons[n_old:]
    assert abs(met.mean() - min(14, n_old + n_new - 1)) <= 0.5


def test_without_anchors_a_dozen_earlier_essays_carry_the_link() -> None:
    assert tied_essays(0, 100, 40, 400) == 12
    assert tied_essays(12, 100, 40, 400) == 24
    assert tied_essays(12, 15, 40, 400) == 15
    assert tied_essays(12, 100, 40, 45) == 6


@pytest.mark.parametrize(
    "counts", [(0, 0, 3, 5, 1), (2, 1, 3, 5, 1), (0, 5, 0, 5, 1), (0, 5, 3, 0, 1), (0, 5, 3, 5, -1)]
)
def test_an_impossible_top_up_is_refused_in_words(counts: tuple[int, int, int, int, int]) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    with pytest.raises(ValueError, match="cannot plan"):
        plan_top_up(nothing, nothing, *counts)
