"""Waves that follow others: matchings, the scale beyond them, seats, and pairs asked again."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.pairing.coverage_wave import BLOSSOM_UP_TO, coverage_wave
from cj_pipeline.pairing.matching import heaviest_matching, nearest_matching
from cj_pipeline.pairing.orientation import turned_pairs
from cj_pipeline.pairing.resampling_wave import resampling_wave

SEEDS = st.integers(0, 2**32 - 1)


def best_by_trying_all(edges: list[tuple[int, int]], weight: list[float]) -> tuple[int, float]:
    """Size and weight of the largest matching of greatest weight."""
    best = (0, 0.0)
    for size in range(len(edges) + 1):
        for chosen in combinations(range(len(edges)), size):
            ends = [end for edge in chosen for end in edges[edge]]
            if len(set(ends)) == len(ends):
                best = max(best, (size, sum(weight[edge] for edge in chosen)))
    return best


@settings(max_examples=40, deadline=None)
@given(n_items=st.integers(2, 6), kept=st.floats(0.2, 1.0), seed=SEEDS)
def test_no_matching_is_larger_and_of_the_largest_none_is_heavier(n_items: int, kept: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.triu_indices(n_items, 1)
    some = rng.random(low.size) < kept
    low, high, weight = low[some], high[some], rng.uniform(0, 3, int(some.sum()))
    chosen = heaviest_matching(low, high, weight)
    edges = list(zip(low.tolist(), high.tolist(), strict=True))
    assert len({end for edge in chosen for end in edges[edge]}) == 2 * chosen.size
    size, heaviest = best_by_trying_all(edges, weight.tolist())
    assert chosen.size == size
    assert float(weight[chosen].sum()) == pytest.approx(heaviest, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    n_essays=st.integers(2, 20), asked=st.floats(0, 1), limit=st.integers(1, 20), share=st.sampled_from([0, 0.2, 1.0]),
    many=st.booleans(), seed=SEEDS,
)  # fmt: skip
def test_a_coverage_wave_is_a_matching_of_pairs_that_are_open_and_never_empty_while_there_are_any(
    n_essays: int, asked: float, limit: int, share: float, many: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.triu_indices(n_essays, 1)
    closed = rng.random(low.size) < asked
    counts, scores = rng.integers(0, 9, n_essays), rng.normal(size=n_essays)
    with pytest.MonkeyPatch.context() as patch:
        if many:
            patch.setattr("cj_pipeline.pairing.coverage_wave.BLOSSOM_UP_TO", 0)
        first, second, at_random = coverage_wave(
            counts, scores, low[closed], high[closed], limit, rng, at_random_share=share
        )
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    still_open = set(zip(low[~closed].tolist(), high[~closed].tolist(), strict=True))
    assert pairs <= still_open
    assert bool(pairs) == bool(still_open)
    assert first.size <= min(limit, n_essays // 2)
    assert np.bincount(np.concatenate([first, second]), minlength=n_essays).max() <= 1
    assert at_random.sum() <= max(round(share * min(limit, n_essays // 2)), share >= 1 and first.size)


def test_beyond_the_matching_essays_still_meet_their_neighbours_on_the_scale() -> None:
    n_essays = BLOSSOM_UP_TO + 101
    rng = np.random.default_rng(1)
    scores = rng.normal(size=n_essays) * 2
    nothing = np.zeros(0, dtype=np.int64)
    low, high, drawn = coverage_wave(np.full(n_essays, 3), scores, nothing, nothing, 10**6, rng)
    assert low.size == n_essays // 2
    assert drawn.sum() == round(0.2 * (n_essays // 2))
    assert np.abs(scores[low] - scores[high])[~drawn].mean() < 0.1
    assert np.abs(scores[low] - scores[high])[drawn].mean() > 1.5


def test_neighbours_that_have_met_look_further_along_the_scale() -> None:
    order = np.arange(6)
    assert nearest_matching(order, {(0, 1), (0, 2)}, 9) == [(0, 3), (1, 2), (4, 5)]
    assert nearest_matching(order, set(), 2) == [(0, 1), (2, 3)]
    assert nearest_matching(order, set(combinations(range(6), 2)) - {(0, 5)}, 9, look_ahead=2) == []


@given(n_essays=st.integers(2, 12), limit=st.integers(0, 80), seed=SEEDS)
def test_a_resampling_wave_takes_what_the_budget_allows_each_pair_once_and_spreads_it(
    n_essays: int, limit: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.triu_indices(n_essays, 1)
    chosen = resampling_wave(low, high, rng.integers(0, 5, n_essays), limit, rng)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert chosen.size == min(low.size, limit)
    taken = np.bincount(np.concatenate([low[chosen], high[chosen]]), minlength=n_essays)
    assert taken.max(initial=0) <= -(-2 * chosen.size // n_essays) + 2


def test_the_least_asked_essays_are_asked_again_first() -> None:
    low, high = np.triu_indices(6, 1)
    for seed in range(10):
        chosen = resampling_wave(low, high, np.array([9, 9, 9, 1, 1, 1]), 1, np.random.default_rng(seed))
        assert {int(low[chosen[0]]), int(high[chosen[0]])} <= {3, 4, 5}


@given(n_essays=st.integers(3, 12), rounds=st.integers(1, 4), seed=SEEDS)
def test_seats_stay_within_a_few_of_each_other_when_every_pair_is_asked(n_essays: int, rounds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.triu_indices(n_essays, 1)
    balance, seen = np.zeros(n_essays, dtype=np.int64), np.zeros(low.size, dtype=np.int64)
    for number in range(1, rounds + 1):
        turned = turned_pairs(low, high, balance, seen, rng)
        step = np.where(turned, -1, 1)
        np.add.at(balance, low, step)
        np.add.at(balance, high, -step)
        seen += step
        if number % 2 == 0:
            assert not seen.any()  # every pair as often in one order as in the other
            assert not balance.any()
    assert np.abs(balance).max() <= n_essays - 1
