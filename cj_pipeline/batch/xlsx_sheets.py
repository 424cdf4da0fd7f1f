"""The sheets of an Excel workbook as text, cell by cell, with what a spreadsheet makes of ids told apart."""

import datetime
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cj_pipeline.batch.office_package import EXCEL, open_package
from cj_pipeline.batch.sheets import Cell, Sheet, Unreadable
from cj_pipeline.batch.text_files import Notices, plain_line_ends
from cj_pipeline.errors import BatchError

EXCEL_CELL_CHARS = 32_767  # longest text of a cell, Excel specifications and limits
_EXACT_DIGITS = 15  # of a number, same page
_ZEROS = re.compile("0+")  # the number format that keeps the noughts of 007
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ST_Xstring, ECMA-376 part 1, 22.9.2.19


def xlsx_sheets(path: Path, notices: Notices) -> list[Sheet]:
    """The visible sheets, each from its first row that is not blank. Raises `BatchError`."""
    with open_package(path, EXCEL):
        pass  # what is encrypted or made to explode never reaches the reader
    import openpyxl  # late: 0.2 s that other formats save

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is left out: validation, drawings, extensions
            workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
                return [_sheet(path, sheet, notices) for sheet in visible]
            finally:
                workbook.close()
    except Exception:  # a hostile workbook raises anything
        raise BatchError(
            f"{path}: not an Excel file, or a broken one. Open it in Excel and save it again as .xlsx."
        ) from None


def _sheet(path: Path, sheet: Any, notices: Notices) -> Sheet:
    sheet.reset_dimensions()  # what the file says of its own size is often wrong
    numbered = ((number, [_cell(cell) for cell in row]) for number, row in enumerate(sheet.iter_rows(), start=1))
    rows = [(number, cells) for number, cells in numbered if any(str(cell).strip() for cell in cells)]
    for number, cells in rows:
        if any(isinstance(cell, str) and len(cell) == EXCEL_CELL_CHARS for cell in cells):
            notices.add(
                f"{path}, sheet {sheet.title}, row {number}: a cell as long as Excel allows; was its text cut there?"
            )
    header = [str(cell).strip() for cell in rows[0][1]] if rows else []
    where = f"{path}, sheet {sheet.title}"
    return Sheet(where, rows[0][0] if rows else 1, header, _as_wide_as(len(header), rows[1:]))


def _as_wide_as(width: int, rows: Iterable[tuple[int, list[Cell]]]) -> list[tuple[int, list[Cell]]]:
    return [(number, (cells + [""] * width)[: max(width, len(cells))]) for number, cells in rows]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "e":
        return Unreadable(str(value), "the cell shows an error of a formula; write the value in")
    if isinstance(value, str):
        return plain_line_ends(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), value))
    if isinstance(value, bool):
        return Unreadable(str(value).upper(), "the cell holds true or false; format the column as text")
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    shown = value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
    return Unreadable(
        shown,
        f"the cell holds a date or time ({shown}), which a spreadsheet makes of entries such as 3-5; format the "
        f"column as text and write it again",
    )


def _number(value: float, number_format: str) -> Cell:
    if abs(value) >= 10**_EXACT_DIGITS:
        return Unreadable(f"{value:.0f}", "a number of more digits than a spreadsheet keeps; format the column as text")
    if value != int(value):
        return repr(value)
    digits = len(number_format) if _ZEROS.fullmatch(number_format) else 0
    return f"{int(value):0{digits}d}"
