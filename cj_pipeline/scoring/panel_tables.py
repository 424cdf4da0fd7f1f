"""The diagnostics of a panel as tables: agreement, surprising pairs, groups, people against models."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from cj_pipeline.pairing.arrays import IntArray
from cj_pipeline.scoring.bias import GroupEffect
from cj_pipeline.scoring.disagreements import Differences, Disagreements
from cj_pipeline.scoring.judge_agreement import Agreement
from cj_pipeline.scoring.pair_fit import PairFit
from cj_pipeline.tables import CONTRACTS, conform


def agreement_table(found: Sequence[Agreement], judge_ids: Sequence[str]) -> pa.Table:
    """The table `judge_agreement`: every two judges that share a pair."""
    return _table(
        "judge_agreement",
        [
            {
                "judge_1": judge_ids[row.one],
                "judge_2": judge_ids[row.other],
                "pairs": row.pairs,
                "agreement": row.agreement,
                "kappa": None if np.isnan(row.kappa) else row.kappa,
            }
            for row in found
        ],
    )


def pair_table(found: PairFit, essay_ids: pa.ChunkedArray) -> pa.Table:
    """The table `pair_fit`: the most surprising pairs first."""
    table = pa.table(
        {
            "essay_a": _named(found.essay_a, essay_ids),
            "essay_b": _named(found.essay_b, essay_ids),
            "comparisons": found.comparisons,
            "wins_a": found.wins_a,
            "expected_wins_a": found.expected_wins_a,
            "infit": found.infit,
            "outfit": found.outfit,
            "surprise": found.surprise,
        }
    )
    return conform("pair_fit", table)


def group_table(found: Sequence[GroupEffect], judge_ids: Sequence[str]) -> pa.Table:
    """The table `group_effects`: the smallest p value first."""
    rows = [asdict(effect) for effect in found]
    for row in rows:
        judge = row.pop("judge")
        row["judge_id"] = None if judge is None else judge_ids[judge]
    return _table("group_effects", rows)


def disagreement_table(found: Disagreements | None, essay_ids: pa.ChunkedArray) -> pa.Table:
    """The table `disagreements`: pairs, then essays, each with the largest difference in standard errors first."""
    if found is None:
        return CONTRACTS["disagreements"].empty_table()
    parts = [_differences("pair", found.pairs, essay_ids), _differences("essay", found.essays, essay_ids)]
    return conform("disagreements", pa.concat_tables(parts).unify_dictionaries().combine_chunks())


def _differences(kind: str, found: Differences, essay_ids: pa.ChunkedArray) -> pa.Table:
    return pa.table(
        {
            "kind": pa.array([kind] * found.essay_a.size, pa.string()),
            "essay_a": _named(found.essay_a, essay_ids),
            "essay_b": _named(found.essay_b, essay_ids),
            "people": found.people,
            "models": found.models,
            "difference": found.difference,
            "standard_error": found.standard_error,
            "people_votes": found.votes,
        }
    )


def _named(positions: IntArray, essay_ids: pa.ChunkedArray) -> pa.Array:
    """The ids at these positions; null for -1."""
    return essay_ids.combine_chunks().take(pa.array(positions, pa.int64(), mask=positions < 0))


def _table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    contract = CONTRACTS[name]
    plain = pa.schema([(field.name, _plain(field.type)) for field in contract])
    return conform(name, pa.Table.from_pylist(list(rows), schema=plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind
