"""Files: uploads, and the output and error files that the work on a batch writes."""

import os
import secrets
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cj_pipeline.emulator.store.database import Database, count

_PARTIAL = ".partial"

# purposes of files that no Files API shows: Anthropic takes requests and gives results without a file
REQUESTS, RESULTS = "message_batch_requests", "message_batch_results"
_HIDDEN = f"purpose not in ('{REQUESTS}', '{RESULTS}')"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is listed. It exists from `created_at` until `expires_at`, in unix seconds."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float
    expires_at: float
    project: str = "default"
    seq: int = 0


class Files:
    """The table of files and the folder of their bytes."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def path(self, file_id: str) -> Path:
        """Where the bytes of a file lie. Only for ids that this table gave out."""
        return self._folder / file_id

    def partial_path(self) -> Path:
        """A fresh place to write to; what is left there is swept up at the next start."""
        return self._folder / f"{fresh_file_id()}{_PARTIAL}"

    def add_upload(self, content: BinaryIO, *, filename: str, purpose: str, keep_seconds: int, project: str) -> File:
        """Keep an upload, bytes first, then the row."""
        partial = self.partial_path()
        with partial.open("wb") as kept:
            shutil.copyfileobj(content, kept, 1 << 20)
            size = kept.tell()
        now = self._database.now()
        file = File(fresh_file_id(), filename, purpose, size, now, now + keep_seconds, project)
        self.settle(partial, file.id)
        with self._database.transaction() as connection:
            if purpose != REQUESTS:
                count(connection, "files_uploaded")
            insert_file(connection, file)
        return file

    def settle(self, partial: Path, file_id: str) -> None:
        """Give written bytes their final name, durably."""
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        partial.replace(self.path(file_id))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def get(self, file_id: str, project: str) -> File | None:
        """The file of that id, if the project's Files API shows it now."""
        query = f"select * from files where id = ? and project = ? and created_at <= ? and expires_at > ? and {_HIDDEN}"
        now = self._database.now()
        rows = self._database.rows(query, file_id, project, now, now)
        return File(**rows[0]) if rows else None

    def all(self, project: str) -> list[File]:
        """Every file that the project's Files API shows now, oldest first."""
        query = (
            f"select * from files where project = ? and created_at <= ? and expires_at > ? and {_HIDDEN}"
            " order by created_at, seq"
        )
        now = self._database.now()
        return [File(**row) for row in self._database.rows(query, project, now, now)]

    def delete(self, file_id: str) -> None:
        """Row and bytes."""
        with self._database.transaction() as connection:
            connection.execute("delete from files where id = ?", [file_id])
        self.path(file_id).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what has expired, and bytes that a killed server left without a row."""
        for row in self._database.rows("select id from files where expires_at <= ?", self._database.now()):
            self.delete(row["id"])
        known = {row["id"] for row in self._database.rows("select id from files")}
        for path in self._folder.iterdir():
            if path.name not in known:
                path.unlink()


def fresh_file_id() -> str:
    """Unguessable and never used before."""
    return f"file-{secrets.token_hex(12)}"


def insert_file(connection: sqlite3.Connection, file: File) -> None:
    """Note a file whose bytes are in place."""
    connection.execute(
        "insert or replace into files (id, filename, purpose, bytes, created_at, expires_at, project)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [file.id, file.filename, file.purpose, file.bytes, file.created_at, file.expires_at, file.project],
    )
