"""Parity with the predecessor: waves of pairs, orientation, resampling (CJ-P54 to CJ-P74)."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2

from cj_pipeline.pairing import describe_design, plan_single_wave
from cj_pipeline.pairing.coverage_wave import coverage_wave
from cj_pipeline.pairing.orientation import stays_as_given, turned_pairs
from cj_pipeline.pairing.resampling_wave import resampling_wave
from cj_pipeline.pairing.seats import seat_balance
from cj_pipeline.waves.coverage import coverage_of, pair_history
from cj_pipeline.waves.next_wave import plan_first_wave, plan_next_wave
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline_tests.waves.parity_case import case
from cj_pipeline_tests.waves.pure_loop import essays_numbered, latent_judge, play

NONE_MET = np.zeros(0, dtype=np.int64)
ALL_SPENT = WaveRules(rule=StopRule.NONE)
AS_THERE = WaveRules(rule=StopRule.NONE, at_random_share=0.0)  # the predecessor drew nothing at random


def wave(counts: list[int], scores: list[float], seed: int = 0) -> set[tuple[int, int]]:
    low, high, _ = coverage_wave(
        np.array(counts), np.array(scores), NONE_MET, NONE_MET, 10**6, np.random.default_rng(seed), at_random_share=0.0
    )
    return set(zip(low.tolist(), high.tolist(), strict=True))


@pytest.mark.parametrize("sizes", [case("CJ-P54", {2: 1, 4: 2, 5: 2, 6: 3, 10: 5, 11: 5})])
def test_a_wave_is_a_matching_of_all_essays(sizes: dict[int, int]) -> None:
    assert {n: plan_first_wave(essays_numbered(n), 120, 42).num_rows for n in sizes} == sizes


@pytest.mark.parametrize("counts", [case("CJ-P55", [3, 5, 3, 2, 4])])
def test_of_an_odd_number_the_most_asked_essay_sits_out(counts: list[int]) -> None:
    for seed in range(10):
        essays = {essay for pair in wave(counts, [0.0] * 5, seed) for essay in pair}
        assert essays == {0, 2, 3, 4}


@pytest.mark.parametrize(("scores", "pairs"), [case("CJ-P56", [0.0, 0.1, 1.0, 1.1], {(0, 1), (2, 3)})])
def test_essays_with_close_scores_meet(scores: list[float], pairs: set[tuple[int, int]]) -> None:
    assert wave([0] * 4, scores) == pairs


@pytest.mark.parametrize(("n_essays", "pairs"), [case("CJ-P57", 50, 25)])
def test_no_essay_stands_twice_in_a_wave(n_essays: int, pairs: int) -> None:
    met = wave([0] * n_essays, [0.0] * n_essays)
    assert len(met) == pairs
    assert len({essay for pair in met for essay in pair}) == n_essays


@pytest.mark.parametrize(("n_essays", "cap", "sizes"), [case("CJ-P58", 4, 4, [2, 2, 0])])
def test_a_second_wave_asks_other_pairs_and_a_third_finds_the_budget_spent(
    n_essays: int, cap: int, sizes: list[int]
) -> None:
    essays, asked, found = essays_numbered(n_essays), plan_first_wave(essays_numbered(n_essays), cap, 3), [2]
    for number in (2, 3):
        answered = frozenset(asked["pair_id"].to_pylist())
        following = plan_next_wave("coverage", essays, asked, answered, {}, cap - asked.num_rows, number, 3)
        found.append(following.num_rows)
        asked = pa.concat_tables([asked, following]).unify_dictionaries()
    assert found == sizes
    assert coverage_of(essays, asked, answered).answered == 4


@pytest.mark.parametrize(
    "sizes",
    [
        case("CJ-P59", {(4, 4): 4}),
        case("CJ-P60", {(3, 120): 3, (5, 60): 10, (10, 120): 45, (24, 60): 60, (24, 288): 276, (50, 120): 120}),
    ],
)
def test_a_single_wave_holds_the_cap_or_every_pair_each_once(sizes: dict[tuple[int, int], int]) -> None:
    for (n_essays, cap), pairs in sizes.items():
        design = describe_design(*plan_single_wave(n_essays, 0, cap, 5), n_essays)
        assert int(design.comparisons.sum()) == 2 * pairs
        assert design.n_duplicates == 0


@pytest.mark.parametrize(("n_essays", "pairs", "waves"), [case("CJ-P61", 10, 45, 10), case("CJ-P61-24", 24, 276, 23)])
def test_waves_go_on_until_every_pair_was_asked(n_essays: int, pairs: int, waves: int) -> None:
    """The number of waves depends on the seed there, too: a matching can leave pairs that need a wave of their own."""
    rules = WaveRules(rule=StopRule.NONE, at_random_share=0.0, regular_passes=0)
    runs = [play(n_essays, 300, latent_judge(n_essays, 1, 1), rules=rules, seed=seed) for seed in range(4)]
    assert {sum(run.waves) for run in runs} == {pairs}
    assert min(len(run.waves) for run in runs) <= waves
    assert max(len(run.waves) for run in runs) <= waves + 2


@pytest.mark.parametrize(("x", "y"), [case("CJ-P62", (0, 3), (2, 1))])
def test_the_essay_that_sat_second_too_often_is_shown_first(x: tuple[int, int], y: tuple[int, int]) -> None:
    assert stays_as_given(x[0] - x[1], y[0] - y[1]) is True
    assert stays_as_given(y[0] - y[1], x[0] - x[1]) is False


@pytest.mark.parametrize("coins", [case("CJ-P63", {0.1: False, 0.9: True})])
def test_a_coin_decides_between_balanced_essays(coins: dict[float, bool]) -> None:
    class Coin(np.random.Generator):
        """Falls as one says."""

        def random(self, *_: object, **__: object) -> np.ndarray:  # type: ignore[override]  # one of its many forms
            return np.array([self.side])

        side = 0.0

    for side, turned in coins.items():
        coin = Coin(np.random.PCG64(0))
        coin.side = side
        one, other = np.array([0]), np.array([1])
        assert turned_pairs(one, other, np.zeros(2, dtype=np.int64), np.zeros(1, dtype=np.int64), coin)[0] == turned


@pytest.mark.parametrize("turned", [case("CJ-P64", {1: True, -1: False})])
def test_a_pair_that_is_asked_again_is_asked_the_other_way_round(turned: dict[int, bool]) -> None:
    """`1`: so far only as given; `-1`: only the other way round. Seats speak against it, and do not count."""
    for seen, expected in turned.items():
        seats = np.array([-9, 9]) * seen
        found = turned_pairs(np.array([0]), np.array([1]), seats, np.array([seen]), np.random.default_rng(0))
        assert found.tolist() == [expected]


@pytest.mark.parametrize("orders", [case("CJ-P65", (2, 1))])
def test_orders_are_counted_by_pair(orders: tuple[int, int]) -> None:
    history = pair_history(np.array([0, 0, 1]), np.array([1, 1, 0]), np.ones(3, dtype=np.bool_), 2)
    assert (history.low_first.tolist(), history.high_first.tolist()) == ([orders[0]], [orders[1]])


@pytest.mark.parametrize("balance", [case("CJ-P66", 3 - 2)])
def test_seats_are_counted_by_essay(balance: int) -> None:
    assert seat_balance(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 1, 0, 0]), 2).tolist() == [balance, -balance]


@pytest.mark.parametrize(("n_essays", "waves"), [case("CJ-P67", 3, 5)])
def test_resampling_spreads_over_a_small_net(n_essays: int, waves: int) -> None:
    rules = WaveRules(rule=StopRule.NONE, small_net_passes=waves)
    run = play(n_essays, 100, latent_judge(n_essays, 1, 1), rules=rules)
    counts = run.first_seats + run.second_seats
    assert run.kinds() == {"coverage": 3, "resampling": 15}
    assert counts.max() - counts.min() <= 2
    assert run.largest_skew <= 0.5


@pytest.mark.parametrize("comparisons", [case("CJ-P68", 40)])
def test_five_essays_in_three_passes_sit_first_as_often_as_second(comparisons: int) -> None:
    rules = WaveRules(rule=StopRule.NONE, small_net=5, small_net_passes=3)
    for seed in range(5):
        run = play(5, 60, latent_judge(5, 2, seed), rules=rules, seed=seed)
        assert run.pairs.num_rows == comparisons
        assert run.first_seats.tolist() == run.second_seats.tolist() == [8] * 5
        ordered = list(zip(run.pairs["essay_a"].to_pylist(), run.pairs["essay_b"].to_pylist(), strict=True))
        assert {ordered.count(pair) for pair in ordered} == {2}  # all 10 pairs, twice in each order


@pytest.mark.parametrize("kinds", [case("CJ-P69", {"coverage": 276, "resampling": 12})])
def test_twenty_four_essays_with_288_comparisons_ask_every_pair_and_twelve_again(kinds: dict[str, int]) -> None:
    for seed in range(3):
        run = play(24, 288, latent_judge(24, 2, seed), rules=ALL_SPENT, seed=seed)
        assert run.kinds() == kinds
        assert run.largest_skew <= 0.2
        assert run.label == "budget_exhausted"


@pytest.mark.parametrize("comparisons", [case("CJ-P70", 552)])
def test_with_552_comparisons_every_pair_is_asked_in_both_orders(comparisons: int) -> None:
    run = play(24, comparisons, latent_judge(24, 2, 1), rules=AS_THERE)
    ordered = set(zip(run.pairs["essay_a"].to_pylist(), run.pairs["essay_b"].to_pylist(), strict=True))
    assert len(ordered) == run.pairs.num_rows == comparisons
    assert run.first_seats.tolist() == run.second_seats.tolist() == [23] * 24


@pytest.mark.parametrize("each", [case("CJ-P71", 5)])
def test_twenty_four_essays_in_a_single_wave_of_60_have_five_each(each: int) -> None:
    """End to end over the emulator in the tests of the modes; there 60 pairs, none failed."""
    design = describe_design(*plan_single_wave(24, 0, 60, 42), 24)
    assert design.comparisons.tolist() == [each] * 24
    assert design.max_seat_imbalance <= 2


@pytest.mark.parametrize("runs", [case("CJ-P72", 200)])
def test_no_essay_sits_first_more_often_than_chance_would_have_it(runs: int) -> None:
    """There this was held of an anchor, which is an essay like the others here, too."""
    waves = [plan_first_wave(essays_numbered(6), 10, seed)["essay_a"].to_pylist() for seed in range(runs)]
    first = np.bincount([int(name[1:]) for names in waves for name in names], minlength=6)
    assert (np.abs(first / runs - 0.5) <= 0.15).all()
    assert chi2.sf(float((4 * (first - runs / 2) ** 2 / runs).sum()), df=5) > 0.05


@pytest.mark.parametrize(
    "rows",
    [
        case(
            "CJ-P73",
            [(3, ["01+", "02+", "12+"], (3, 3)), (3, ["01+", "02+", "12-"], (3, 2)), (2, ["01-", "10+"], (1, 1))],
        )
    ],
)
def test_a_pair_is_covered_once_it_has_an_answer(rows: list[tuple[int, list[str], tuple[int, int]]]) -> None:
    for n_essays, asked, (possible, covered) in rows:
        essay_a, essay_b = (np.array([int(pair[place]) for pair in asked]) for place in (0, 1))
        answered = np.array([pair[2] == "+" for pair in asked])
        coverage = pair_history(essay_a, essay_b, answered, n_essays).coverage()
        assert (coverage.possible, coverage.answered) == (possible, covered)


@pytest.mark.parametrize(("n_essays", "cap", "again"), [case("CJ-P74", 12, 120, 54)])
def test_resampling_spends_the_budget_to_the_last_pair(n_essays: int, cap: int, again: int) -> None:
    """There 51 to 53 of 54: an even share per essay blocked the last ones, and the batch stalled.

    Corrected by design §7 (no dead ends): when the even share allows no further pair, it is raised.
    """
    for seed in range(5):
        run = play(n_essays, cap, latent_judge(n_essays, 1, seed), rules=ALL_SPENT, seed=seed)
        assert run.kinds() == {"coverage": 66, "resampling": again}
    low, high = np.triu_indices(n_essays, 1)
    chosen = resampling_wave(low, high, np.full(n_essays, 11), again, np.random.default_rng(1))
    counts = np.bincount(np.concatenate([low[chosen], high[chosen]]))
    assert counts.max() - counts.min() <= 2
