"""Essays and grades from files. Every mistake is refused with its file, its row and the remedy; nothing is guessed."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cj_pipeline.batch.docx_text import read_docx
from cj_pipeline.batch.table_rows import read_rows, refuse_reserved
from cj_pipeline.batch.text_files import Notices, read_text
from cj_pipeline.errors import BatchError

ESSAY_FILES = ("essays.csv", "essays.jsonl", "essays.parquet", "essays.xlsx")
ESSAY_FOLDER = "essays"
GRADE_SUFFIXES = (".csv", ".xlsx")
MAX_ESSAY_ID_CHARS = 120
_ESSAY_ID = re.compile(r"[\w][\w .+@-]*")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_TEXT_READERS = {".txt": read_text, ".md": read_text, ".docx": read_docx}
TEXT_SUFFIXES = tuple(_TEXT_READERS)
_LEFT_BEHIND = {"thumbs.db", "desktop.ini"}  # what Windows puts into folders
_REMEDIES = {
    ".pdf": "a PDF holds a page, not a text. Save the essay as .docx or .txt",
    ".doc": "Word's format up to 2003. Open it in Word and save it as .docx",
    ".docm": "a Word file with macros. Open it in Word and save it as .docx",
    ".odt": "an OpenDocument text. Open it and save it as .docx",
    ".rtf": "rich text. Open it and save it as .docx",
    ".pages": "a Pages document. Export it as .docx",
    ".gdoc": "only a link to Google Docs. Download the document as .docx",
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".heic", ".tif", ".tiff"), "a picture. Type the essay into a .docx or .txt"
    ),
}


@dataclass(frozen=True, slots=True)
class EssayRow:
    """One essay as read. `where` names file and row for later messages."""

    essay_id: str
    text: str
    where: str
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One line of a list of anchors or known grades."""

    essay_id: str
    grade: str
    where: str


def read_essays(folder: Path, notices: Notices, least: int = 2) -> list[EssayRow]:
    """The essays of a batch folder, from whichever of the accepted forms lies there. Raises `BatchError`."""
    found = [folder / name for name in ESSAY_FILES if (folder / name).exists()]
    if (folder / ESSAY_FOLDER).is_dir():
        found.append(folder / ESSAY_FOLDER)
    if not found and least <= 0:
        return []
    if not found:
        raise BatchError(
            f"{folder}: no essays. Put essays.csv, .jsonl, .parquet or .xlsx (essay_id, text) there, "
            f"or a folder essays/ with one .docx, .txt or .md file per essay."
        )
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise BatchError(f"{folder}: essays stand in {names}. Keep one of them.")
    rows = list(essay_rows(found[0], notices))
    refuse_repeated_ids([(row.essay_id, row.where) for row in rows])
    if len(rows) < least:
        raise BatchError(f"{found[0]}: {len(rows)} essay. A comparison needs two; add essays.")
    return rows


def essay_rows(path: Path, notices: Notices) -> Iterator[EssayRow]:
    """The essays of one table or one folder of texts, as they stand there. Raises `BatchError`."""
    if path.name == ESSAY_FOLDER:
        return _essays_of_folder(path, notices)
    return (_essays_of_jsonl if path.suffix == ".jsonl" else _essays_of_table)(path, notices)


def grade_file(folder: Path, name: str) -> Path | None:
    """Where a batch keeps a list of grades, `anchors` or `known_grades`; None without one. Raises `BatchError`."""
    found = [path for suffix in GRADE_SUFFIXES if (path := folder / f"{name}{suffix}").exists()]
    if len(found) > 1:
        raise BatchError(f"{folder}: {' and '.join(path.name for path in found)} both lie there. Keep one of them.")
    return found[0] if found else None


def read_grades(path: Path, notices: Notices) -> list[GradeRow]:
    """Rows of a table with the columns essay_id and grade. Raises `BatchError`."""
    rows = []
    for where, cells in read_rows(path, {"essay_id", "grade"}, notices):
        grade = cells["grade"].strip()
        if not grade:
            raise BatchError(f"{where}: no grade. Fill it in or remove the row.")
        _refuse_no_text([grade], where)
        rows.append(GradeRow(checked_essay_id(cells["essay_id"], where), grade, where))
    refuse_repeated_ids([(row.essay_id, row.where) for row in rows])
    return rows


def read_text_file(path: Path, notices: Notices) -> str:
    """The text of one .txt, .md or .docx file. Raises `BatchError`, with what to do about another kind of file."""
    suffix = path.suffix.lower()
    if path.is_dir() and suffix not in _TEXT_READERS:
        raise BatchError(f"{path}: a folder; essays lie side by side in one. If it holds essays, move them up.")
    if suffix not in _TEXT_READERS:
        remedy = _REMEDIES.get(suffix, "save the essay as text")
        raise BatchError(f"{path}: not a .docx, .txt or .md file: {remedy}, or move it out of the folder.")
    return _TEXT_READERS[suffix](path, notices)


def files_in(folder: Path, notices: Notices) -> list[Path]:
    """What lies in a folder, sorted, without what systems and programs leave behind there."""
    kept = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("~$"):
            notices.add(f"{path}: Word has the essay open, or left this note behind; it was passed over.")
        elif not path.name.startswith(".") and path.name.lower() not in _LEFT_BEHIND:
            kept.append(path)
    return kept


def _essays_of_table(path: Path, notices: Notices) -> Iterator[EssayRow]:
    for where, cells in read_rows(path, {"essay_id", "text"}, notices):
        _refuse_no_text((*cells, *cells.values()), where)
        groups = {name: value for name, value in cells.items() if name not in {"essay_id", "text"}}
        yield EssayRow(checked_essay_id(cells["essay_id"], where), cells["text"], where, groups)


def _essays_of_jsonl(path: Path, notices: Notices) -> Iterator[EssayRow]:
    # only \n ends a line: a JSON string may hold U+2028 or U+0085
    for number, line in enumerate(read_text(path, notices).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, row {number}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            raise BatchError(f"{where}: not a JSON object. Correct the line.") from None
        if not isinstance(values, dict):
            raise BatchError(f"{where}: a JSON {type(values).__name__}, not an object with essay_id and text.")
        for name in ("essay_id", "text"):
            if not isinstance(values.get(name), str):
                raise BatchError(f"{where}: {name} is missing or no string. Write it in quotes.")
        refuse_reserved(values, where)
        groups = {
            name: str(value) for name, value in values.items() if name not in {"essay_id", "text"} and value is not None
        }
        _refuse_no_text((*values, *groups.values(), values["essay_id"], values["text"]), where)
        text = values["text"].replace("\r\n", "\n").replace("\r", "\n")
        yield EssayRow(checked_essay_id(values["essay_id"], where), text, where, groups)


def _essays_of_folder(path: Path, notices: Notices) -> Iterator[EssayRow]:
    for file in files_in(path, notices):
        yield EssayRow(checked_essay_id(file.stem, str(file)), read_text_file(file, notices), str(file))


def _refuse_no_text(strings: Iterable[str], where: str) -> None:
    """JSON can spell what no text file holds: NUL, and half of a surrogate pair."""
    for string in strings:
        wrong = _NO_TEXT.search(string)
        if wrong:
            code = f"\\u{ord(wrong.group()):04x}"
            raise BatchError(f"{where}: the character {code} is part of no text. Export the essays again.")


def checked_essay_id(raw: str, where: str) -> str:
    """The id without blanks around it, in Unicode form NFC. Raises `BatchError` for one that cannot be."""
    # file names from macOS are decomposed; the same name typed into anchors.csv is not
    essay_id = unicodedata.normalize("NFC", raw.strip())
    if not essay_id:
        raise BatchError(f"{where}: no essay_id. Fill it in.")
    if len(essay_id) > MAX_ESSAY_ID_CHARS:
        raise BatchError(f"{where}: the essay_id has {len(essay_id)} characters; {MAX_ESSAY_ID_CHARS} at most.")
    if not _ESSAY_ID.fullmatch(essay_id):
        wrong = next((char for char in essay_id if not re.match(r"[\w .+@-]", char)), essay_id[0])
        raise BatchError(
            f"{where}: the essay_id {essay_id!r} holds {wrong!r}. Use letters, digits, blank and . _ - + @ , "
            f"beginning with a letter or digit."
        )
    return essay_id


def refuse_repeated_ids(ids: list[tuple[str, str]]) -> None:
    """Ids and where each stands. Raises `BatchError` for the second of the same."""
    first: dict[str, str] = {}
    for essay_id, where in ids:
        if essay_id in first:
            raise BatchError(f"{where}: the essay_id {essay_id!r} stands already in {first[essay_id]}. Rename one.")
        first[essay_id] = where
