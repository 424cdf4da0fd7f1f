"""Asking again: a new attempt of the same pair, in a new job, when everything else of the wave has its end.

What fails is not drawn at random, so it is asked again only where that selects no answers.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.chunks import Chunk, ChunkLimits, Comparison, chunked
from cj_pipeline.jobs.job import DONE, Job, jobs_of
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.plan import FIRST_WAVE, add_attempt
from cj_pipeline.jobs.reconciliation import answered_items
from cj_pipeline.judging import Answer, ErrorCode
from cj_pipeline.providers.openai_wire import encode_body, read_request_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

LONGEST_PAUSE = timedelta(hours=1)


def plan_further_attempt(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> None:
    """Record jobs for what may be asked again of each judge's last attempt. Those wait for `buy`.

    What found the provider's queue full comes in jobs of half the size, after a pause that doubles each time.
    """
    jobs = jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision)
    for judge in batch.manifest.judges:
        asked = [job for job in jobs if job.judge_id == judge.id]
        attempt = max((job.attempt for job in asked), default=1)
        latest = [job for job in asked if job.attempt == attempt]
        again = [repeated for job in latest for repeated in comparisons_again(store, batch, job, _by_rule(job))]
        limits = ChunkLimits.of(settings, judge.provider)
        half = max(1, min(limits.requests, max((job.items for job in latest), default=1)) // 2)
        at_once = [comparison for comparison, code in again if code is not ErrorCode.ENQUEUED_LIMIT]
        later = [comparison for comparison, code in again if code is ErrorCode.ENQUEUED_LIMIT]
        add = partial(_add, ledger, store, batch, judge, attempt=attempt + 1)
        add(at_once, limits, not_before=None)
        add(later, replace(limits, requests=half), not_before=_after_pause(settings, attempt))


def retry_job(ledger: Ledger, store: Store, batch: Batch, settings: Settings, job: Job) -> int:
    """Ask again, on a person's word, whatever of a job has no verdict yet, for whatever reason; returns how many.

    Raises `CjError` while the job is not at its end or when nothing is left to ask.
    """
    if job.state not in DONE:
        raise CjError(f"job {job.job_id}: is {job.state}; only a job at its end can be asked again.")
    if job.revision != ledger.provenance(batch.batch_id).revision:
        raise CjError(f"job {job.job_id}: belongs to an earlier revision of {batch.batch_id}; nothing of it is needed.")
    jobs = [other for other in jobs_of(ledger, batch.batch_id, job.revision) if other.judge_id == job.judge_id]
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
    _add(ledger, store, batch, judge, again, ChunkLimits.of(settings, judge.provider), attempt=attempt, not_before=None)
    return len(again)


def _by_rule(job: Job) -> Callable[[Answer], bool]:
    return lambda answer: answer.may_be_asked_again(job.attempt)


def comparisons_again(
    store: Store, batch: Batch, job: Job, asked_again: Callable[[Answer], bool]
) -> Iterator[tuple[Comparison, ErrorCode | None]]:
    """The comparisons of a job whose answer calls for it, as they were put, and what came of them.

    One that was cut off gets twice the room.
    """
    again = {
        item["custom_id"]: (item, answer)
        for item, answer in answered_items(store, job, judge_of(batch, job))
        if asked_again(answer)
    }
    if not again:
        return
    for line in store.lines(job.request_path):
        custom_id, body = read_request_line(line)
        if custom_id in again:
            item, answer = again[custom_id]
            if answer.error_code is ErrorCode.TRUNCATED:
                body["max_completion_tokens"] *= 2
            asked = {name: item[name] for name in ("pair_id", "essay_a", "essay_b", "kind", "replicate", "fingerprint")}
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
    attempt: int,
    not_before: str | None,
) -> None:
    chunks: Iterator[Chunk] = chunked(
        iter(sorted(again, key=lambda comparison: (comparison.pair_id, comparison.replicate))), judge, limits,
        batch_id=batch.batch_id, revision=ledger.provenance(batch.batch_id).revision, wave=FIRST_WAVE, attempt=attempt,
    )  # fmt: skip
    add_attempt(ledger, store, batch, FIRST_WAVE, chunks, not_before=not_before)


def _after_pause(settings: Settings, attempt: int) -> str:
    pause = min(timedelta(seconds=settings.backoff_seconds) * 2 ** (attempt - 1), LONGEST_PAUSE)
    return (datetime.now(UTC) + pause).isoformat(timespec="microseconds")
