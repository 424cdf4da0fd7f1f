"""Tables for other tools: one results table as a school reads it, and the stage tables as they are."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cj_pipeline.errors import CjError

FORMATS = ("csv", "parquet")


def results_table(tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    """One row per essay, best first: grade, range, probabilities as columns p_GRADE, score, uncertainty, reason."""
    scores = tables["bradley_terry_scores"].to_pandas()
    grades = tables["grade_projections"].to_pandas()
    probabilities = pd.DataFrame(
        [{f"p_{grade}": p for grade, p in row or []} for row in grades.pop("grade_probabilities")], index=grades.index
    )
    merged = scores.merge(pd.concat([grades, probabilities], axis=1), on="essay_id", validate="one_to_one")
    first = ["essay_id", "is_anchor", "rank", "grade", "grade_low", "grade_high", "reason"]
    ordered = [*first, *(name for name in merged.columns if name not in first)]
    return merged[ordered].sort_values(["component", "score"], ascending=[True, False], na_position="last")


def export_tables(tables: Mapping[str, pa.Table], folder: Path, form: str, *, with_texts: bool) -> list[Path]:
    """Write `results` and every stage table into a folder; essay texts only when asked for. Returns the files."""
    if form not in FORMATS:
        raise CjError(f"format {form!r}: use one of {', '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: _without_texts(table) if name == "essays" and not with_texts else table for name, table in tables.items()
    }
    written = {"results": pa.Table.from_pandas(results_table(tables), preserve_index=False), **kept}
    return [_write(table, folder / f"{name}.{form}") for name, table in written.items()]


def _without_texts(essays: pa.Table) -> pa.Table:
    return essays.drop_columns(["text"])


def _write(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, compression="zstd")
        return path
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_map(field.type):
            frame[field.name] = [None if row is None else json.dumps(dict(row)) for row in frame[field.name]]
    # with a byte order mark spreadsheets read the file as UTF-8
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    return path
