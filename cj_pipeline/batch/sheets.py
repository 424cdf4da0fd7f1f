"""A table as text under its headings, from csv or Parquet. A row is counted as a spreadsheet counts it: the header
of a csv is row 1; in Parquet the first row is row 1.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.text_files import plain_line_ends
from cj_pipeline.errors import BatchError


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that is no text as it stands: what is shown of it, and what to do where its text is needed."""

    shown: str
    why: str

    def __str__(self) -> str:
        return self.shown


Cell = str | Unreadable


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its headings. `where` and `header_row` name it in messages; rows are (number, cells)."""

    where: str
    header_row: int
    header: list[str]
    rows: Iterable[tuple[int, list[Cell]]]


def csv_sheet(path: Path, text: str, *, delimiter: str) -> Sheet:
    """The table a csv text spells; blank lines are passed over. Raises `BatchError`, also while rows are read."""
    csv.field_size_limit(2**31 - 1)
    rows = _csv_rows(path, text, delimiter)
    header = [str(name).strip() for name in next(rows, (1, []))[1]]
    return Sheet(str(path), 1, header, _full_rows(path, header, rows))


def _csv_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(lines, start=1):
            yield number, [*cells]
    except csv.Error as error:
        raise BatchError(f"{path}, line {lines.line_num}: {error}. Check the quotes there.") from None


def _full_rows(
    path: Path, header: list[str], rows: Iterable[tuple[int, list[Cell]]]
) -> Iterator[tuple[int, list[Cell]]]:
    for number, cells in rows:
        if not any(str(cell).strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise BatchError(
                f"{path}, row {number}: {len(cells)} cells under {len(header)} columns. Put texts that hold "
                f'commas or line breaks in double quotes, and write a quote inside them as "".'
            )
        yield number, cells


def parquet_sheet(path: Path) -> Sheet:
    """The table of a Parquet file. Raises `BatchError`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
        columns = [column.to_pylist() for column in table.columns]
    except (OSError, pa.ArrowException, ValueError):
        raise BatchError(f"{path}: not a Parquet file, or a broken one. Write it again.") from None
    rows = [
        (number, [_parquet_cell(value) for value in row]) for number, row in enumerate(zip(*columns, strict=True), 1)
    ]
    return Sheet(str(path), 1, [name.strip() for name in table.column_names], rows)


def _parquet_cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str):
        return plain_line_ends(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return Unreadable(str(value), f"a {type(value).__name__}, not a text; write the column as text")
