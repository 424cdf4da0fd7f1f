"""Batches: what was asked, what reading the input found, a cancellation, and what the work gave."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cj_pipeline.emulator.faults import EXPIRE_AFTER
from cj_pipeline.emulator.store.armed_faults import take_faults
from cj_pipeline.emulator.store.database import Database, count
from cj_pipeline.emulator.store.files import File, insert_file


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

    @property
    def expires_early(self) -> bool:
        """Whether a fault lets it run out of time."""
        return EXPIRE_AFTER in self.faults


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the work on a batch gave. `at` is when it was finished."""

    at: float
    completed: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    output: File | None
    error: File | None


class Batches:
    """The table of batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        input_file_id: str,
        endpoint: str,
        completion_window: str,
        metadata: dict[str, str] | None,
        output_seconds: int,
        seconds_per_phase: float,
    ) -> Batch:
        """Accept a batch, which takes the armed faults with it. On the disk when this returns."""
        batch_id = f"batch_{secrets.token_hex(16)}"
        with self._database.transaction() as connection:
            faults = take_faults(connection)
            count(connection, "batches_created")
            connection.execute(
                "insert into batches (id, input_file_id, endpoint, completion_window, metadata, output_seconds,"
                " created_at, seconds_per_phase, faults) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    batch_id,
                    input_file_id,
                    endpoint,
                    completion_window,
                    json.dumps(metadata),
                    output_seconds,
                    time.time(),
                    seconds_per_phase,
                    json.dumps(faults),
                ],
            )
        batch = self.get(batch_id)
        assert batch is not None
        return batch

    def get(self, batch_id: str) -> Batch | None:
        """The batch of that id."""
        rows = self._database.rows("select * from batches where id = ?", batch_id)
        return _batch(rows[0]) if rows else None

    def newest(self, limit: int, *, before: int | None = None) -> list[Batch]:
        """Newest first; only those older than the one with the sequence number `before`."""
        query = "select * from batches where seq < ? order by seq desc limit ?"
        return [_batch(row) for row in self._database.rows(query, before or 1 << 60, limit)]

    def reading(self, file_id: str) -> list[Batch]:
        """The batches with this input file."""
        query = "select * from batches where input_file_id = ?"
        return [_batch(row) for row in self._database.rows(query, file_id)]

    def unfinished(self) -> list[str]:
        """Ids of the batches with work left, oldest first: what a restarted server goes on with."""
        query = "select id from batches where judged_at is null and errors = '[]' order by seq"
        return [row["id"] for row in self._database.rows(query)]

    def set_validated(self, batch_id: str, *, total: int, model: str | None, errors: Sequence[dict[str, Any]]) -> None:
        """What reading the input found; the time of the first reading stays."""
        with self._database.transaction() as connection:
            connection.execute(
                "update batches set validated_at = coalesce(validated_at, ?), total = ?, model = ?, errors = ?"
                " where id = ?",
                [time.time(), total, model, json.dumps(errors), batch_id],
            )

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
                " prompt_tokens = 0, completion_tokens = 0, output_file_id = null, error_file_id = null where id = ?",
                [at, stop_rank or 0, None if stop_rank is not None else at, batch_id],
            )
        return [row["id"] for row in written]

    def set_judged(self, batch: Batch, outcome: Outcome) -> bool:
        """Publish what the work gave; False when the batch was cancelled meanwhile and it has to be done anew."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                "update batches set judged_at = ?, completed = ?, failed = ?, prompt_tokens = ?,"
                " completion_tokens = ?, output_file_id = ?, error_file_id = ?"
                " where id = ? and judged_at is null and stop_rank is ?",
                [
                    outcome.at,
                    outcome.completed,
                    outcome.failed,
                    outcome.prompt_tokens,
                    outcome.completion_tokens,
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
