"""The first rows of a stage's table as markdown, for the Dagster UI: named columns only, never a text.

What may be shown is listed, not what may not: an essay, a judge's reason or a column of pupils' backgrounds can
then reach the event log by no oversight.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

ROWS = 8
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "essays": ("essay_id", "word_count", "is_anchor", "anchor_grade"),
    "comparison_pairs": ("pair_id", "wave", "kind", "essay_a", "essay_b"),
    "provider_batch_jobs": ("job_id", "judge_id", "attempt", "items", "status", "reserved_usd", "cost_usd"),
    "judgments": ("pair_id", "judge_id", "essay_a", "essay_b", "winner", "error_code"),
    "bradley_terry_scores": ("rank", "essay_id", "score", "standard_error", "comparisons", "wins", "infit"),
    "grade_projections": ("essay_id", "grade", "grade_low", "grade_high", "p_exact", "review_priority"),
}
ORDER: Mapping[str, tuple[str, str]] = {
    "bradley_terry_scores": ("rank", "ascending"),
    "grade_projections": ("review_priority", "descending"),
}


def preview(name: str, table: pa.Table) -> str:
    """A markdown table of the first `ROWS` rows; scores best first, grades by what to re-read first."""
    chosen = table.select(list(COLUMNS[name]))
    if name in ORDER:
        chosen = chosen.sort_by([ORDER[name]])
    lines = [chosen.column_names, ["---"] * chosen.num_columns]
    lines += [[_cell(value) for value in row.values()] for row in chosen.slice(0, ROWS).to_pylist()]
    rest = chosen.num_rows - ROWS
    more = [f"\n… and {rest} more rows"] if rest > 0 else []
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), *more])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    return shown.replace("|", "\\|").replace("\n", " ")[:60]
