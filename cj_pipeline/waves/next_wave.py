"""The pairs of a wave as a table `comparison_pairs`: which essays meet next, and who is shown first."""

from collections.abc import Container, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.arrays import BoolArray, IntArray
from cj_pipeline.pairing.coverage_wave import coverage_wave
from cj_pipeline.pairing.orientation import turned_pairs
from cj_pipeline.pairing.resampling_wave import resampling_wave
from cj_pipeline.pairing.seats import seat_balance, seats_to_exchange
from cj_pipeline.tables import COMPARISON_PAIRS, conform
from cj_pipeline.waves.coverage import PairHistory, by_number, history_of
from cj_pipeline.waves.rules import WaveRules

DEFAULT_RULES = WaveRules()


def plan_first_wave(essays: pa.Table, budget: int, seed: int, rules: WaveRules = DEFAULT_RULES) -> pa.Table:
    """One random matching of all essays, `budget` pairs at most; nothing is known yet, so all is drawn at random."""
    nothing = COMPARISON_PAIRS.empty_table()
    return plan_next_wave("coverage", essays, nothing, frozenset(), {}, budget, 1, seed, rules)


def plan_next_wave(
    kind: Literal["coverage", "resampling"],
    essays: pa.Table,
    asked: pa.Table,
    answered: Container[int],
    scores: Mapping[str, float],
    budget_left: int,
    wave: int,
    seed: int,
    rules: WaveRules = DEFAULT_RULES,
) -> pa.Table:
    """Plan wave number `wave` of at most `budget_left` pairs; empty when nothing is left to ask.

    `asked` are the pairs of all earlier waves, `answered` the pair_ids of those with a success, `scores` the latest
    by essay id (missing: the middle). A coverage wave asks no pair twice: one that failed comes back as a further
    attempt, where its failure allows one. The same arguments give the same table in any process, whatever the order
    of the essays.
    """
    history = history_of(essays, asked, answered)
    names = sorted(essays["essay_id"].to_pylist())
    if len(names) < 2 or budget_left < 1:
        return COMPARISON_PAIRS.empty_table()
    rng = np.random.default_rng([seed, wave, kind == "resampling"])
    essay_a, essay_b = by_number(asked, names)
    counts = np.bincount(np.concatenate([essay_a, essay_b]), minlength=len(names))
    balance = seat_balance(essay_a, essay_b, len(names))
    if kind == "resampling":
        first, second = _resampled(history, counts, balance, budget_left, rng)
        return _table(names, first, second, np.ones(first.size, dtype=np.bool_), asked, wave, kind)
    position = np.array([scores.get(name, 0.0) for name in names])
    low, high, at_random = coverage_wave(
        counts, np.where(np.isfinite(position), position, 0.0), history.low, history.high, budget_left,
        rng, count_weight=rules.count_weight, proximity_weight=rules.proximity_weight,
        at_random_share=rules.at_random_share if len(scores) else 1.0,
    )  # fmt: skip
    turned = turned_pairs(low, high, balance, np.zeros(low.size, dtype=np.int64), rng)
    first, second = np.where(turned, high, low), np.where(turned, low, high)
    exchanged = seats_to_exchange(first, second, balance)
    return _table(
        names, np.where(exchanged, second, first), np.where(exchanged, first, second), at_random, asked, wave, kind
    )


def _resampled(
    history: PairHistory, counts: IntArray, balance: IntArray, limit: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    candidates = np.flatnonzero(history.answered)
    chosen = candidates[resampling_wave(history.low[candidates], history.high[candidates], counts, limit, rng)]
    low, high = history.low[chosen], history.high[chosen]
    turned = turned_pairs(low, high, balance, history.low_first[chosen] - history.high_first[chosen], rng)
    return np.where(turned, high, low), np.where(turned, low, high)


def _table(
    names: list[str], first: IntArray, second: IntArray, at_random: BoolArray, asked: pa.Table, wave: int, kind: str
) -> pa.Table:
    first_id = 1 + max(asked["pair_id"].to_pylist(), default=-1)
    by_number = pa.array(names)
    pairs = pa.table(
        {
            "pair_id": pa.array(first_id + np.arange(first.size), pa.int32()),
            "wave": pa.array(np.full(first.size, wave), pa.int32()),
            "kind": pa.array([kind] * first.size, pa.string()),
            "at_random": at_random,
            "essay_a": by_number.take(pa.array(first)),
            "essay_b": by_number.take(pa.array(second)),
        }
    )
    return conform("comparison_pairs", pairs)
