"""One SQLite connection behind one lock: short transactions, each durable when it returns."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cj_pipeline.errors import CjError

DATABASE_FILE = "emulator.sqlite"

_SCHEMA = """
create table if not exists files (
    seq integer primary key autoincrement, id text not null unique, filename text not null, purpose text not null,
    bytes integer not null, created_at real not null, expires_at real not null);
create table if not exists batches (
    seq integer primary key autoincrement, id text not null unique, input_file_id text not null,
    endpoint text not null, completion_window text not null, metadata text not null, output_seconds integer not null,
    created_at real not null, seconds_per_phase real not null, faults text not null,
    validated_at real, errors text not null default '[]', total integer, model text,
    cancelling_at real, stop_rank integer,
    judged_at real, completed integer not null default 0, failed integer not null default 0,
    prompt_tokens integer not null default 0, completion_tokens integer not null default 0,
    output_file_id text, error_file_id text);
create table if not exists items (
    batch_id text not null, rank integer not null, custom_id text not null, body_sha256 text not null,
    status_code integer not null, prompt_tokens integer not null, completion_tokens integer not null,
    primary key (batch_id, rank)) without rowid;
create index if not exists items_by_custom_id on items (custom_id);
create index if not exists items_by_body on items (body_sha256);
create table if not exists armed_faults (name text primary key, value real not null, times integer not null);
create table if not exists counters (name text primary key, value integer not null);
create view if not exists carried_out as
    select items.*, batches.seq as batch_seq from items join batches on batches.id = items.batch_id
    where batches.judged_at is not null and items.rank < coalesce(batches.stop_rank, items.rank + 1);
create view if not exists answered as select * from carried_out where status_code = 200;
"""


class FolderInUse(CjError):
    """Another emulator serves this folder."""


class Database:
    """The emulator's tables. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make the database of a folder, and keep others out. Raises `FolderInUse`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / DATABASE_FILE, timeout=0.5, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("pragma locking_mode = exclusive")
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise FolderInUse(
                f"{folder}: another emulator serves this folder ({error}). Stop it, or name another folder."
            ) from error

    def close(self) -> None:
        """Unlock and close."""
        with self._lock:
            self._connection.close()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """All rows of a query."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(query, values)]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk at the end."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")


def count(connection: sqlite3.Connection, name: str) -> None:
    """Add one to a counter that outlives what it counts."""
    connection.execute("insert into counters values (?, 1) on conflict (name) do update set value = value + 1", [name])
