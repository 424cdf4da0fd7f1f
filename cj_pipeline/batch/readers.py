"""Essays and grades from files. Every mistake is refused with its file, its row and the remedy; nothing is guessed.

A row is counted as a spreadsheet counts it: the header is row 1. In JSON lines it is the line.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cj_pipeline.errors import BatchError

ESSAY_FILES = ("essays.csv", "essays.jsonl")
ESSAY_FOLDER = "essays"
TEXT_SUFFIXES = (".txt", ".md")
MAX_ESSAY_ID_CHARS = 120
_ESSAY_ID = re.compile(r"[\w][\w .+@-]*")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_RESERVED = {"sha256", "word_count", "is_anchor", "anchor_grade", "known_grade"}


@dataclass(frozen=True, slots=True)
class EssayRow:
    """One essay as read. `where` names file and row for later messages."""

    essay_id: str
    text: str
    where: str
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One line of anchors.csv or known_grades.csv."""

    essay_id: str
    grade: str
    where: str


@dataclass(slots=True)
class Notices:
    """What was put right on reading, for the person to see. Nothing here changes a word of an essay."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Keep a notice once."""
        if line not in self.lines:
            self.lines.append(line)


def read_essays(folder: Path, notices: Notices) -> list[EssayRow]:
    """The essays of a batch folder, from whichever of the accepted forms lies there. Raises `BatchError`."""
    found = [folder / name for name in ESSAY_FILES if (folder / name).exists()]
    if (folder / ESSAY_FOLDER).is_dir():
        found.append(folder / ESSAY_FOLDER)
    if not found:
        raise BatchError(
            f"{folder}: no essays. Put essays.csv or essays.jsonl (essay_id, text) there, "
            f"or a folder essays/ with one .txt or .md file per essay."
        )
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise BatchError(f"{folder}: essays stand in {names}. Keep one of them.")
    readers = {".csv": _essays_of_csv, ".jsonl": _essays_of_jsonl, "": _essays_of_folder}
    rows = list(readers[found[0].suffix](found[0], notices))
    _refuse_repeated_ids([(row.essay_id, row.where) for row in rows])
    if len(rows) < 2:
        raise BatchError(f"{found[0]}: {len(rows)} essay. A comparison needs two; add essays.")
    return rows


def read_grades(path: Path, notices: Notices) -> list[GradeRow]:
    """Rows of a csv file with the columns essay_id and grade. Raises `BatchError`."""
    rows = []
    for row, cells in _csv_rows(path, {"essay_id", "grade"}, notices):
        where = f"{path}, row {row}"
        grade = cells["grade"].strip()
        if not grade:
            raise BatchError(f"{where}: no grade. Fill it in or remove the row.")
        rows.append(GradeRow(_essay_id(cells["essay_id"], where), grade, where))
    _refuse_repeated_ids([(row.essay_id, row.where) for row in rows])
    return rows


def read_text(path: Path, notices: Notices) -> str:
    """A UTF-8 text with `\\n` line ends and without a byte order mark. Raises `BatchError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BatchError(f"{path}: cannot be read ({error.strerror}). It should be a text file you may read.") from None
    if data.startswith(b"\xef\xbb\xbf"):
        notices.add(f"{path}: begins with a byte order mark; it was left out.")
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BatchError(
            f"{path}, line {line}: not UTF-8 (byte 0x{data[error.start]:02x}). Save the file as UTF-8; "
            f'in a spreadsheet choose "CSV UTF-8".'
        ) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise BatchError(f"{path}, line {line}: a NUL character. This is no text file; export it again as text.")
    if "\r" in text:
        notices.add(f"{path}: Windows or old Mac line ends; they were read as plain line ends.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _essays_of_csv(path: Path, notices: Notices) -> Iterator[EssayRow]:
    for row, cells in _csv_rows(path, {"essay_id", "text"}, notices):
        where = f"{path}, row {row}"
        groups = {name: value for name, value in cells.items() if name not in {"essay_id", "text"}}
        yield EssayRow(_essay_id(cells["essay_id"], where), cells["text"], where, groups)


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
        _refuse_reserved(values, where)
        groups = {
            name: str(value) for name, value in values.items() if name not in {"essay_id", "text"} and value is not None
        }
        _refuse_no_text((*values, *groups.values(), values["essay_id"], values["text"]), where)
        text = values["text"].replace("\r\n", "\n").replace("\r", "\n")
        yield EssayRow(_essay_id(values["essay_id"], where), text, where, groups)


def _essays_of_folder(path: Path, notices: Notices) -> Iterator[EssayRow]:
    for file in sorted(path.iterdir()):
        if file.name.startswith("."):
            continue
        if file.suffix.lower() not in TEXT_SUFFIXES:
            raise BatchError(f"{file}: not a .txt or .md file. Convert it to text, or move it out of {ESSAY_FOLDER}/.")
        yield EssayRow(_essay_id(file.stem, str(file)), read_text(file, notices), str(file))


def _csv_rows(path: Path, required: set[str], notices: Notices) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(read_text(path, notices), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _refuse_bad_header(path, header, required)
        for number, cells in enumerate(rows, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise BatchError(
                    f"{path}, row {number}: {len(cells)} cells under {len(header)} columns. Put texts that hold "
                    f'commas or line breaks in double quotes, and write a quote inside them as "".'
                )
            yield number, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BatchError(f"{path}, line {rows.line_num}: {error}. Check the quotes there.") from None


def _refuse_bad_header(path: Path, header: list[str], required: set[str]) -> None:
    missing = sorted(required - set(header))
    if missing:
        hint = (
            " The columns seem to be separated by semicolons; use commas."
            if any(";" in name for name in header)
            else ""
        )
        raise BatchError(
            f"{path}, row 1: no column {' and '.join(missing)}; found {', '.join(header) or 'nothing'}."
            f"{hint or ' Name the columns so.'}"
        )
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise BatchError(f"{path}, row 1: the column {repeated.pop()!r} stands twice. Rename one.")
    _refuse_reserved(dict.fromkeys(header, ""), f"{path}, row 1")


def _refuse_no_text(strings: Iterable[str], where: str) -> None:
    """JSON can spell what no text file holds: NUL, and half of a surrogate pair."""
    for string in strings:
        wrong = _NO_TEXT.search(string)
        if wrong:
            code = f"\\u{ord(wrong.group()):04x}"
            raise BatchError(f"{where}: the character {code} is part of no text. Export the essays again.")


def _refuse_reserved(groups: Mapping[str, object], where: str) -> None:
    reserved = sorted(_RESERVED & groups.keys())
    if reserved:
        raise BatchError(f"{where}: the column {reserved[0]!r} is one the pipeline makes itself. Rename yours.")


def _essay_id(raw: str, where: str) -> str:
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


def _refuse_repeated_ids(ids: list[tuple[str, str]]) -> None:
    first: dict[str, str] = {}
    for essay_id, where in ids:
        if essay_id in first:
            raise BatchError(f"{where}: the essay_id {essay_id!r} stands already in {first[essay_id]}. Rename one.")
        first[essay_id] = where
