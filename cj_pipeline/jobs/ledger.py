"""The database that knows what was bought: opened, migrated, and written in one transaction per state change.

SQLite by default (write-ahead log, every commit forced to disk, writers queue at BEGIN), PostgreSQL by URL.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url

from cj_pipeline.errors import CjError
from cj_pipeline.jobs import schema
from cj_pipeline.tables import Provenance

BUSY_TIMEOUT_MS = 60_000  # how long a writer waits for another before it gives up
# beginnings of their type names on Linux, macOS and Windows
NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "afs",
    "afpfs",
    "webdav",
    "ceph",
    "gluster",
    "fuse.gluster",
    "lustre",
    "gpfs",
    "beegfs",
    "9p",
    "vboxsf",
    "davfs",
)
MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_205_211  # any number, the same in every process: pg_advisory_xact_lock


class Ledger:
    """The ledger of one deployment. Cheap to open: the schema is upgraded only when it is behind."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        _migrate(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; one writer at a time where the database has no row locks."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent look that never waits for a writer."""
        with self.engine.connect().execution_options(cj_reading=True) as connection:
            yield connection

    def provenance(self, batch_id: str) -> Provenance:
        """Current revision and version of a batch. Raises `CjError` for a batch that was never registered."""
        with self.reading() as connection:
            row = connection.execute(
                sa.select(schema.batches.c.revision, schema.batches.c.version).where(
                    schema.batches.c.batch_id == batch_id
                )
            ).one_or_none()
        if row is None:
            raise CjError(f"batch {batch_id}: the ledger does not know it yet. Materialise its essays first.")
        return Provenance(row.revision, row.version)


def insert_new(connection: Connection, table: sa.Table, rows: dict[str, Any] | list[dict[str, Any]]) -> bool:
    """Insert what is not there yet; a row whose key another process wrote first stays as it is.

    Returns, for a single row, whether it is the one that stands there now.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(insert(table).on_conflict_do_nothing(), rows).rowcount == 1


def utc_now() -> str:
    """The present moment as the ledger writes it: ISO 8601, UTC, sortable as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def ledger_time(text: str | None) -> datetime | None:
    """A moment read from the ledger."""
    return datetime.fromisoformat(text) if text else None


def seconds_between(connection: Connection, begin: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> Any:
    """SQL for the seconds between two moments of the ledger (exact to a millisecond)."""
    if connection.dialect.name == "postgresql":
        moments = (sa.cast(moment, sa.DateTime(timezone=True)) for moment in (end, begin))
        later, earlier = (sa.func.extract("epoch", moment) for moment in moments)
        return later - earlier
    return (sa.func.julianday(end) - sa.func.julianday(begin)) * 86_400


def within_json(connection: Connection, column: sa.ColumnElement[str], *keys: str) -> sa.ColumnElement[Any]:
    """SQL for what stands under the keys of a column that holds JSON as text; null where nothing does."""
    on_postgres = connection.dialect.name == "postgresql"
    return (sa.cast(column, sa.JSON) if on_postgres else sa.type_coerce(column, sa.JSON))[keys]


def grow_version(connection: Connection, batch_id: str) -> None:
    """Say that what is bought of a batch changed; belongs into the transaction of that change."""
    connection.execute(
        schema.batches.update()
        .where(schema.batches.c.batch_id == batch_id)
        .values(version=schema.batches.c.version + 1)
    )


def file_system_of(folder: Path) -> str:
    """The type of the file system that a folder lies on, as the machine names it; "" where it cannot tell."""
    import psutil

    resolved = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    return str(max(mounts, key=lambda part: len(part.mountpoint)).fstype) if mounts else ""


def refuse_network_file_system(folder: Path, kind: str) -> None:
    """Raise `CjError` where SQLite cannot keep its promises (sqlite.org/wal.html, "over a network filesystem")."""
    if kind.lower().startswith(NETWORK_FILE_SYSTEMS):
        raise CjError(
            f"{folder}: lies on a network file system ({kind}), where two machines could buy the same job at once. "
            "Set CJ_LEDGER to a local disk, or CJ_POSTGRES_URL to a PostgreSQL database."
        )


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        folder = Path(parsed.database).parent
        folder.mkdir(parents=True, exist_ok=True)
        refuse_network_file_system(folder, file_system_of(folder))
    engine = sa.create_engine(parsed)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # a writer that begins by reading could not upgrade its lock if another wrote in between
    reading = connection.get_execution_options().get("cj_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@cache
def _newest_schema() -> str | None:
    """The last migration's revision; alembic reads all of them from disk to find it."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _migrate(engine: Engine) -> None:
    from alembic.migration import MigrationContext

    with engine.connect().execution_options(cj_reading=True) as connection:
        if MigrationContext.configure(connection).get_current_revision() == _newest_schema():
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
