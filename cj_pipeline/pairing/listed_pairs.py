"""The plan that a person wrote: listed pairs as a table `comparison_pairs`, each as often as it is to be asked."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.comparison_pairs import PairBudget
from cj_pipeline.tables import conform


def listed_budget(times: Sequence[int], *, max_comparisons: int | None, judge_shares: float) -> PairBudget:
    """What the list asks: its pairs, and how often it asks one of them again.

    Raises `ValueError` when all judges together would be asked more than the cap.
    """
    asked = sum(times)
    if max_comparisons is not None and asked * judge_shares > max_comparisons:
        comparisons = round(asked * judge_shares)
        raise ValueError(f"max_comparisons = {max_comparisons}, and pairs.csv lists {comparisons} comparisons")
    return PairBudget(coverage=len(times), audit=0, repeated=asked - len(times))


def plan_listed_pairs(essay_a: Sequence[str], essay_b: Sequence[str], times: Sequence[int]) -> pa.Table:
    """One row for each time a pair is asked, in the order given; (rows,) each. What follows the first is resampling."""
    row = np.repeat(np.arange(len(times)), times)
    again = np.diff(row, prepend=-1) == 0
    pairs = pa.table(
        {
            "pair_id": pa.array(np.arange(row.size), pa.int32()),
            "wave": pa.array(np.ones(row.size), pa.int32()),
            "kind": np.where(again, "resampling", "coverage"),
            "at_random": np.ones(row.size, dtype=np.bool_),
            "essay_a": pa.array(list(essay_a)).take(pa.array(row)),
            "essay_b": pa.array(list(essay_b)).take(pa.array(row)),
        }
    )
    return conform("comparison_pairs", pairs)
