"""Essays as they come from school, brought to ids that a batch can hold; each that cannot be taken says why."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cj_pipeline.batch.grade_lists import FoundTable
from cj_pipeline.batch.readers import checked_essay_id, essay_rows, read_text_file
from cj_pipeline.batch.table_rows import refuse_reserved
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

_NOT_IN_IDS = re.compile(r"[^\w .+@-]")
_NO_BEGINNING = re.compile(r"^[^\w]+")


@dataclass(frozen=True, slots=True)
class TakenEssay:
    """An essay and the file it is copied from; None for a row of a table."""

    essay_id: str
    text: str
    where: str
    file: Path | None
    groups: dict[str, str] = field(default_factory=dict)


def essays_of_files(files: Sequence[Path], notices: Notices) -> tuple[list[TakenEssay], list[str]]:
    """A text a file, called after it; and what is wrong with the files that cannot be taken."""
    essays, problems = [], []
    for file in files:
        try:
            essay_id = _fitting_id(file.stem, str(file), notices)
            essays.append(_with_words(TakenEssay(essay_id, read_text_file(file, notices), str(file), file)))
        except BatchError as error:
            problems.append(str(error))
    return essays, problems


def essays_of_table(table: FoundTable, notices: Notices) -> tuple[list[TakenEssay], list[str]]:
    """A text a row; further columns are groups. Raises `BatchError` for cells that are no texts."""
    assert table.texts is not None
    refuse_reserved([column.heading for column in table.groups], table.where)
    essays, problems = [], []
    names, texts = table.texts_at(table.ids[0].cells), table.texts_at(table.texts.cells)
    for row, (number, name, text) in enumerate(zip(table.numbers, names, texts, strict=True)):
        where = f"{table.where}, row {number}"
        groups = {column.heading: str(column.cells[row]) for column in table.groups}
        try:
            essays.append(_with_words(TakenEssay(_fitting_id(name, where, notices), text, where, None, groups)))
        except BatchError as error:
            problems.append(str(error))
    return essays, problems


def essays_of_jsonl(path: Path, notices: Notices) -> tuple[list[TakenEssay], list[str]]:
    """The rows of essay_id and text. Raises `BatchError` for one that is no such row."""
    return [TakenEssay(row.essay_id, row.text, row.where, None, row.groups) for row in essay_rows(path, notices)], []


def _fitting_id(name: str, where: str, notices: Notices) -> str:
    composed = unicodedata.normalize("NFC", name.strip())
    fitting = _NO_BEGINNING.sub("", _NOT_IN_IDS.sub("_", composed)).strip()
    if fitting != composed:
        notices.add(f"{where}: called {fitting!r} here, since an id holds letters, digits, blank and . _ - + @ only.")
    return checked_essay_id(fitting, where)


def _with_words(essay: TakenEssay) -> TakenEssay:
    if not essay.text.split():
        raise BatchError(f"{essay.where}: no text in it. Add the text, or remove it.")
    return essay
