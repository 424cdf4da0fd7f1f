"""Essays whose text was erased: a batch keeps their id, hash and length, so that its results stand without them.

`erased.csv` lies beside the essays; whoever opens the folder sees what is gone, and since when.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.readers import ESSAY_FILES, ESSAY_FOLDER, TEXT_SUFFIXES, checked_essay_id
from cj_pipeline.batch.table_rows import read_rows
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

ERASED = "erased.csv"
_COLUMNS = ("essay_id", "sha256", "word_count", "erased_at")


@dataclass(frozen=True, slots=True)
class ErasedEssay:
    """What is left of an essay: `sha256` of its text, its length in words, and when it went (ISO 8601)."""

    essay_id: str
    sha256: str
    word_count: int
    erased_at: str


def read_erased(folder: Path) -> list[ErasedEssay]:
    """The erased essays of a batch folder. Raises `BatchError`."""
    path = folder / ERASED
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    try:
        return [
            ErasedEssay(row["essay_id"], row["sha256"], int(row["word_count"]), row["erased_at"])
            for row in csv.DictReader(io.StringIO(text))
        ]
    except (KeyError, TypeError, ValueError):
        columns = ", ".join(_COLUMNS)
        raise BatchError(f"{path}: is written by `cj erase` with the columns {columns}; put it back.") from None


def note_erased(folder: Path, essays: Iterable[ErasedEssay]) -> None:
    """Write the list, whole or not at all."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerows((essay.essay_id, essay.sha256, essay.word_count, essay.erased_at) for essay in essays)
    _replace(folder / ERASED, written.getvalue().encode())


def remove_texts(folder: Path, essay_ids: Collection[str]) -> list[Path]:
    """Take the texts of these essays out of the folder's own files; returns the files that were changed or removed.

    A file per essay is deleted, a row of a table is taken out. Raises `BatchError` when a file cannot be written.
    """
    try:
        if (folder / ESSAY_FOLDER).is_dir():
            return [path for path in _files_of(folder / ESSAY_FOLDER, essay_ids) if _unlinked(path)]
        tables = [folder / name for name in ESSAY_FILES if (folder / name).exists()]
        return [path for path in tables if _WITHOUT[path.suffix](path, essay_ids)]
    except OSError as error:
        place = error.filename or folder
        raise BatchError(f"{place}: {error.strerror}. Correct its permissions, then erase again.") from None


def _files_of(folder: Path, essay_ids: Collection[str]) -> list[Path]:
    texts = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in TEXT_SUFFIXES]
    return [path for path in texts if checked_essay_id(path.stem, str(path)) in essay_ids]


def _unlinked(path: Path) -> bool:
    path.unlink()
    return True


def _csv_without(path: Path, essay_ids: Collection[str]) -> bool:
    rows = list(read_rows(path, {"essay_id", "text"}, Notices()))
    written = io.StringIO()
    table = csv.DictWriter(written, list(rows[0][1]) if rows else ["essay_id", "text"], lineterminator="\n")
    table.writeheader()
    table.writerows(cells for where, cells in rows if checked_essay_id(cells["essay_id"], where) not in essay_ids)
    _replace(path, written.getvalue().encode())
    return True


def _jsonl_without(path: Path, essay_ids: Collection[str]) -> bool:
    lines = path.read_text("utf-8-sig").split("\n")
    kept = [
        line
        for line in lines
        if not line.strip() or checked_essay_id(json.loads(line)["essay_id"], str(path)) not in essay_ids
    ]
    _replace(path, "\n".join(kept).encode())
    return True


def _parquet_without(path: Path, essay_ids: Collection[str]) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(pa.BufferReader(path.read_bytes())).read(use_threads=False)
    keep = [checked_essay_id(str(name), str(path)) not in essay_ids for name in table["essay_id"].to_pylist()]
    written = io.BytesIO()
    pq.write_table(table.filter(pa.array(keep)), written)
    _replace(path, written.getvalue())
    return True


def _xlsx_without(path: Path, essay_ids: Collection[str]) -> bool:
    import openpyxl

    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        for row in range(sheet.max_row, 0, -1):
            cells = {str(cell.value).strip() for cell in sheet[row] if cell.value is not None}
            if cells & set(essay_ids):
                sheet.delete_rows(row)
    written = io.BytesIO()
    book.save(written)
    _replace(path, written.getvalue())
    return True


_WITHOUT: dict[str, Callable[[Path, Collection[str]], bool]] = {
    ".csv": _csv_without,
    ".jsonl": _jsonl_without,
    ".parquet": _parquet_without,
    ".xlsx": _xlsx_without,
}


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
