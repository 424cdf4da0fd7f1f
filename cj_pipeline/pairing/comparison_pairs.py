"""The table of planned pairs: how many a budget buys, which ones, and which are asked again with seats exchanged."""

from dataclasses import dataclass
from math import comb

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.arrays import BoolArray, IntArray
from cj_pipeline.pairing.audit import draw_mirrored_audit
from cj_pipeline.pairing.seats import seat_balance, seats_to_exchange
from cj_pipeline.pairing.single_wave import plan_single_wave
from cj_pipeline.pairing.top_up import every_top_up_pair, plan_top_up, usual_top_up_pairs
from cj_pipeline.tables import conform

PLAN_VERSION = "2"  # a new number whenever the same inputs would give other pairs
PAIRS_PER_ESSAY = 7  # default: 14 comparisons per essay; 10 is the literature's floor (Kinnear, Jones & Davies 2025)


@dataclass(frozen=True, slots=True)
class PairBudget:
    """How many pairs a wave holds, per judge: different ones, and repeats with the seats exchanged."""

    coverage: int
    audit: int
    repeated: int = 0  # asked again as they are, which only a person's own list does

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.coverage + self.audit + self.repeated


def pair_budget(n_essays: int, *, max_comparisons: int | None, judge_shares: float, audit_share: float) -> PairBudget:
    """Split a cap on comparisons: the audit's share lies within the cap, and no pair exists beyond n(n-1)/2.

    `judge_shares` is the sum over judges of the share of pairs each answers; the cap counts every judge's
    comparison. Raises `ValueError` when the cap allows not even one pair.
    """
    cap = PAIRS_PER_ESSAY * n_essays if max_comparisons is None else _pairs_within(max_comparisons, judge_shares)
    return _divided(cap, comb(n_essays, 2), n_essays - 1, audit_share)


def iterative_pairs(n_essays: int, *, max_comparisons: int | None, judge_shares: float) -> int:
    """How many pairs all waves of an iterative mode may hold; one may be asked again, so n(n-1)/2 is no limit.

    Raises `ValueError` when the cap allows not even one pair.
    """
    return PAIRS_PER_ESSAY * n_essays if max_comparisons is None else _pairs_within(max_comparisons, judge_shares)


def top_up_budget(
    n_anchors: int, n_old: int, n_new: int, *, max_comparisons: int | None, judge_shares: float, audit_share: float
) -> PairBudget:
    """The same for new essays beside a judged batch; by default each of them is in 14 comparisons per judge."""
    usual = usual_top_up_pairs(n_anchors, n_old, n_new)
    cap = usual if max_comparisons is None else _pairs_within(max_comparisons, judge_shares)
    return _divided(cap, every_top_up_pair(n_old, n_new), n_new, audit_share)


def _pairs_within(max_comparisons: int, judge_shares: float) -> int:
    cap = int(max_comparisons / judge_shares)
    if cap < 1:
        raise ValueError(f"max_comparisons = {max_comparisons} is less than one pair for the judges of this batch")
    return cap


def _divided(cap: int, every_pair: int, linking: int, audit_share: float) -> PairBudget:
    # a pair is mirrored once at most, and what links the essays goes before what measures the judge
    audit = max(0, min(round(audit_share * min(cap, every_pair)), cap // 2, cap - linking))
    coverage = min(cap - audit, every_pair)
    return PairBudget(coverage, min(audit, cap - coverage))


def plan_comparison_pairs(essays: pa.Table, budget: PairBudget, seed: int) -> pa.Table:
    """The single wave as a table `comparison_pairs`; essays in the order of the table, anchors first."""
    n_anchors = int(sum(essays["is_anchor"].to_pylist()))
    first, second = plan_single_wave(essays.num_rows - n_anchors, n_anchors, budget.coverage, seed)
    return _pair_table(essays, first, second, np.zeros(essays.num_rows, dtype=np.int64), budget.audit, seed)


def plan_top_up_pairs(essays: pa.Table, is_new: BoolArray, asked: pa.Table, budget: PairBudget, seed: int) -> pa.Table:
    """The wave that lets the new of these essays join the others, whose pairs so far are `asked`.

    Pair ids go on where those of the pairs asked so far end, so that both stand in one table without confusion.
    """
    is_anchor = np.array(essays["is_anchor"].to_pylist(), dtype=np.bool_)
    role = np.where(is_new, 2, np.where(is_anchor, 0, 1))
    position = np.argsort(role, kind="stable")  # where the plan's items stand in the table
    item = np.argsort(position)
    existing = [item[item_indices(asked[name], essays["essay_id"])] for name in ("essay_a", "essay_b")]
    n_anchors, n_old, n_new = int((role == 0).sum()), int((role < 2).sum()), int((role == 2).sum())
    first, second = plan_top_up(existing[0], existing[1], n_anchors, n_old, n_new, budget.coverage, seed)
    earlier_seats = seat_balance(existing[0], existing[1], n_old + n_new)[item]
    first_id = 1 + max(asked["pair_id"].to_pylist())
    return _pair_table(essays, position[first], position[second], earlier_seats, budget.audit, seed, first_id=first_id)


def _pair_table(
    essays: pa.Table,
    first: IntArray,
    second: IntArray,
    earlier_seats: IntArray,
    audit: int,
    seed: int,
    *,
    first_id: int = 0,
) -> pa.Table:
    mirrored = draw_mirrored_audit(first, second, audit, seed)
    # a mirrored pair evens itself out and leaves the others to even out each other
    alone = np.delete(np.arange(first.size), mirrored)
    turned = np.zeros(first.size, dtype=np.bool_)
    turned[alone] = seats_to_exchange(first[alone], second[alone], earlier_seats)
    first, second = np.where(turned, second, first), np.where(turned, first, second)
    essay_a = np.concatenate([first, second[mirrored]])
    essay_b = np.concatenate([second, first[mirrored]])
    ids = essays["essay_id"].combine_chunks()
    pairs = pa.table(
        {
            "pair_id": pa.array(first_id + np.arange(essay_a.size), pa.int32()),
            "wave": pa.array(np.ones(essay_a.size), pa.int32()),
            "kind": ["coverage"] * first.size + ["audit"] * mirrored.size,
            "at_random": np.ones(essay_a.size, dtype=np.bool_),
            "essay_a": ids.take(pa.array(essay_a)),
            "essay_b": ids.take(pa.array(essay_b)),
        }
    )
    return conform("comparison_pairs", pairs)


def item_indices(column: pa.ChunkedArray, essay_ids: pa.ChunkedArray) -> np.ndarray:
    """Positions in `essay_ids` of the essays named in a column, shape (rows,); both dictionary-encoded.

    Raises `KeyError` naming an essay that is not there.
    """
    names = column.combine_chunks()
    names = names if isinstance(names, pa.DictionaryArray) else names.dictionary_encode()
    position = {name: index for index, name in enumerate(essay_ids.to_pylist())}
    lookup = np.array([position[name] for name in names.dictionary.to_pylist()], dtype=np.int64)
    return lookup[names.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
