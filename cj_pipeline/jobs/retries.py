"""Asking again: a new attempt of the same pair, in a new job, when everything else of the wave has its end.

What fails is not drawn at random, so it is asked again only where that selects no answers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import compress

import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.chunks import Chunk, ChunkLimits, Comparison, chunked
from cj_pipeline.jobs.job import DONE, Job, jobs_of
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.plan import add_attempt, limits_of, slots_of
from cj_pipeline.jobs.reconciliation import answered_items
from cj_pipeline.jobs.recorded_waves import Wave, waves_of
from cj_pipeline.judging import Answer, ErrorCode
from cj_pipeline.providers import Transport
from cj_pipeline.providers.openai_wire import encode_body, read_request_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store
from cj_pipeline.waves.failed_pool import FailedComparison, retry_round
from cj_pipeline.waves.rules import WaveRules

LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failed:
    """A comparison whose last attempt calls for another, as it was put, and what came of it."""

    wave: int
    attempt: int  # the one that failed
    judge: JudgeSection
    comparison: Comparison
    code: ErrorCode | None
    job_items: int  # in the job it was part of


def plan_further_attempt(
    ledger: Ledger, store: Store, batch: Batch, settings: Settings, rules: WaveRules, *, final: bool
) -> int:
    """Record jobs for what may be asked again of all attempts so far; they wait for `buy`. Returns how many.

    At the end of the batch (`final`), which in a single wave is the end of the wave, that is all of it. Before, a
    pool of failed comparisons is asked again once it is large. What found the provider's queue full comes in jobs
    of half the size, after a pause that doubles each time.
    """
    revision = ledger.provenance(batch.batch_id).revision
    waves = {wave.wave: wave for wave in waves_of(ledger, batch.batch_id, revision)}
    chosen = retry_round(_pool(ledger, store, batch), rules, end_of_batch=final).now
    for (wave, judge_id, attempt), group in _grouped(one.key for one in chosen).items():
        judge = next(judge for judge in batch.manifest.judges if judge.id == judge_id)
        limits = limits_of(settings, judge.provider, waves[wave].mode)
        slots = slots_of(settings, waves[wave].mode)
        half = max(1, min(limits.requests, max(one.job_items for one in group)) // 2)
        add = partial(_add, ledger, store, batch, judge, wave=waves[wave], attempt=attempt + 1, slots=slots)
        queue_was_full = [one.comparison for one in group if one.code is ErrorCode.ENQUEUED_LIMIT]
        add([one.comparison for one in group if one.code is not ErrorCode.ENQUEUED_LIMIT], limits, not_before=None)
        add(queue_was_full, replace(limits, requests=half), not_before=_after_pause(settings, attempt))
    return len(chosen)


def due_at_the_end(ledger: Ledger, store: Store, batch: Batch, rules: WaveRules) -> int:
    """How many comparisons the round at the end of the batch would ask again."""
    return len(retry_round(_pool(ledger, store, batch), rules, end_of_batch=True).now)


def _pool(ledger: Ledger, store: Store, batch: Batch) -> Iterator[FailedComparison[Failed]]:
    """Each with the number of times it was asked again; one that never reached the provider's queue was not."""
    for one in failed_comparisons(ledger, store, batch):
        yield FailedComparison(one, 0 if one.code is ErrorCode.ENQUEUED_LIMIT else one.attempt - 1)


def failed_comparisons(ledger: Ledger, store: Store, batch: Batch) -> list[Failed]:
    """What may be asked again by the rules, by wave, judge and pair: of each comparison its last attempt counts."""
    jobs = jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision)
    judges = {judge.id: judge for judge in batch.manifest.judges}
    failed: dict[tuple[int, str, int, int], Failed] = {}
    for job in sorted(jobs, key=lambda job: (job.attempt, job.job_id)):
        if job.judge_id not in judges:
            continue
        if job.attempt > 1:
            for item in store.read_parquet(job.items_path).select(["pair_id", "replicate"]).to_pylist():
                failed.pop((job.wave, job.judge_id, item["pair_id"], item["replicate"]), None)
        if job.unanswered == 0:
            continue
        for comparison, code in comparisons_again(store, batch, job, _by_rule(batch, job)):
            key = (job.wave, job.judge_id, comparison.pair_id, comparison.replicate)
            failed[key] = Failed(job.wave, job.attempt, judges[job.judge_id], comparison, code, job.items)
    return [failed[key] for key in sorted(failed)]


def _grouped(failed: Iterable[Failed]) -> dict[tuple[int, str, int], list[Failed]]:
    groups: dict[tuple[int, str, int], list[Failed]] = defaultdict(list)
    for one in failed:
        groups[one.wave, one.judge.id, one.attempt].append(one)
    return groups


def retry_job(ledger: Ledger, store: Store, batch: Batch, settings: Settings, job: Job) -> int:
    """Ask again, on a person's word, whatever of a job has no verdict yet, for whatever reason; returns how many.

    Raises `CjError` while the job is not at its end or when nothing is left to ask.
    """
    if job.state not in DONE:
        raise CjError(f"job {job.job_id}: is {job.state}; only a job at its end can be asked again.")
    if job.revision != ledger.provenance(batch.batch_id).revision:
        raise CjError(f"job {job.job_id}: belongs to an earlier revision of {batch.batch_id}; nothing of it is needed.")
    jobs = [
        other
        for other in jobs_of(ledger, batch.batch_id, job.revision)
        if (other.judge_id, other.wave) == (job.judge_id, job.wave)
    ]
    later = {
        (item["pair_id"], item["replicate"])
        for other in jobs
        if other.attempt > job.attempt
        for item in store.read_parquet(other.items_path).to_pylist()
    }
    again = [
        comparison
        for comparison, _ in comparisons_again(store, batch, job, lambda answer: answer.error_code is not None)
        if (comparison.pair_id, comparison.replicate) not in later
    ]
    if not again:
        raise CjError(f"job {job.job_id}: every comparison of it has a verdict or is asked again in a later job.")
    judge = judge_of(batch, job)
    attempt = max(other.attempt for other in jobs) + 1
    wave = next(wave for wave in waves_of(ledger, batch.batch_id, job.revision) if wave.wave == job.wave)
    limits, slots = limits_of(settings, judge.provider, wave.mode), slots_of(settings, wave.mode)
    _add(ledger, store, batch, judge, again, limits, wave=wave, attempt=attempt, slots=slots, not_before=None)
    return len(again)


def _by_rule(batch: Batch, job: Job) -> Callable[[Answer], bool]:
    """A call in doubt may have been billed, so it is asked again only where the manifest says so."""
    holds_doubt = job.transport is Transport.CALLS and batch.manifest.spending.on_unknown == "hold"

    def asked_again(answer: Answer) -> bool:
        return answer.may_be_asked_again(job.attempt) and not (holds_doubt and answer.error_code is ErrorCode.UNCERTAIN)

    return asked_again


def comparisons_again(
    store: Store, batch: Batch, job: Job, asked_again: Callable[[Answer], bool]
) -> Iterator[tuple[Comparison, ErrorCode | None]]:
    """The comparisons of a job whose answer calls for it, as they were put, and what came of them.

    One that was cut off gets twice the room.
    """
    items, answers = answered_items(store, job, judge_of(batch, job))
    chosen = [asked_again(answer) for answer in answers]
    rows = items.filter(pa.array(chosen, pa.bool_())).to_pylist()
    again = {row["custom_id"]: (row, answer) for row, answer in zip(rows, compress(answers, chosen), strict=True)}
    if not again:
        return
    for line in store.lines(job.request_path):
        custom_id, body = read_request_line(line)
        if custom_id in again:
            row, answer = again[custom_id]
            if answer.error_code is ErrorCode.TRUNCATED:
                body["max_completion_tokens"] *= 2
            asked = {name: row[name] for name in ("pair_id", "essay_a", "essay_b", "kind", "replicate", "fingerprint")}
            limit = body["max_completion_tokens"]
            yield Comparison(**asked, max_output_tokens=limit, body=encode_body(body)), answer.error_code


def _add(
    ledger: Ledger,
    store: Store,
    batch: Batch,
    judge: JudgeSection,
    again: list[Comparison],
    limits: ChunkLimits,
    *,
    wave: Wave,
    attempt: int,
    slots: int | None,
    not_before: str | None,
) -> None:
    chunks: Iterator[Chunk] = chunked(
        iter(sorted(again, key=lambda comparison: (comparison.pair_id, comparison.replicate))), judge, limits,
        batch_id=batch.batch_id, revision=ledger.provenance(batch.batch_id).revision, wave=wave.wave, attempt=attempt,
    )  # fmt: skip
    add_attempt(ledger, store, batch, wave, chunks, slots=slots, not_before=not_before)


def _after_pause(settings: Settings, attempt: int) -> str:
    pause = min(timedelta(seconds=settings.backoff_seconds) * 2 ** (attempt - 1), LONGEST_PAUSE)
    return (datetime.now(UTC) + pause).isoformat(timespec="microseconds")
