"""What scores are worth: precision alone is no signal, and nothing that the choice of pairs makes counts as one."""

import numpy as np
import pyarrow as pa
import pytest

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import score_comparisons
from cj_pipeline.scoring.fit import fit_bradley_terry
from cj_pipeline.scoring.votes import Votes
from cj_pipeline.waves.coverage import by_number
from cj_pipeline.waves.evidence import Origins, evidence_of, signal, vote_origins, wave_path
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline.waves.stop_rules import NO_EVIDENCE
from cj_pipeline_tests.waves.pure_loop import Judge, coin_toss, essays_numbered, latent_judge, play

SPENT = WaveRules(rule=StopRule.NONE)


def votes_of(n_essays: int, judge: Judge, seed: int, *, n_judges: int = 1, budget: int = 168) -> tuple[Votes, Origins]:
    """The pairs of a played batch, judged again: by several judges of the same opinion if asked for."""
    pairs = play(n_essays, budget, judge, rules=SPENT, seed=seed).pairs
    essay_a, essay_b = (
        np.tile(ends, n_judges) for ends in by_number(pairs, essays_numbered(n_essays)["essay_id"].to_pylist())
    )
    rng = np.random.default_rng([seed, 5])
    votes = Votes(
        essay_a, essay_b, (rng.random(essay_a.size) < judge(essay_a, essay_b, rng)).astype(float),
        np.repeat(np.arange(n_judges), pairs.num_rows), n_essays, tuple("abc"[:n_judges]),
        np.zeros(n_judges, dtype=bool),
    )  # fmt: skip
    columns = [np.tile(np.array(pairs[name].to_pylist()), n_judges) for name in ("wave", "at_random")]
    return votes, Origins(*columns)


def test_the_last_step_of_the_path_is_the_evidence_and_each_is_what_was_known_then() -> None:
    votes, origins = votes_of(12, latent_judge(12, 2, 1), 1)
    path = wave_path(votes, origins)
    assert len(path) == origins.wave.max()
    assert path[-1] == evidence_of(votes, origins)
    early = origins.wave <= 4
    then = evidence_of(votes.only(early), Origins(origins.wave[early], origins.at_random[early]))
    assert path[3] == then
    assert [step.min_degree for step in path] == sorted(step.min_degree for step in path)
    assert np.isinf(path[0].score_change)
    assert np.isnan(path[0].signal)


def test_precision_and_change_are_those_of_the_scores() -> None:
    votes, origins = votes_of(12, latent_judge(12, 2, 1), 2, budget=60)
    now, before = (
        fit_bradley_terry(some.essay_a, some.essay_b, some.outcome, 12)
        for some in (votes, votes.only(origins.wave < origins.wave.max()))
    )
    found = evidence_of(votes, origins)
    assert found.mean_se == pytest.approx(now.standard_errors.mean())
    assert found.score_change == pytest.approx(np.abs(now.scores - before.scores).max())
    assert (found.components, found.min_degree) == (1, np.bincount(np.r_[votes.essay_a, votes.essay_b]).min())


def test_the_reliability_is_that_of_the_drawn_pairs_projected_to_all() -> None:
    votes, origins = votes_of(24, latent_judge(24, 2.5, 1), 3)
    drawn = votes.only(origins.at_random)
    alone = score_comparisons(drawn.essay_a, drawn.essay_b, drawn.outcome, drawn.judge, 24, n_judges=1).reliability
    longer = votes.outcome.size / drawn.outcome.size
    found = evidence_of(votes, origins)
    assert found.by == "at_random"
    assert found.reliability == pytest.approx(longer * alone / (1 + (longer - 1) * alone))


def test_with_several_judges_it_is_how_they_agree() -> None:
    agreeing = evidence_of(*votes_of(24, latent_judge(24, 2.5, 1), 4, n_judges=2))
    tossing = evidence_of(*votes_of(24, coin_toss, 4, n_judges=2))
    assert (agreeing.by, tossing.by) == ("judges", "judges")
    assert agreeing.reliability > 0.7
    assert tossing.reliability < 0.5


def test_tossed_coins_are_precise_and_give_no_signal_though_their_pairs_were_chosen_by_score() -> None:
    """Scores fitted without the drawn pairs predict those, too: both shaped which essays met. The signal does not."""
    leaked, clean = [], []
    for seed in range(12):
        run = play(30, 240, coin_toss, rules=SPENT, seed=seed)
        essay_a, essay_b = by_number(run.pairs, essays_numbered(30)["essay_id"].to_pylist())
        won = outcomes_of(240, 30, seed)
        drawn = np.array(run.pairs["at_random"].to_pylist())
        votes = Votes(essay_a, essay_b, won, np.zeros(240, dtype=int), 30, ("a",), np.zeros(1, dtype=bool))
        rest = fit_bradley_terry(essay_a[~drawn], essay_b[~drawn], won[~drawn], 30).scores
        leaked.append(signal((rest[essay_a] - rest[essay_b])[drawn], won[drawn]))
        found = evidence_of(votes, Origins(np.array(run.pairs["wave"].to_pylist()), drawn))
        clean.append(found.signal)
        assert found.mean_se < 0.75
    assert np.mean(leaked) > 0.5 + np.mean(clean)
    assert abs(np.mean(clean)) < 0.5
    assert max(clean) < 3


def outcomes_of(n_pairs: int, n_essays: int, seed: int) -> FloatArray:
    """The verdicts that `play` drew for a judge whose every chance is one half, wave by wave."""
    rng = np.random.default_rng([seed, 99])
    return np.concatenate([rng.random(n_essays // 2) < 0.5 for _ in range(n_pairs // (n_essays // 2))]).astype(float)


def first_seat(essay_a: IntArray, essay_b: IntArray, _: np.random.Generator) -> FloatArray:
    return np.full(essay_a.size, 0.9)


def test_a_judge_who_only_prefers_a_seat_gives_no_signal() -> None:
    found = [evidence_of(*votes_of(24, first_seat, seed)).signal for seed in range(8)]
    assert max(found) < 3
    assert abs(np.mean(found)) < 0.7


def test_a_judge_who_repeats_its_guesses_confirms_nothing_by_that() -> None:
    """Each pair has a verdict by chance, the same whenever it is asked; only its first is held against scores."""
    fixed = np.random.default_rng(7).random((8, 8)) < 0.5
    guesses = np.triu(fixed, 1) + np.tril(~fixed.T, -1)
    votes, origins = votes_of(8, lambda a, b, _: guesses[a, b].astype(float), 1, budget=56)
    found = evidence_of(votes, origins)
    first_answers = 28
    assert votes.outcome.size == 56
    assert found.signal_verdicts == first_answers - 4  # those of the first wave had no scores before them
    assert found.signal < 3


def test_an_essay_without_answers_is_left_out_of_what_all_must_reach() -> None:
    sharp = latent_judge(12, 2, 1)
    votes, origins = votes_of(12, lambda a, b, rng: sharp(a, b, rng), 1)
    kept = (votes.essay_a != 3) & (votes.essay_b != 3)
    without, some = votes.only(kept), Origins(origins.wave[kept], origins.at_random[kept])
    asked = np.bincount(np.r_[votes.essay_a, votes.essay_b], minlength=12)
    assert evidence_of(without, some).min_degree == 0
    found = evidence_of(without, some, asked)
    assert found.min_degree >= 6
    assert found.components == 1
    assert found.mean_se < evidence_of(without, some).max_se


def test_without_votes_there_is_no_evidence() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    votes = Votes(nothing, nothing, np.zeros(0), nothing, 3, ("a",), np.zeros(1, dtype=bool))
    assert evidence_of(votes, Origins(nothing, nothing.astype(bool))) is NO_EVIDENCE
    assert wave_path(votes, Origins(nothing, nothing.astype(bool))) == []


def test_origins_follow_the_successful_judgments_and_peoples_votes_have_no_wave() -> None:
    judgments = pa.table({"pair_id": [0, 1, 2], "wave": [1, 1, 2], "outcome": ["success", "failure", "success"]})
    pairs = pa.table({"pair_id": [0, 1, 2], "at_random": [True, True, False]})
    one = np.zeros(3, dtype=np.int64)
    votes = Votes(one, one + 1, np.ones(3), one, 2, ("a",), np.zeros(1, dtype=bool))
    origins = vote_origins(votes, judgments, pairs)
    assert origins.wave.tolist() == [1, 2, 0]
    assert origins.at_random.tolist() == [True, False, False]
