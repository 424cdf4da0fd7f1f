"""Whole batches, wave by wave, in one process: how they end, and that they all do."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from cj_pipeline.waves.decision import Decision
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline_tests.installation import REPO
from cj_pipeline_tests.waves.pure_loop import Run, coin_toss, latent_judge, play, unanswered

PER_REQUEST, BUNDLE, BATCH_API = LLMBatchingMode
SHARP, NOISY = 2.0, 1.5  # sd of the essays in logits
ALL_SPENT = WaveRules(rule=StopRule.NONE)
ENDS_OF_SCORED = {"stable", "no_signal", "budget_exhausted", "coverage_exhausted"}


def coin_tosses(seeds: range) -> Counter[str]:
    return Counter(play(24, 168, coin_toss, seed=seed).label for seed in seeds)


def test_a_coin_toss_judge_ends_as_no_signal_and_never_as_stable() -> None:
    assert coin_tosses(range(15)) == {"no_signal": 15}


@pytest.mark.heavy
def test_two_hundred_coin_toss_batches_end_as_no_signal() -> None:
    assert coin_tosses(range(1_000, 1_200)) == {"no_signal": 200}


def test_a_sharp_judge_ends_as_stable_and_saves_comparisons() -> None:
    runs = [play(24, 288, latent_judge(24, SHARP, seed), seed=seed) for seed in range(8)]
    assert [run.label for run in runs] == ["stable"] * 8
    assert np.mean([run.pairs.num_rows for run in runs]) < 250


@pytest.mark.heavy
def test_a_judge_with_an_opinion_is_hardly_ever_called_without_signal() -> None:
    """Essays of sd 2.5 and of sd 1.5 logits; docs/waves.md has the shares for other judges."""
    sharp = Counter(play(24, 288, latent_judge(24, 2.5, seed), seed=seed).label for seed in range(40))
    noisy = Counter(play(24, 288, latent_judge(24, NOISY, seed), seed=seed).label for seed in range(40))
    assert sharp["no_signal"] <= 1
    assert noisy["no_signal"] <= 1


@pytest.mark.parametrize("n_essays", range(2, 32))
def test_every_number_of_essays_comes_to_an_end_in_every_mode(n_essays: int) -> None:
    """By default rule, with a budget of 14 comparisons per essay, and with a judge that leaves a tenth unanswered."""
    judge, budget = latent_judge(n_essays, SHARP, n_essays), 7 * n_essays
    whole = play(n_essays, budget, judge)
    assert whole.label in ENDS_OF_SCORED
    assert whole.pairs.num_rows <= budget
    gaps = play(n_essays, budget, unanswered(judge, 0.1), mode=PER_REQUEST, rules=ALL_SPENT)
    assert gaps.label in ENDS_OF_SCORED | {"failed_low_success"}
    assert len(gaps.decisions) == len(gaps.waves) + 1
    for run in (whole, gaps):
        assert [decided.decision for decided in run.decisions[:-1]] == [Decision.REQUEST_MORE_COMPARISONS] * (
            len(run.decisions) - 1
        )


@pytest.mark.parametrize("n_essays", [2, 3, 6, 24])
def test_a_judge_that_never_answers_ends_a_batch_as_failed_and_is_asked_each_pair_once(n_essays: int) -> None:
    run = play(n_essays, 1_000, unanswered(coin_toss, 1.0))
    assert run.label == "failed_low_success"
    assert run.pairs.num_rows == n_essays * (n_essays - 1) // 2


def test_an_essay_that_is_always_refused_holds_up_no_other() -> None:
    sharp = latent_judge(24, SHARP, 3)
    run = play(24, 400, lambda a, b, rng: np.where((a == 5) | (b == 5), np.nan, sharp(a, b, rng)))
    assert run.label == "stable"


def test_the_same_seed_gives_the_same_pairs_in_any_process_whatever_the_hash_seed() -> None:
    script = (
        "from cj_pipeline_tests.waves.pure_loop import *\n"
        "run = play(11, 80, latent_judge(11, 2, 1), seed=5)\n"
        "print(run.label, [tuple(row.values()) for row in run.pairs.to_pylist()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=REPO, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPO)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "77")
    }  # fmt: skip
    assert len(said) == 1


def test_other_seeds_give_other_pairs() -> None:
    assert ordered(play(11, 30, coin_toss, seed=1)) != ordered(play(11, 30, coin_toss, seed=2))


def ordered(run: Run) -> list[tuple[str, str]]:
    return list(zip(run.pairs["essay_a"].to_pylist(), run.pairs["essay_b"].to_pylist(), strict=True))


def test_a_fifth_of_every_wave_is_drawn_without_looking_at_scores_and_the_first_wholly() -> None:
    run = play(50, 200, latent_judge(50, SHARP, 1))
    drawn = run.pairs.to_pandas().groupby("wave")["at_random"].sum().tolist()
    assert drawn[0] == 25
    assert set(drawn[1:]) == {5}


def test_pairs_that_are_chosen_are_closer_than_those_that_are_drawn() -> None:
    truth = np.random.default_rng([1, 50]).normal(size=50) * SHARP
    rows = play(50, 300, latent_judge(50, SHARP, 1)).pairs.to_pandas()
    apart = np.abs(truth[rows["essay_a"].str[1:].astype(int)] - truth[rows["essay_b"].str[1:].astype(int)])
    late = (rows["wave"] > 3).to_numpy()
    drawn = rows["at_random"].to_numpy()
    assert apart[late & ~drawn].mean() < 0.7 * apart[late & drawn].mean()


def test_no_pair_is_asked_again_before_every_pair_was_asked() -> None:
    rows = play(9, 60, latent_judge(9, SHARP, 1), rules=ALL_SPENT).pairs.to_pandas()
    kinds = rows["kind"].tolist()
    assert kinds == sorted(kinds)
    unordered = [tuple(sorted(pair)) for pair in rows[["essay_a", "essay_b"]].itertuples(index=False)]
    assert len(set(unordered[:36])) == 36
    assert all(earlier <= later for earlier, later in pairwise(rows["wave"].tolist()))


def test_no_essay_sits_much_more_often_in_one_seat_after_any_coverage_wave() -> None:
    rows = play(17, 119, latent_judge(17, SHARP, 2), rules=ALL_SPENT).pairs.to_pandas()
    for wave in range(1, rows["wave"].max() + 1):
        so_far = rows[rows["wave"] <= wave]
        seats = so_far["essay_a"].value_counts().sub(so_far["essay_b"].value_counts(), fill_value=0)
        assert seats.abs().max() <= 2
