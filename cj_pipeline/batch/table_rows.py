"""The rows of a table that a person hands over (csv, xlsx, Parquet), its columns found by their headings."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cj_pipeline.batch.sheets import Cell, Sheet, Unreadable, csv_sheet, parquet_sheet
from cj_pipeline.batch.text_files import Notices, read_text
from cj_pipeline.batch.xlsx_sheets import xlsx_sheets
from cj_pipeline.errors import BatchError

TABLE_SUFFIXES = (".csv", ".xlsx", ".parquet")
_RESERVED = {"sha256", "word_count", "is_anchor", "anchor_grade", "known_grade", "from_batch"}


def read_rows(path: Path, required: set[str], notices: Notices) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a table that has the required columns: where each stands, and its cells by heading.

    Of a workbook it is the first sheet that has them. Raises `BatchError`.
    """
    sheets = read_sheets(path, notices)
    sheet = next((sheet for sheet in sheets if required <= set(sheet.header)), sheets[0])
    for number, cells in _named_rows(sheet, required, notices):
        yield f"{sheet.where}, row {number}", cells


def csv_rows(path: Path, required: set[str], notices: Notices) -> Iterator[tuple[int, dict[str, str]]]:
    """The same of a csv file, each row with its number. Raises `BatchError`."""
    return _named_rows(csv_sheet(path, read_text(path, notices), delimiter=","), required, notices)


def read_sheets(path: Path, notices: Notices) -> list[Sheet]:
    """Every table in the file, one at least. Raises `BatchError`."""
    if path.suffix.lower() == ".parquet":
        return [parquet_sheet(path)]
    if path.suffix.lower() == ".xlsx":
        return xlsx_sheets(path, notices) or [Sheet(str(path), 1, [], [])]
    return [csv_sheet(path, read_text(path, notices), delimiter=",")]


def _named_rows(sheet: Sheet, required: set[str], notices: Notices) -> Iterator[tuple[int, dict[str, str]]]:
    _refuse_bad_header(sheet, required)
    named = [(place, name) for place, name in enumerate(sheet.header) if name]
    for number, cells in sheet.rows:
        where = f"{sheet.where}, row {number}"
        nameless = [cell for place, cell in enumerate(cells) if place >= len(sheet.header) or not sheet.header[place]]
        if any(str(cell).strip() for cell in nameless):
            notices.add(f"{where}: what stands in columns without a heading is not read.")
        yield number, {name: _text(cells[place], where, name, needed=name in required) for place, name in named}


def _text(cell: Cell, where: str, name: str, *, needed: bool) -> str:
    if needed and isinstance(cell, Unreadable):
        raise BatchError(f"{where}, {name}: {cell.why}.")
    return str(cell)


def _refuse_bad_header(sheet: Sheet, required: set[str]) -> None:
    where = f"{sheet.where}, row {sheet.header_row}"
    missing = sorted(required - set(sheet.header))
    if missing:
        hint = (
            " The columns seem to be separated by semicolons; use commas."
            if any(";" in name for name in sheet.header)
            else ""
        )
        raise BatchError(
            f"{where}: no column {' and '.join(missing)}; found {', '.join(filter(None, sheet.header)) or 'nothing'}."
            f"{hint or ' Name the columns so.'}"
        )
    repeated = {name for name in sheet.header if name and sheet.header.count(name) > 1}
    if repeated:
        raise BatchError(f"{where}: the column {repeated.pop()!r} stands twice. Rename one.")
    refuse_reserved(sheet.header, where)


def refuse_reserved(names: Iterable[str], where: str) -> None:
    """Raise `BatchError` for a column that a later stage would write over."""
    reserved = sorted(_RESERVED.intersection(names))
    if reserved:
        raise BatchError(f"{where}: the column {reserved[0]!r} is one the pipeline makes itself. Rename yours.")
