"""Files: uploads, and the output and error files that the work on a batch writes."""

import os
import secrets
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cj_pipeline.emulator.store.database import Database, count

_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is listed. It exists from `created_at` until `expires_at`, in unix seconds."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float
    expires_at: float
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

    def add_upload(self, content: BinaryIO, *, filename: str, purpose: str, keep_seconds: int) -> File:
        """Keep an upload, bytes first, then the row."""
        partial = self.partial_path()
        with partial.open("wb") as kept:
            shutil.copyfileobj(content, kept, 1 << 20)
            size = kept.tell()
        now = time.time()
        file = File(fresh_file_id(), filename, purpose, size, now, now + keep_seconds)
        self.settle(partial, file.id)
        with self._database.transaction() as connection:
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

    def get(self, file_id: str, *, now: float) -> File | None:
        """The file of that id, if it exists at this moment."""
        query = "select * from files where id = ? and created_at <= ? and expires_at > ?"
        rows = self._database.rows(query, file_id, now, now)
        return File(**rows[0]) if rows else None

    def all(self, *, now: float) -> list[File]:
        """Every file that exists at this moment, oldest first."""
        query = "select * from files where created_at <= ? and expires_at > ? order by created_at, seq"
        return [File(**row) for row in self._database.rows(query, now, now)]

    def delete(self, file_id: str) -> None:
        """Row and bytes."""
        with self._database.transaction() as connection:
            connection.execute("delete from files where id = ?", [file_id])
        self.path(file_id).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what has expired, and bytes that a killed server left without a row."""
        for row in self._database.rows("select id from files where expires_at <= ?", time.time()):
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
        "insert or replace into files (id, filename, purpose, bytes, created_at, expires_at) values (?, ?, ?, ?, ?, ?)",
        [file.id, file.filename, file.purpose, file.bytes, file.created_at, file.expires_at],
    )
