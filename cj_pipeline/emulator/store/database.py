"""One SQLite connection behind one lock: short transactions, each durable when it returns."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cj_pipeline.errors import CjError

DATABASE_FILE = "emulator.sqlite"

_TABLES = """
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
create table if not exists calls (
    seq integer primary key autoincrement, id text not null unique, api text not null, called_at real not null,
    body_sha256 text not null, status_code integer not null, prompt_tokens integer not null,
    completion_tokens integer not null, cached_tokens integer not null, cache_write_tokens integer not null,
    model text not null);
create table if not exists armed_faults (name text primary key, value real not null, times integer not null);
create table if not exists counters (name text primary key, value integer not null);
create table if not exists settings (name text primary key, value text not null);
"""

# columns that folders of earlier versions lack
_LATER_COLUMNS = (
    ("files", "project", "text not null default 'default'"),
    ("batches", "api", "text not null default 'openai'"),
    ("batches", "project", "text not null default 'default'"),
    ("batches", "api_version", "text not null default ''"),
    ("batches", "prompt_cache", "integer not null default 0"),
    ("batches", "cached_tokens", "integer not null default 0"),
    ("batches", "deleted_at", "real"),
    ("items", "cached_tokens", "integer not null default 0"),
    ("items", "cache_write_tokens", "integer not null default 0"),
    ("items", "model", "text not null default ''"),
    ("calls", "custom_id", "text not null default ''"),
)

_VIEWS = """
drop view if exists answered;
drop view if exists carried_out;
create view carried_out as
    select items.batch_id, 'batch' as transport, batches.api, items.rank, items.custom_id, items.body_sha256,
        items.status_code, items.prompt_tokens, items.completion_tokens, items.cached_tokens,
        items.cache_write_tokens, coalesce(nullif(items.model, ''), batches.model) as model, batches.seq as batch_seq
    from items join batches on batches.id = items.batch_id
    where batches.judged_at is not null and items.rank < coalesce(batches.stop_rank, items.rank + 1)
    union all
    select null, 'sync', api, seq, coalesce(nullif(custom_id, ''), id), body_sha256, status_code, prompt_tokens,
        completion_tokens, cached_tokens, cache_write_tokens, model, null
    from calls;
create view answered as select * from carried_out where status_code = 200;
"""

CLOCK_AHEAD = "clock_ahead_seconds"


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
            self._prepare()
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise FolderInUse(
                f"{folder}: another emulator serves this folder ({error}). Stop it, or name another folder."
            ) from error
        self.clock_ahead: float = self._setting(CLOCK_AHEAD, 0.0)

    def close(self) -> None:
        """Unlock and close."""
        with self._lock:
            self._connection.close()

    def now(self) -> float:
        """Unix seconds by the emulator's clock, which can be set ahead."""
        return time.time() + self.clock_ahead

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

    def _prepare(self) -> None:
        self._connection.executescript(_TABLES)
        for table, column, kind in _LATER_COLUMNS:
            present = {row["name"] for row in self._connection.execute(f"pragma table_info({table})")}
            if column not in present:
                self._connection.execute(f"alter table {table} add column {column} {kind}")
        self._connection.executescript(_VIEWS)

    def _setting(self, name: str, default: Any) -> Any:
        rows = self.rows("select value from settings where name = ?", name)
        return json.loads(rows[0]["value"]) if rows else default


def count(connection: sqlite3.Connection, name: str) -> None:
    """Add one to a counter that outlives what it counts."""
    connection.execute("insert into counters values (?, 1) on conflict (name) do update set value = value + 1", [name])
