"""Batches: what was asked, what reading the input found, a cancellation, and what the work gave."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cj_pipeline.emulator.faults import EXPIRE_AFTER, EXPIRE_WITH_ERRORS
from cj_pipeline.emulator.store.armed_faults import take_faults
from cj_pipeline.emulator.store.database import Database, count
from cj_pipeline.emulator.store.files import File, insert_file

WINDOW_SECONDS = 86_400  # both providers end a batch 24 hours after it was created
_ID_PREFIX = {"openai": "batch_", "anthropic": "msgbatch_"}


@dataclass(frozen=True, slots=True)
class Order:
    """A batch that is asked for. `total` and `model` are known at once where the API checks ids at create."""

    api: str
    project: str
    input_file_id: str
    endpoint: str
    seconds_per_phase: float
    completion_window: str = "24h"
    metadata: dict[str, str] | None = None
    output_seconds: int = 2_592_000
    api_version: str = ""
    prompt_cache: bool = False
    total: int | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch with the moments (unix seconds) that fix its course; see `lifecycle`."""

    seq: int
    id: str
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None
    output_seconds: int
    created_at: float
    seconds_per_phase: float
    faults: dict[str, float] = field(default_factory=dict)
    validated_at: float | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    total: int | None = None
    model: str | None = None
    cancelling_at: float | None = None
    stop_rank: int | None = None
    judged_at: float | None = None
    completed: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    api: str = "openai"
    project: str = "default"
    api_version: str = ""
    prompt_cache: int = 0
    cached_tokens: int = 0
    deleted_at: float | None = None

    @property
    def expires_after(self) -> float | None:
        """The share of its items that is done when its time runs out; None when it does not run out.

        By a fault, or because two phases take longer than the window.
        """
        for fault in (EXPIRE_AFTER, EXPIRE_WITH_ERRORS):
            if fault in self.faults:
                return self.faults[fault]
        if 2 * self.seconds_per_phase > WINDOW_SECONDS:
            return max(0.0, WINDOW_SECONDS / self.seconds_per_phase - 1)
        return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the work on a batch gave. `at` is when it was finished."""

    at: float
    completed: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    output: File | None
    error: File | None


class Batches:
    """The table of batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, order: Order) -> Batch:
        """Accept a batch, which takes the armed faults with it. On the disk when this returns."""
        batch_id = f"{_ID_PREFIX[order.api]}{secrets.token_hex(16)}"
        now = self._database.now()
        with self._database.transaction() as connection:
            row = asdict(order) | {
                "id": batch_id,
                "created_at": now,
                "metadata": json.dumps(order.metadata),
                "faults": json.dumps(take_faults(connection)),
                "validated_at": None if order.total is None else now,
            }
            count(connection, "batches_created")
            places = ", ".join("?" * len(row))
            connection.execute(f"insert into batches ({', '.join(row)}) values ({places})", list(row.values()))
        batch = self.get(batch_id)
        assert batch is not None
        return batch

    def get(self, batch_id: str) -> Batch | None:
        """The batch of that id, also when it was deleted."""
        rows = self._database.rows("select * from batches where id = ?", batch_id)
        return _batch(rows[0]) if rows else None

    def newest(self, limit: int) -> list[Batch]:
        """Newest first, of every API and project."""
        rows = self._database.rows("select * from batches where deleted_at is null order by seq desc limit ?", limit)
        return [_batch(row) for row in rows]

    def page(
        self, api: str, project: str, limit: int, *, older_than: int | None = None, newer_than: int | None = None
    ) -> list[Batch]:
        """What one project sees in one API, newest first: older than a sequence number, or just newer than one."""
        query = "select * from batches where api = ? and project = ? and deleted_at is null and "
        if newer_than is not None:
            rows = self._database.rows(query + "seq > ? order by seq limit ?", api, project, newer_than, limit)
            return [_batch(row) for row in reversed(rows)]
        rows = self._database.rows(
            query + "seq < ? order by seq desc limit ?", api, project, older_than or 1 << 60, limit
        )
        return [_batch(row) for row in rows]

    def reading(self, file_id: str) -> list[Batch]:
        """The batches with this input file."""
        query = "select * from batches where input_file_id = ?"
        return [_batch(row) for row in self._database.rows(query, file_id)]

    def writing(self, file_id: str) -> list[Batch]:
        """The batch with this output or error file, if any."""
        query = "select * from batches where output_file_id = ? or error_file_id = ?"
        return [_batch(row) for row in self._database.rows(query, file_id, file_id)]

    def unfinished(self) -> list[str]:
        """Ids of the batches with work left, oldest first: what a restarted server goes on with."""
        query = "select id from batches where judged_at is null and errors = '[]' order by seq"
        return [row["id"] for row in self._database.rows(query)]

    def enqueued_bytes(self, project: str, model: str | None, running: Sequence[str]) -> int:
        """Bytes of the input files of these batches, as far as they are of that project and model."""
        places = ", ".join("?" * len(running))
        query = (
            "select coalesce(sum(files.bytes), 0) as bytes from batches join files on files.id = input_file_id"
            f" where batches.project = ? and batches.model is ? and batches.id in ({places})"
        )
        return int(self._database.rows(query, project, model, *running)[0]["bytes"])

    def maybe_running(self) -> list[Batch]:
        """Validated without an error and not deleted; whether they have ended is the lifecycle's to say."""
        query = "select * from batches where validated_at is not null and errors = '[]' and deleted_at is null"
        return [_batch(row) for row in self._database.rows(query)]

    def set_validated(self, batch_id: str, *, total: int, model: str | None, errors: Sequence[dict[str, Any]]) -> None:
        """What reading the input found; the time of the first reading stays."""
        with self._database.transaction() as connection:
            connection.execute(
                "update batches set validated_at = coalesce(validated_at, ?), total = ?, model = ?, errors = ?"
                " where id = ?",
                [self._database.now(), total, model, json.dumps(errors), batch_id],
            )

    def set_deleted(self, batch_id: str) -> None:
        """It is shown no more; the bill keeps it."""
        with self._database.transaction() as connection:
            connection.execute("update batches set deleted_at = ? where id = ?", [self._database.now(), batch_id])

    def set_cancelling(self, batch_id: str, *, at: float, stop_rank: int | None) -> list[str]:
        """Let the work stop before the item `stop_rank`, or, when that is None, never begin.

        What was already written is forgotten, and its file ids returned; the work is done anew up to the stop,
        with the same answers.
        """
        with self._database.transaction() as connection:
            written = connection.execute(
                "select files.id from files join batches on files.id in (output_file_id, error_file_id)"
                " where batches.id = ?",
                [batch_id],
            ).fetchall()
            connection.execute(
                "update batches set cancelling_at = ?, stop_rank = ?, judged_at = ?, completed = 0, failed = 0,"
                " prompt_tokens = 0, completion_tokens = 0, cached_tokens = 0, output_file_id = null,"
                " error_file_id = null where id = ?",
                [at, stop_rank or 0, None if stop_rank is not None else at, batch_id],
            )
        return [row["id"] for row in written]

    def set_judged(self, batch: Batch, outcome: Outcome) -> bool:
        """Publish what the work gave; False when the batch was cancelled meanwhile and it has to be done anew."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                "update batches set judged_at = ?, completed = ?, failed = ?, prompt_tokens = ?,"
                " completion_tokens = ?, cached_tokens = ?, output_file_id = ?, error_file_id = ?"
                " where id = ? and judged_at is null and stop_rank is ?",
                [
                    outcome.at,
                    outcome.completed,
                    outcome.failed,
                    outcome.prompt_tokens,
                    outcome.completion_tokens,
                    outcome.cached_tokens,
                    outcome.output.id if outcome.output else None,
                    outcome.error.id if outcome.error else None,
                    batch.id,
                    batch.stop_rank,
                ],
            ).rowcount
            for file in (outcome.output, outcome.error):
                if changed and file is not None:
                    insert_file(connection, file)
        return bool(changed)


def _batch(row: dict[str, Any]) -> Batch:
    decoded = {name: json.loads(row[name]) for name in ("metadata", "faults", "errors")}
    return Batch(**(row | decoded))
