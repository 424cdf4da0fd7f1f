"""The table of planned pairs: how many a budget buys, which ones, and which are asked again with seats exchanged."""

from dataclasses import dataclass
from math import comb

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.audit import draw_mirrored_audit
from cj_pipeline.pairing.single_wave import plan_single_wave
from cj_pipeline.tables import conform

PLAN_VERSION = "1"  # a new number whenever the same inputs would give other pairs
PAIRS_PER_ESSAY = 7  # default: 14 comparisons per essay; 10 is the literature's floor (Kinnear, Jones & Davies 2025)


@dataclass(frozen=True, slots=True)
class PairBudget:
    """How many pairs a wave holds, per judge: different ones, and repeats with the seats exchanged."""

    coverage: int
    audit: int

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.coverage + self.audit


def pair_budget(n_essays: int, *, max_comparisons: int | None, judge_shares: float, audit_share: float) -> PairBudget:
    """Split a cap on comparisons: the audit's share lies within the cap, and no pair exists beyond n(n-1)/2.

    `judge_shares` is the sum over judges of the share of pairs each answers; the cap counts every judge's
    comparison. Raises `ValueError` when the cap allows not even one pair.
    """
    every_pair = comb(n_essays, 2)
    cap = PAIRS_PER_ESSAY * n_essays if max_comparisons is None else int(max_comparisons / judge_shares)
    if cap < 1:
        raise ValueError(f"max_comparisons = {max_comparisons} is less than one pair for the judges of this batch")
    # a pair is mirrored once at most, and what links the essays goes before what measures the judge
    audit = max(0, min(round(audit_share * min(cap, every_pair)), cap // 2, cap - (n_essays - 1)))
    coverage = min(cap - audit, every_pair)
    return PairBudget(coverage, min(audit, cap - coverage))


def plan_comparison_pairs(essays: pa.Table, budget: PairBudget, seed: int) -> pa.Table:
    """The single wave as a table `comparison_pairs`; essays in the order of the table, anchors first."""
    ids = essays["essay_id"].combine_chunks()
    n_anchors = int(sum(essays["is_anchor"].to_pylist()))
    first, second = plan_single_wave(essays.num_rows - n_anchors, n_anchors, budget.coverage, seed)
    mirrored = draw_mirrored_audit(first, second, budget.audit, seed)
    essay_a = np.concatenate([first, second[mirrored]])
    essay_b = np.concatenate([second, first[mirrored]])
    pairs = pa.table(
        {
            "pair_id": pa.array(np.arange(essay_a.size), pa.int32()),
            "wave": pa.array(np.ones(essay_a.size), pa.int32()),
            "kind": ["coverage"] * first.size + ["audit"] * mirrored.size,
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
