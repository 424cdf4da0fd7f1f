"""A whole batch in one process: waves, verdicts, scores and decisions, with no ledger and no network."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from scipy.special import expit

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.fit import fit_bradley_terry
from cj_pipeline.scoring.votes import Votes
from cj_pipeline.tables import COMPARISON_PAIRS
from cj_pipeline.waves.coverage import by_number, coverage_of
from cj_pipeline.waves.decision import Decided, WaveState, decide
from cj_pipeline.waves.evidence import Origins, evidence_of
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.next_wave import plan_next_wave
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline.waves.stop_rules import Evidence

Judge = Callable[[IntArray, IntArray, np.random.Generator], FloatArray]  # P(A wins); NaN: no verdict


@dataclass(frozen=True, slots=True)
class Run:
    """A batch at its end: its pairs, the decision after each wave, and how often each essay sat where."""

    pairs: pa.Table
    decisions: list[Decided]
    first_seats: IntArray
    second_seats: IntArray

    @property
    def label(self) -> str:
        return str(self.decisions[-1].label)

    @property
    def waves(self) -> list[int]:
        numbers = np.array(self.pairs["wave"].to_pylist())
        return np.bincount(numbers)[1:].tolist() if numbers.size else []

    @property
    def largest_skew(self) -> float:
        """|A - B| / (A + B) of an essay, as the predecessor's tests take it."""
        return float((np.abs(self.first_seats - self.second_seats) / (self.first_seats + self.second_seats)).max())

    def kinds(self) -> dict[str, int]:
        names = self.pairs["kind"].to_pylist()
        return {name: names.count(name) for name in sorted(set(names))}


def essays_numbered(n_essays: int) -> pa.Table:
    return pa.table({"essay_id": [f"e{number:03d}" for number in range(n_essays)]})


def latent_judge(n_essays: int, sd: float, seed: int) -> Judge:
    """Essays differ by N(0, sd) logits; a large sd is a sharp judge."""
    truth = np.random.default_rng([seed, n_essays]).normal(size=n_essays) * sd
    return lambda essay_a, essay_b, _: expit(truth[essay_a] - truth[essay_b])


def coin_toss(essay_a: IntArray, essay_b: IntArray, _: np.random.Generator) -> FloatArray:
    return np.full(essay_a.size, 0.5)


def unanswered(judge: Judge, share: float) -> Judge:
    """The same judge, without a verdict at random."""
    return lambda a, b, rng: np.where(rng.random(a.size) < share, np.nan, judge(a, b, rng))


def play(
    n_essays: int,
    budget: int,
    judge: Judge,
    *,
    mode: LLMBatchingMode = LLMBatchingMode.SERIAL_BUNDLE,
    rules: WaveRules | None = None,
    seed: int = 1,
) -> Run:
    """Ask wave after wave until the decision ends the batch."""
    rules = rules or WaveRules()
    essays, rng = essays_numbered(n_essays), np.random.default_rng([seed, 99])
    pairs, won, passes = COMPARISON_PAIRS.empty_table(), np.zeros(0), 0
    scores: dict[str, float] = {}
    decisions: list[Decided] = []
    while True:
        answered = np.isfinite(won)
        asked_ids = np.flatnonzero(answered)
        known = frozenset(asked_ids.tolist())
        without_evidence = WaveState(
            mode=mode,
            n_essays=n_essays,
            budget_left=max(0, budget - won.size),
            planned=won.size,
            answered=int(answered.sum()),
            failed=int((~answered).sum()),
            coverage=coverage_of(essays, pairs, known),
            resampling_passes=passes,
            rules=rules,
        )
        if scores and (decide(without_evidence).terminal or _may_stop(n_essays, pairs, won, rules)):
            state = replace(without_evidence, evidence=_evidence(n_essays, pairs, won))
        else:
            state = without_evidence  # figuring it out at every wave would take the time and change nothing
        decided = decide(state)
        decisions.append(decided)
        if decided.terminal:
            first, second = by_number(pairs, essays["essay_id"].to_pylist())
            return Run(
                pairs, decisions, np.bincount(first, minlength=n_essays), np.bincount(second, minlength=n_essays)
            )
        assert decided.wave_kind is not None, decided
        assert len(decisions) < 500, "the loop does not end"
        passes += decided.wave_kind == "resampling"
        wave = plan_next_wave(
            decided.wave_kind, essays, pairs, known, scores, state.budget_left, len(decisions), seed, rules
        )
        assert wave.num_rows, f"nothing planned after {decided}"
        essay_a, essay_b = by_number(wave, essays["essay_id"].to_pylist())
        chance = judge(essay_a, essay_b, rng)
        won = np.concatenate([won, np.where(np.isnan(chance), np.nan, rng.random(chance.size) < chance)])
        pairs = pa.concat_tables([pairs, wave]).unify_dictionaries()
        scores = _scores(essays, pairs, won)


def _asked(n_essays: int, pairs: pa.Table, won: FloatArray) -> tuple[Votes, Origins, IntArray]:
    first, second = by_number(pairs, essays_numbered(n_essays)["essay_id"].to_pylist())
    kept: BoolArray = np.isfinite(won)
    votes = Votes(
        first[kept], second[kept], won[kept], np.zeros(int(kept.sum()), dtype=np.int64), n_essays, ("j",),
        np.zeros(1, dtype=np.bool_),
    )  # fmt: skip
    wave = np.array(pairs["wave"].to_pylist(), dtype=np.int64)[kept]
    drawn = np.array(pairs["at_random"].to_pylist(), dtype=np.bool_)[kept]
    return votes, Origins(wave, drawn), np.bincount(np.concatenate([first, second]), minlength=n_essays)


def _evidence(n_essays: int, pairs: pa.Table, won: FloatArray) -> Evidence:
    votes, origins, asked = _asked(n_essays, pairs, won)
    return evidence_of(votes, origins, asked)


def _may_stop(n_essays: int, pairs: pa.Table, won: FloatArray, rules: WaveRules) -> bool:
    """Whether the stop rule is worth evaluating in full."""
    if rules.rule is not StopRule.MEAN_SE:
        return rules.rule is not StopRule.NONE
    votes, _, _ = _asked(n_essays, pairs, won)
    fit = fit_bradley_terry(votes.essay_a, votes.essay_b, votes.outcome, n_essays)
    return bool(np.nanmean(fit.standard_errors) <= rules.target_mean_se)


def _scores(essays: pa.Table, pairs: pa.Table, won: FloatArray) -> dict[str, float]:
    names = essays["essay_id"].to_pylist()
    first, second = by_number(pairs, names)
    kept = np.isfinite(won)
    fit = fit_bradley_terry(first[kept], second[kept], won[kept], len(names))
    return {name: score for name, score in zip(names, fit.scores.tolist(), strict=True) if np.isfinite(score)}
