"""Tables for other tools: one results table as a school reads it, and the stage tables as they are."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

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
    frames = {"results": results_table(tables)}
    for name, table in tables.items():
        kept = table.drop_columns(["text"]) if name == "essays" and not with_texts else table
        frames[name] = kept.to_pandas()
    return [_write(frame, folder / f"{name}.{form}") for name, frame in frames.items()]


def _write(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        # with a byte order mark spreadsheets read the file as UTF-8
        frame.to_csv(path, index=False, encoding="utf-8-sig")
    return path
