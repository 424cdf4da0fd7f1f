"""Waves and the jobs that carry them, recorded before anything is sent. Planning twice changes nothing."""

from collections.abc import Iterable
from math import comb

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cj_pipeline.batch import Batch, audit_share_of, mode_of, seed_of
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline.jobs.chunks import MOST_CALLS, Chunk, ChunkLimits, chunked, comparisons_of
from cj_pipeline.jobs.job import State
from cj_pipeline.jobs.ledger import Ledger, grow_version, insert_new, utc_now
from cj_pipeline.jobs.recorded_waves import Wave, keep_wave, label_of, pairs_of_waves, waves_of
from cj_pipeline.jobs.schema import jobs, waves
from cj_pipeline.jobs.spending import Estimate, estimate, observed
from cj_pipeline.pairing.comparison_pairs import (
    PairBudget,
    iterative_pairs,
    pair_budget,
    plan_comparison_pairs,
    plan_top_up_pairs,
    top_up_budget,
)
from cj_pipeline.pairing.findings import Waves
from cj_pipeline.pairing.listed_pairs import listed_budget, plan_listed_pairs
from cj_pipeline.providers import Transport, job_price
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store, Written
from cj_pipeline.waves.budget import ComparisonBudget
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.next_wave import plan_first_wave
from cj_pipeline.waves.rules import StopRule, WaveRules

FIRST_WAVE = 1


def batch_mode(batch: Batch) -> LLMBatchingMode:
    """How the batch is asked."""
    return LLMBatchingMode(mode_of(batch.manifest))


def waves_stand(ledger: Ledger, batch: Batch) -> Waves:
    """Whether further waves may follow those that are recorded."""
    if not batch_mode(batch).iterative:
        return Waves.SINGLE
    revision = ledger.provenance(batch.batch_id).revision
    return Waves.ENDED if label_of(ledger, batch.batch_id, revision) else Waves.GO_ON


def rules_of(batch: Batch) -> WaveRules:
    """The thresholds of its decisions, as the manifest sets them."""
    stopping, checks = batch.manifest.stopping, batch.manifest.checks
    thresholds = stopping.model_dump(exclude={"rule"})
    return WaveRules(rule=StopRule(stopping.rule), min_success_rate=checks.min_success_rate, **thresholds)


def budget_of(batch: Batch) -> PairBudget:
    """How many pairs the batch's cap on comparisons buys, over all its waves. Raises `BatchError`.

    In the iterative modes what lies beyond n(n-1)/2 goes to resampling.
    """
    manifest, n_new = batch.manifest, sum(batch.is_new)
    shares, audit = sum(judge.share for judge in manifest.judges), audit_share_of(manifest)
    cap, n_essays = manifest.batch.max_comparisons, batch.essays.num_rows
    try:
        if batch.listed_pairs is not None:
            times = [pair.times for pair in batch.listed_pairs]
            return listed_budget(times, max_comparisons=cap, judge_shares=shares)
        if batch_mode(batch).iterative:
            pairs = iterative_pairs(n_essays, max_comparisons=cap, judge_shares=shares)
            return PairBudget(min(pairs, comb(n_essays, 2)), 0, repeated=max(0, pairs - comb(n_essays, 2)))
        if batch.earlier is None:
            return pair_budget(n_essays, max_comparisons=cap, judge_shares=shares, audit_share=audit)
        n_anchors = sum(batch.earlier.essays["is_anchor"].to_pylist())
        return top_up_budget(
            n_anchors, n_essays - n_new, n_new, max_comparisons=cap, judge_shares=shares, audit_share=audit
        )
    except ValueError as error:
        raise BatchError(f"{batch.folder / 'batch.toml'}: {error}. Raise it.") from None


def comparison_budget(batch: Batch) -> ComparisonBudget:
    """`budget_of` and whose word it is, as the record of a decision keeps it. Raises `BatchError`."""
    cap = batch.manifest.batch.max_comparisons
    return ComparisonBudget(budget_of(batch).pairs, "service_default" if cap is None else "runner_override")


def pairs_of(batch: Batch) -> pa.Table:
    """The first wave that the batch's content determines; in `provider_batch_api` the only one. Nothing is recorded."""
    seed = seed_of(batch.batch_id, batch.manifest)
    if batch.listed_pairs is not None:
        columns = [[getattr(pair, name) for pair in batch.listed_pairs] for name in ("essay_a", "essay_b", "times")]
        budget_of(batch)  # a list beyond the cap is refused
        return plan_listed_pairs(*columns)
    if batch_mode(batch).iterative:
        return plan_first_wave(batch.essays, budget_of(batch).pairs, seed)
    if batch.earlier is None:
        return plan_comparison_pairs(batch.essays, budget_of(batch), seed)
    return plan_top_up_pairs(batch.essays, np.array(batch.is_new), batch.earlier.pairs, budget_of(batch), seed)


def pairs_within_budget(batch: Batch) -> pa.Table:
    """As many pairs as the batch may ask in all, for an estimate before the first is bought.

    Which ones the later waves of an iterative mode will hold is not known yet; their number and their texts are.
    """
    if not batch_mode(batch).iterative:
        return pairs_of(batch)
    budget = budget_of(batch)
    seed = seed_of(batch.batch_id, batch.manifest)
    every = plan_comparison_pairs(batch.essays, PairBudget(budget.coverage, 0), seed)
    return every.take(pa.array(np.arange(budget.pairs) % every.num_rows))


def estimate_wave(ledger: Ledger, batch: Batch, pairs: pa.Table) -> dict[str, Estimate]:
    """What asking pairs would cost, by judge id, from what the models' earlier answers took. Raises `Unpriced`."""
    return {
        judge.id: estimate(
            comparisons_of(batch, pairs, judge),
            job_price(judge.provider, judge.model, transport_of(batch_mode(batch))),
            observed(ledger, judge.provider, judge.model),
        )
        for judge in batch.manifest.judges
    }


def open_wave(ledger: Ledger, store: Store, batch: Batch) -> pa.Table:
    """The pairs of all waves recorded for the batch's revision; the first one is planned and recorded here.

    A recorded wave is one immutable file; it is never planned again, not even by a later version of the plan. A
    further one comes from a decision only, never from here.
    """
    revision = ledger.provenance(batch.batch_id).revision
    recorded = waves_of(ledger, batch.batch_id, revision)
    if not recorded:
        mode = batch_mode(batch)
        why = "first wave" if mode.iterative else "single wave"
        row = keep_wave(
            store, batch.batch_id, revision, pairs_of(batch), wave=FIRST_WAVE, kind="coverage", mode=mode, why=why
        )
        with ledger.transaction() as connection:
            insert_new(connection, waves, row)
        recorded = waves_of(ledger, batch.batch_id, revision)
    return pairs_of_waves(store, recorded)


def plan_jobs(ledger: Ledger, store: Store, batch: Batch, pairs: pa.Table, settings: Settings) -> None:
    """Write the request files of every new wave's first attempt and record its jobs, all in one transaction or none.

    Once recorded, a wave is not planned again: a later version that words a request otherwise would else buy
    the same comparisons under new names. Raises `CjError` when `pairs` are those of fewer waves than are recorded.
    """
    revision = ledger.provenance(batch.batch_id).revision
    recorded = waves_of(ledger, batch.batch_id, revision)
    if not recorded:
        raise CjError(f"batch {batch.batch_id}: no wave is recorded. Materialise comparison_pairs first.")
    _refuse_other_account(ledger, batch, revision)
    for wave in recorded:
        if not wave.planned:
            of_wave = pairs.filter(pc.equal(pairs["wave"], wave.wave))
            if of_wave.num_rows != wave.pairs:
                raise CjError(
                    f"batch {batch.batch_id}: the stored comparison_pairs lack wave {wave.wave}. Materialise them."
                )
            _plan_wave(ledger, store, batch, revision, wave, of_wave, settings)


def _plan_wave(
    ledger: Ledger, store: Store, batch: Batch, revision: str, wave: Wave, pairs: pa.Table, settings: Settings
) -> None:
    rows = []
    slots = slots_of(settings, wave.mode)
    for judge in batch.manifest.judges:
        chunks = chunked(
            comparisons_of(batch, pairs, judge), judge, limits_of(settings, judge.provider, wave.mode),
            batch_id=batch.batch_id, revision=revision, wave=wave.wave, attempt=1,
        )  # fmt: skip
        rows += [job_row(store, batch.batch_id, revision, wave, chunk, slots=slots) for chunk in chunks]
    with ledger.transaction() as connection:
        marked = connection.execute(
            waves.update()
            .where(
                waves.c.batch_id == batch.batch_id,
                waves.c.revision == revision,
                waves.c.wave == wave.wave,
                waves.c.jobs_planned_at.is_(None),
            )
            .values(jobs_planned_at=utc_now())
        )
        if marked.rowcount == 1:
            connection.execute(jobs.insert(), rows)
            grow_version(connection, batch.batch_id)


def slots_of(settings: Settings, mode: LLMBatchingMode) -> int | None:
    """How many calls of a job may be on their way at once; None where a job is no calls."""
    if not mode.iterative:
        return None
    return settings.call_slots if mode is LLMBatchingMode.PER_REQUEST else settings.preferred_bundle_size


def limits_of(settings: Settings, provider: str, mode: LLMBatchingMode) -> ChunkLimits:
    """What one job may hold; in `serial_bundle` it is one bundle."""
    slots = slots_of(settings, mode)
    if slots is None:
        return ChunkLimits.of(settings, provider)
    return ChunkLimits.of_calls(settings, provider, slots if mode is LLMBatchingMode.SERIAL_BUNDLE else MOST_CALLS)


def transport_of(mode: LLMBatchingMode) -> Transport:
    """How the jobs of a mode travel."""
    return Transport.CALLS if mode.iterative else Transport.BATCH


def add_attempt(
    ledger: Ledger,
    store: Store,
    batch: Batch,
    wave: Wave,
    chunks: Iterable[Chunk],
    *,
    slots: int | None,
    not_before: str | None = None,
) -> None:
    """Record jobs that ask again what failed; a job that is recorded already stays as it is."""
    revision = ledger.provenance(batch.batch_id).revision
    rows = [
        job_row(store, batch.batch_id, revision, wave, chunk, slots=slots) | {"not_before": not_before}
        for chunk in chunks
    ]
    with ledger.transaction() as connection:
        if rows:
            insert_new(connection, jobs, rows)
            grow_version(connection, batch.batch_id)


def job_row(
    store: Store, batch_id: str, revision: str, wave: Wave, chunk: Chunk, *, slots: int | None
) -> dict[str, object]:
    """Write a chunk's request file and items list, and make its row for the ledger."""
    judge, folder = chunk.judge, f"jobs/{batch_id}/{chunk.job_id}"
    written: Written = store.write(f"{folder}/requests.jsonl", chunk.lines())
    store.write_parquet(f"{folder}/items.parquet", chunk.items())
    price = job_price(judge.provider, judge.model, transport_of(wave.mode))
    bound = estimate(chunk.comparisons, price)
    return {
        "job_id": chunk.job_id,
        "batch_id": batch_id,
        "revision": revision,
        "wave": wave.wave,
        "attempt": chunk.attempt,
        "judge_id": judge.id,
        "provider": judge.provider,
        "model": judge.model,
        "account": judge.account,
        "base_url": judge.base_url,
        "transport": str(transport_of(wave.mode)),
        "slots": slots,
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
