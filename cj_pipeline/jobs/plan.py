"""Waves and the jobs that carry them, recorded before anything is sent. Planning twice changes nothing."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from cj_pipeline.batch import Batch, audit_share_of, seed_of
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline.jobs.chunks import Chunk, ChunkLimits, chunked, comparisons_of
from cj_pipeline.jobs.job import State
from cj_pipeline.jobs.ledger import Ledger, grow_version, insert_new, utc_now
from cj_pipeline.jobs.schema import jobs, waves
from cj_pipeline.jobs.spending import Estimate, estimate, observed
from cj_pipeline.pairing.comparison_pairs import (
    PairBudget,
    pair_budget,
    plan_comparison_pairs,
    plan_top_up_pairs,
    top_up_budget,
)
from cj_pipeline.pairing.listed_pairs import listed_budget, plan_listed_pairs
from cj_pipeline.providers import batch_price
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store, Written

FIRST_WAVE = 1


def budget_of(batch: Batch) -> PairBudget:
    """How many pairs the batch's cap on comparisons buys. Raises `BatchError`."""
    manifest, n_new = batch.manifest, sum(batch.is_new)
    shares, audit = sum(judge.share for judge in manifest.judges), audit_share_of(manifest)
    cap, n_essays = manifest.batch.max_comparisons, batch.essays.num_rows
    try:
        if batch.listed_pairs is not None:
            times = [pair.times for pair in batch.listed_pairs]
            return listed_budget(times, max_comparisons=cap, judge_shares=shares)
        if batch.earlier is None:
            return pair_budget(n_essays, max_comparisons=cap, judge_shares=shares, audit_share=audit)
        n_anchors = sum(batch.earlier.essays["is_anchor"].to_pylist())
        return top_up_budget(
            n_anchors, n_essays - n_new, n_new, max_comparisons=cap, judge_shares=shares, audit_share=audit
        )
    except ValueError as error:
        raise BatchError(f"{batch.folder / 'batch.toml'}: {error}. Raise it.") from None


def pairs_of(batch: Batch) -> pa.Table:
    """The single wave that the batch's content determines. Nothing is recorded."""
    seed = seed_of(batch.batch_id, batch.manifest)
    if batch.listed_pairs is not None:
        columns = [[getattr(pair, name) for pair in batch.listed_pairs] for name in ("essay_a", "essay_b", "times")]
        budget_of(batch)  # a list beyond the cap is refused
        return plan_listed_pairs(*columns)
    if batch.earlier is None:
        return plan_comparison_pairs(batch.essays, budget_of(batch), seed)
    return plan_top_up_pairs(batch.essays, np.array(batch.is_new), batch.earlier.pairs, budget_of(batch), seed)


def estimate_wave(ledger: Ledger, batch: Batch, pairs: pa.Table) -> dict[str, Estimate]:
    """What asking a wave would cost, by judge id, from what the models' earlier answers took. Raises `Unpriced`."""
    return {
        judge.id: estimate(
            comparisons_of(batch, pairs, judge),
            batch_price(judge.provider, judge.model),
            observed(ledger, judge.provider, judge.model),
        )
        for judge in batch.manifest.judges
    }


def open_wave(ledger: Ledger, store: Store, batch: Batch) -> pa.Table:
    """The pairs of the batch's single wave: those recorded for its revision, else planned and recorded now.

    A recorded wave is one immutable file; it is never planned again, not even by a later version of the plan.
    """
    revision = ledger.provenance(batch.batch_id).revision
    recorded = _wave_row(ledger, batch.batch_id, revision)
    if recorded is not None:
        return store.read_parquet(recorded.pairs_path)
    pairs = pairs_of(batch)
    path = f"waves/{batch.batch_id}/{revision[:16]}/wave-{FIRST_WAVE}.parquet"
    store.write_parquet(path, pairs)
    row = {
        "batch_id": batch.batch_id,
        "revision": revision,
        "wave": FIRST_WAVE,
        "decision": "single wave",
        "pairs": pairs.num_rows,
        "pairs_path": path,
        "decided_at": utc_now(),
    }
    with ledger.transaction() as connection:
        insert_new(connection, waves, row)
    return pairs


def plan_jobs(ledger: Ledger, store: Store, batch: Batch, pairs: pa.Table, settings: Settings) -> None:
    """Write the request files of the wave's first attempt and record its jobs, all in one transaction or none.

    Once recorded, a wave is not planned again: a later version that words a request otherwise would else buy
    the same comparisons under new names.
    """
    current = ledger.provenance(batch.batch_id)
    recorded = _wave_row(ledger, batch.batch_id, current.revision)
    if recorded is None:
        raise CjError(f"batch {batch.batch_id}: no wave is recorded. Materialise comparison_pairs first.")
    if recorded.jobs_planned_at is not None:
        _refuse_other_account(ledger, batch, current.revision)
        return
    rows = []
    for judge in batch.manifest.judges:
        chunks = chunked(
            comparisons_of(batch, pairs, judge), judge, ChunkLimits.of(settings, judge.provider),
            batch_id=batch.batch_id, revision=current.revision, wave=FIRST_WAVE, attempt=1,
        )  # fmt: skip
        rows += [job_row(store, batch.batch_id, current.revision, FIRST_WAVE, chunk) for chunk in chunks]
    with ledger.transaction() as connection:
        marked = connection.execute(
            waves.update()
            .where(
                waves.c.batch_id == batch.batch_id,
                waves.c.revision == current.revision,
                waves.c.wave == FIRST_WAVE,
                waves.c.jobs_planned_at.is_(None),
            )
            .values(jobs_planned_at=utc_now())
        )
        if marked.rowcount == 1:
            connection.execute(jobs.insert(), rows)
            grow_version(connection, batch.batch_id)


def add_attempt(
    ledger: Ledger, store: Store, batch: Batch, wave: int, chunks: Iterable[Chunk], *, not_before: str | None = None
) -> None:
    """Record jobs that ask again what failed; a job that is recorded already stays as it is."""
    revision = ledger.provenance(batch.batch_id).revision
    rows = [job_row(store, batch.batch_id, revision, wave, chunk) | {"not_before": not_before} for chunk in chunks]
    with ledger.transaction() as connection:
        if rows:
            insert_new(connection, jobs, rows)
            grow_version(connection, batch.batch_id)


def job_row(store: Store, batch_id: str, revision: str, wave: int, chunk: Chunk) -> dict[str, object]:
    """Write a chunk's request file and items list, and make its row for the ledger."""
    judge, folder = chunk.judge, f"jobs/{batch_id}/{chunk.job_id}"
    written: Written = store.write(f"{folder}/requests.jsonl", chunk.lines())
    store.write_parquet(f"{folder}/items.parquet", chunk.items())
    price = batch_price(judge.provider, judge.model)
    bound = estimate(chunk.comparisons, price)
    return {
        "job_id": chunk.job_id,
        "batch_id": batch_id,
        "revision": revision,
        "wave": wave,
        "attempt": chunk.attempt,
        "judge_id": judge.id,
        "provider": judge.provider,
        "model": judge.model,
        "account": judge.account,
        "base_url": judge.base_url,
        "state": str(State.PLANNED),
        "items": len(chunk.comparisons),
        "request_path": written.path,
        "items_path": f"{folder}/items.parquet",
        "request_bytes": written.bytes,
        "request_sha256": written.sha256,
        "estimated_tokens": chunk.estimated_tokens,
        "cacheable_tokens": chunk.cacheable_tokens,
        "bound_nano_usd": bound.high,
        "reserved_nano_usd": 0,
        "price_source": price.source,
        "looks": 0,
        "planned_at": utc_now(),
    }


def _wave_row(ledger: Ledger, batch_id: str, revision: str) -> sa.Row[tuple[object, ...]] | None:
    query = sa.select(waves).where(
        waves.c.batch_id == batch_id, waves.c.revision == revision, waves.c.wave == FIRST_WAVE
    )
    with ledger.reading() as connection:
        return connection.execute(query).one_or_none()


def _refuse_other_account(ledger: Ledger, batch: Batch, revision: str) -> None:
    query = sa.select(jobs.c.judge_id, jobs.c.account).where(
        jobs.c.batch_id == batch.batch_id, jobs.c.revision == revision
    )
    with ledger.reading() as connection:
        recorded = {row.judge_id: row.account for row in connection.execute(query)}
    for judge in batch.manifest.judges:
        if recorded.get(judge.id, judge.account) != judge.account:
            raise BatchError(
                f"{batch.folder / 'batch.toml'}: judge {judge.id}: its jobs belong to the account "
                f"{recorded[judge.id]!r}, not {judge.account!r}. Set the account back."
            )
