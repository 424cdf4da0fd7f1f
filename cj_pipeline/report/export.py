"""Tables for other tools and for schools: a workbook, or csv and Parquet of the results and of every stage."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cj_pipeline.errors import CjError
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.export_words import HEADINGS, in_language
from cj_pipeline.report.school_table import GROUP, essay_sheet
from cj_pipeline.report.workbook import ACTIVE, write_workbook

FORMATS = ("csv", "parquet", "xlsx")


def export_batch(evidence: Evidence, folder: Path, form: str, *, with_texts: bool) -> list[Path]:
    """Write a batch into a folder; essay texts only when asked for. Returns the files.

    xlsx is one workbook for a school. csv and Parquet are `grades` (its first sheet), `results` and every stage
    table, each a file.
    """
    if form not in FORMATS:
        raise CjError(f"format {form!r}: use one of {', '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    if form == "xlsx":
        return [write_workbook(evidence, folder / f"{evidence.batch_id}.xlsx", with_texts=with_texts)]
    tables = {
        name: _without_texts(table) if name == "essays" and not with_texts else table
        for name, table in evidence.tables.items()
    }
    written = {
        "grades": _grades(evidence),
        "results": pa.Table.from_pandas(results_table(evidence.tables), preserve_index=False),
        **tables,
    }
    return [_write(table, folder / f"{name}.{form}") for name, table in written.items()]


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


def _grades(evidence: Evidence) -> pa.Table:
    """The first sheet of the workbook under its headings; a group that is called like one of ours is told apart."""
    headings = in_language(HEADINGS, evidence.language)
    rows = essay_sheet(evidence)
    ours = {headings[key] for key in rows[0] if not key.startswith(GROUP)}
    names = {
        key: headings[key]
        if not key.startswith(GROUP)
        else key
        if key.removeprefix(GROUP) in ours
        else key[len(GROUP) :]
        for key in rows[0]
    }
    return pa.table({name: [row[key] for row in rows] for key, name in names.items()})


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
        elif pa.types.is_string(field.type) or pa.types.is_dictionary(field.type):
            frame[field.name] = [inert(value) for value in table[field.name].to_pylist()]
    # with a byte order mark spreadsheets read the file as UTF-8
    frame.rename(columns=inert).to_csv(path, index=False, encoding="utf-8-sig")
    return path


def inert(value: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula: behind an apostrophe where it begins like one.

    Line ends are `\\n`: a bare carriage return would end the row for most readers.
    """
    if not isinstance(value, str):
        return value
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{plain}" if value.startswith(ACTIVE) else plain
