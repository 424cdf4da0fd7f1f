"""Lists and tables under a school's own headings: whose grade is it, and which column holds the texts."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.guesses import (
    FIRST_NAME_HEADINGS,
    GRADE_HEADINGS,
    ID_HEADINGS,
    LAST_NAME_HEADINGS,
    TEXT_HEADINGS,
    folded,
    loose_key,
)
from cj_pipeline.batch.sheets import Cell, Sheet, Unreadable, csv_sheet
from cj_pipeline.batch.table_rows import read_sheets
from cj_pipeline.batch.text_files import Notices, plain_line_ends, read_bytes
from cj_pipeline.errors import BatchError
from cj_pipeline.scales import BUILT_IN_SCALES

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or first and last names put together, with a cell a row."""

    heading: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table whose headings say what it is. `texts` and `grades` are None where it has no such column."""

    path: Path
    where: str
    numbers: Sequence[int]
    ids: Sequence[Column]
    texts: Column | None
    grades: Column | None
    groups: Sequence[Column]

    def texts_at(self, cells: Sequence[Cell]) -> list[str]:
        """The cells as texts. Raises `BatchError` for one that is none, with its row."""
        for number, cell in zip(self.numbers, cells, strict=True):
            if isinstance(cell, Unreadable):
                raise BatchError(f"{self.where}, row {number}: {cell.why}.")
        return [str(cell) for cell in cells]


@dataclass(frozen=True, slots=True)
class GradeList:
    """Grades by essay, where they stand, and the names on the list that no essay has."""

    path: Path
    headings: tuple[str, str]
    grades: dict[str, str]
    without_essay: tuple[str, ...]


def found_table(path: Path, notices: Notices) -> FoundTable | None:
    """The first sheet with a column of texts or of grades beside another one; None without. Raises `BatchError`."""
    for sheet in loose_sheets(path, notices):
        rows = [(number, cells + [""] * len(sheet.header)) for number, cells in sheet.rows]
        columns = [Column(name, [cells[place] for _, cells in rows]) for place, name in enumerate(sheet.header) if name]
        texts, grades = headed(columns, TEXT_HEADINGS), headed(columns, GRADE_HEADINGS)
        others = [column for column in columns if column not in (texts, grades)]
        if others and (texts or grades):
            ids = _id_columns(others)
            numbers = [number for number, _ in rows]
            groups = [column for column in others if column is not ids[0]]
            return FoundTable(path, sheet.where, numbers, ids, texts, grades, groups)
    return None


def grades_of(table: FoundTable, essay_ids: Iterable[str]) -> GradeList:
    """Whose grades they are: by the column that names most essays. Raises `BatchError` for a name nearly right."""
    assert table.grades is not None
    known = list(essay_ids)
    essay_of = matcher(known)
    column = max(table.ids, key=lambda ids: sum(essay_of(str(cell)) is not None for cell in ids.cells))
    names, grades = table.texts_at(column.cells), table.texts_at(table.grades.cells)
    found: dict[str, str] = {}
    nobody = []
    for number, name, raw in zip(table.numbers, names, grades, strict=True):
        where, grade, essay = f"{table.where}, row {number}", _as_on_scales(raw.strip()), essay_of(name)
        if not grade:
            continue
        if essay is None:
            _refuse_near(where, name.strip(), known)
            nobody.append(name.strip())
        elif found.setdefault(essay, grade) != grade:
            raise BatchError(f"{where}: {name!r} has a grade already, another one. Keep one.")
    if not found:
        raise BatchError(
            f"{table.where}: no name in its column {column.heading!r} is that of an essay. Write there what the files "
            "are called."
        )
    return GradeList(table.path, (column.heading, table.grades.heading), found, tuple(nobody))


def _as_on_scales(grade: str) -> str:
    """The grade in capitals where a scale that is built in writes it so."""
    return grade.upper() if any(grade.upper() in scale.grades for scale in BUILT_IN_SCALES.values()) else grade


def loose_sheets(path: Path, notices: Notices) -> list[Sheet]:
    """The tables of a file; a csv may have commas, semicolons or tabs and be one of Windows. Raises `BatchError`."""
    if path.suffix.lower() != ".csv":
        return read_sheets(path, notices)
    data = read_bytes(path)
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        notices.add(f"{path}: not UTF-8; it was read as a Windows file of western Europe.")
    text = plain_line_ends(text)
    first = text.partition("\n")[0]
    sheet = csv_sheet(path, text, delimiter=max(_DELIMITERS, key=first.count))
    return [Sheet(sheet.where, sheet.header_row, sheet.header, list(sheet.rows))]


def headed(columns: Sequence[Column], headings: set[str]) -> Column | None:
    """The first column with one of the headings."""
    return next((column for column in columns if folded(column.heading) in headings), None)


def _id_columns(others: Sequence[Column]) -> list[Column]:
    """Columns that may name essays, most likely first; all of them when no heading says so."""
    named = [column for column in others if folded(column.heading) in ID_HEADINGS]
    first, last = headed(others, FIRST_NAME_HEADINGS), headed(others, LAST_NAME_HEADINGS)
    if first and last:
        both = [f"{a} {b}" for a, b in zip(first.cells, last.cells, strict=True)]
        named.append(Column(f"{first.heading} {last.heading}", both))
    return named or list(others)


def matcher(essay_ids: Sequence[str]) -> Callable[[str], str | None]:
    """The essay that a name on a list means: the same name, or the only one of the same words."""
    keys = [loose_key(essay) for essay in essay_ids]
    loose = {key: essay for key, essay in zip(keys, essay_ids, strict=True) if keys.count(key) == 1}
    return lambda name: name.strip() if name.strip() in essay_ids else loose.get(loose_key(name))


def _refuse_near(where: str, name: str, essay_ids: Sequence[str]) -> None:
    near = difflib.get_close_matches(name, essay_ids, n=1, cutoff=0.85)
    if near:
        raise BatchError(
            f"{where}: there is no essay {name!r}. Did you mean {near[0]!r}? Write it as the file is called."
        )
