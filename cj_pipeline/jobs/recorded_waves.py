"""The waves of a batch as the ledger has them, and what was decided after each: rows that are written once.

A decision and the wave it asks for are one transaction, so there is never one without the other, nor two.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.jobs.ledger import Ledger, grow_version, insert_new, utc_now
from cj_pipeline.jobs.schema import batches, decisions, waves
from cj_pipeline.store import Store
from cj_pipeline.tables import conform
from cj_pipeline.waves.mode import LLMBatchingMode


@dataclass(frozen=True, slots=True)
class Wave:
    """One set of pairs bought together. `planned`: its first jobs are recorded."""

    wave: int
    kind: Literal["coverage", "resampling"]
    mode: LLMBatchingMode
    pairs: int
    pairs_path: str
    decision: str  # why it exists
    planned: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided after a wave; a `label` says that and how the batch ended."""

    wave: int
    decision: str
    label: str | None
    reason: str
    processing_metadata: Mapping[str, Any]


def waves_of(ledger: Ledger, batch_id: str, revision: str) -> list[Wave]:
    """The recorded waves of a revision, the first one first."""
    query = sa.select(waves).where(waves.c.batch_id == batch_id, waves.c.revision == revision).order_by(waves.c.wave)
    with ledger.reading() as connection:
        return [
            Wave(
                row.wave, row.kind, LLMBatchingMode(row.mode), row.pairs, row.pairs_path, row.decision,
                row.jobs_planned_at is not None,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def recorded_mode_of(ledger: Ledger, batch_id: str) -> LLMBatchingMode | None:
    """The mode that the batch's current revision was planned in; None before it was."""
    current = sa.and_(waves.c.batch_id == batches.c.batch_id, waves.c.revision == batches.c.revision)
    query = sa.select(waves.c.mode).select_from(waves.join(batches, current)).where(waves.c.batch_id == batch_id)
    with ledger.reading() as connection:
        mode = connection.execute(query.limit(1)).scalar()
    return None if mode is None else LLMBatchingMode(mode)


def pairs_of_waves(store: Store, recorded: Sequence[Wave]) -> pa.Table:
    """The pairs of recorded waves in one table; (rows of all waves)."""
    tables = [_conformed(store.read_parquet(wave.pairs_path)) for wave in recorded]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def wave_path(batch_id: str, revision: str, wave: int) -> str:
    """Where the pairs of a wave lie in the store."""
    return f"waves/{batch_id}/{revision[:16]}/wave-{wave}.parquet"


def keep_wave(
    store: Store, batch_id: str, revision: str, pairs: pa.Table, *, wave: int, kind: str, mode: str, why: str
) -> dict[str, object]:
    """Write the pairs of a wave and make its row for the ledger."""
    path = wave_path(batch_id, revision, wave)
    store.write_parquet(path, pairs)
    return {
        "batch_id": batch_id,
        "revision": revision,
        "wave": wave,
        "kind": kind,
        "mode": mode,
        "decision": why,
        "pairs": pairs.num_rows,
        "pairs_path": path,
        "decided_at": utc_now(),
    }


def decisions_of(ledger: Ledger, batch_id: str, revision: str) -> list[Decision]:
    """What was decided after the waves of a revision, in their order."""
    query = (
        sa.select(decisions)
        .where(decisions.c.batch_id == batch_id, decisions.c.revision == revision)
        .order_by(decisions.c.wave)
    )
    with ledger.reading() as connection:
        return [
            Decision(row.wave, row.decision, row.label, row.reason, json.loads(row.processing_metadata))
            for row in connection.execute(query)
        ]


def label_of(ledger: Ledger, batch_id: str, revision: str) -> str | None:
    """How a revision ended; None while it goes on, or nothing was decided yet."""
    decided = decisions_of(ledger, batch_id, revision)
    return decided[-1].label if decided else None


def record_decision(
    ledger: Ledger, batch_id: str, revision: str, decided: Decision, next_wave: Mapping[str, object] | None
) -> bool:
    """Write a decision, and with it the row of the wave it asks for; False when another process wrote it first."""
    row = {
        "batch_id": batch_id,
        "revision": revision,
        "wave": decided.wave,
        "decision": decided.decision,
        "label": decided.label,
        "reason": decided.reason,
        "processing_metadata": json.dumps(decided.processing_metadata, sort_keys=True),
        "decided_at": utc_now(),
    }
    with ledger.transaction() as connection:
        if not insert_new(connection, decisions, row):
            return False
        if next_wave is not None:
            _add_wave(connection, next_wave)
    return True


def _add_wave(connection: Connection, row: Mapping[str, object]) -> None:
    connection.execute(waves.insert(), dict(row))
    grow_version(connection, str(row["batch_id"]))


def _conformed(pairs: pa.Table) -> pa.Table:
    """A wave that an earlier version recorded says nothing about how it was drawn: it was at random."""
    if "at_random" not in pairs.column_names:
        pairs = pairs.append_column("at_random", pa.array([True] * pairs.num_rows))
    return conform("comparison_pairs", pairs)
