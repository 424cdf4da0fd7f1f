"""Collecting: look at the jobs, keep what came byte for byte, then read it, book its cost, and state every outcome.

What a provider sent is stored and hashed before anything is parsed, so a wrong parser never costs money twice.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.errors import CjError, ProviderUnreachable
from cj_pipeline.jobs.chunks import Chunk, Comparison, chunked
from cj_pipeline.jobs.job import Job, LostRace, State, advance, jobs_of
from cj_pipeline.jobs.ledger import Ledger, ledger_time, utc_now
from cj_pipeline.jobs.plan import FIRST_WAVE, add_attempt
from cj_pipeline.jobs.polling import created_by, poll
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.spending import settle
from cj_pipeline.judging import Answer, ErrorCode
from cj_pipeline.providers import BatchPrice, Phase, batch_price, provider_for, usd
from cj_pipeline.providers.openai_wire import ResultLine, encode_body, read_request_line, read_result_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store
from cj_pipeline.tables import conform

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2  # between looks at the local emulator

_JOB_FAILURES = {
    "token_limit_exceeded": ErrorCode.ENQUEUED_LIMIT,
    "insufficient_quota": ErrorCode.CREDIT_EXHAUSTED,
}

_NEVER_RUN = {
    ErrorCode.EXPIRED,
    ErrorCode.CANCELLED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.SERVER_ERROR,
    ErrorCode.FILTERED,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.CREDIT_EXHAUSTED,
    ErrorCode.ENQUEUED_LIMIT,
    ErrorCode.JOB_FAILED,
    ErrorCode.JOB_REFUSED,
}


def collect(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> pa.Table | Progress:
    """The table `judgments` when every comparison has its terminal outcome, else how far the purchase is.

    Looks at the provider's jobs, fetches and reconciles those that ended, and plans further attempts for what
    may be asked again; those wait for `buy`. Raises `ProviderUnreachable` when something could not be read, after
    everything that could be was kept: results do not stay at the provider for ever.
    """
    unread: list[CjError] = []
    try:
        poll(ledger, batch, settings)
    except CjError as error:
        unread.append(error)
    for job in jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision):
        try:
            if job.state is State.ENDED:
                job = fetch(ledger, store, batch, settings, job)
            if job.state is State.FETCHED:
                reconcile(ledger, store, batch, job)
        except LostRace:
            continue  # another process collects at the same time and was faster
        except CjError as error:
            unread.append(error)
    if unread:
        raise unread[0]
    if progress_of(ledger, batch.batch_id).complete:
        _plan_further_attempt(ledger, store, batch)
    progress = progress_of(ledger, batch.batch_id)
    return judgments_of(ledger, store, batch) if progress.complete else progress


def collect_patiently(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> pa.Table | Progress:
    """`collect`, looking again for a while when all judges are offline: their jobs take seconds, not hours."""
    deadline = time.monotonic() + (0 if batch.manifest.paid else settings.emulator_patience_seconds)
    while True:
        collected = collect(ledger, store, batch, settings)
        waiting = isinstance(collected, Progress) and collected.at_provider > 0 and not collected.planned
        if not waiting or time.monotonic() > deadline:
            return collected
        time.sleep(LOOK_AGAIN_SECONDS)


def fetch(ledger: Ledger, store: Store, batch: Batch, settings: Settings, job: Job) -> Job:
    """Store the result files of an ended job as they came, and say so in the ledger."""
    provider = provider_for(_judge(batch, job), settings)
    shown = provider.poll({str(job.provider_job_id)}, created_by(job)).get(str(job.provider_job_id))
    if shown is None:
        raise ProviderUnreachable(f"job {job.job_id}: the provider does not list it now. Nothing was changed.")
    columns: dict[str, Any] = {}
    for name, chunks in provider.fetch(shown):
        written = store.write(f"jobs/{job.batch_id}/{job.job_id}/{name}.jsonl", chunks)
        columns |= {f"{name}_path": written.path, f"{name}_sha256": written.sha256}
    return advance(ledger, job, State.FETCHED, fetched_at=utc_now(), **columns)


def reconcile(ledger: Ledger, store: Store, batch: Batch, job: Job) -> Job:
    """Compare what came with what was asked, and book the cost from the usage in the answers.

    An item that may have been run but came without usage counts with its share of the job's upper bound.
    """
    judge = _judge(batch, job)
    price = batch_price(job.provider, job.model)
    answers = answers_of(store, job, judge)
    costs = [_cost(answer, price) for answer in answers.values()]
    spent = sum(cost or 0 for cost in costs) - (-costs.count(None) * job.bound_nano_usd // job.items)
    unanswered = Counter(str(answer.error_code) for answer in answers.values() if answer.error_code is not None)
    if unanswered:
        log.warning("job %s of batch %s: %s", job.job_id, job.batch_id, dict(unanswered))
    with ledger.transaction() as connection:
        settle(connection, job, State.RECONCILED, spent, price.source, job.reason)
    return replace(job, state=State.RECONCILED, spent_nano_usd=spent)


def answers_of(store: Store, job: Job, judge: JudgeSection) -> dict[str, Answer]:
    """One answer for every item that was asked, by custom_id: the raw files held against our own list.

    An item without a line is missing, two lines that agree count once, two that disagree void each other, and
    a line for an item we never asked is left aside.
    """
    asked = store.read_parquet(job.items_path)["custom_id"].to_pylist()
    answers: dict[str, Answer] = {}
    earlier: dict[str, ResultLine] = {}
    conflicting: set[str] = set()
    strangers = 0
    for line in _result_lines(store, job):
        read = read_result_line(line, ties=judge.ties)
        if read is None:
            strangers += 1
            continue
        answers[read.custom_id] = read.answer
        before = earlier.setdefault(read.custom_id, read)
        if before is not read and before.content != read.content:
            conflicting.add(read.custom_id)
    strangers += len(answers.keys() - set(asked))
    if strangers:
        log.warning("job %s of batch %s: %d result lines belong to no item of it", job.job_id, job.batch_id, strangers)
    absent = Answer(error_code=_code_of_absence(job))
    return {
        item: replace(answers[item], verdict=None, error_code=ErrorCode.CONFLICTING_RESULTS)
        if item in conflicting
        else answers.get(item, absent)
        for item in asked
    }


def judgments_of(ledger: Ledger, store: Store, batch: Batch) -> pa.Table:
    """The table `judgments` from the stored raw files of all attempts: one terminal row per comparison."""
    rows: dict[tuple[int, str, int], dict[str, Any]] = {}
    costs: dict[tuple[int, str, int], list[int | None]] = defaultdict(list)
    for job in jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision):
        judge, price = _judge(batch, job), batch_price(job.provider, job.model)
        for item, answer in _answered_items(store, job, judge):
            key = (item["pair_id"], job.judge_id, item["replicate"])
            costs[key].append(_cost(answer, price))
            rows[key] = _row(job, item, answer)  # jobs come by attempt: the last one is terminal
    for key, row in rows.items():
        row["cost_usd"] = None if None in costs[key] else usd(sum(cost or 0 for cost in costs[key]))
    ordered = [rows[key] for key in sorted(rows)]
    columns = {name: [row[name] for row in ordered] for name in ordered[0]}
    return conform("judgments", pa.table(columns))


def _plan_further_attempt(ledger: Ledger, store: Store, batch: Batch) -> None:
    revision = ledger.provenance(batch.batch_id).revision
    jobs = jobs_of(ledger, batch.batch_id, revision)
    for judge in batch.manifest.judges:
        asked = [job for job in jobs if job.judge_id == judge.id]
        last = max((job.attempt for job in asked), default=1)
        again = [comparison for job in asked if job.attempt == last for comparison in _to_ask_again(store, job, judge)]
        chunks: Iterator[Chunk] = chunked(
            iter(sorted(again, key=lambda comparison: comparison.pair_id)), judge,
            batch_id=batch.batch_id, revision=revision, wave=FIRST_WAVE, attempt=last + 1,
        )  # fmt: skip
        add_attempt(ledger, store, batch, FIRST_WAVE, chunks)


def _to_ask_again(store: Store, job: Job, judge: JudgeSection) -> Iterator[Comparison]:
    again = {
        item["custom_id"]: (item, answer)
        for item, answer in _answered_items(store, job, judge)
        if answer.may_be_asked_again(job.attempt)
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
            yield Comparison(**asked, max_output_tokens=body["max_completion_tokens"], body=encode_body(body))


def _answered_items(store: Store, job: Job, judge: JudgeSection) -> Iterator[tuple[Mapping[str, Any], Answer]]:
    items = store.read_parquet(job.items_path).to_pylist()
    if job.state is State.REFUSED:
        return ((item, Answer(error_code=ErrorCode.JOB_REFUSED)) for item in items)
    answers = answers_of(store, job, judge)
    return ((item, answers[item["custom_id"]]) for item in items)


def _result_lines(store: Store, job: Job) -> Iterator[bytes]:
    for path in (job.output_path, job.error_path):
        if path is not None:
            yield from (line for line in store.lines(path) if line.strip())


def _code_of_absence(job: Job) -> ErrorCode:
    if job.phase == Phase.FAILED:
        return _JOB_FAILURES.get(job.failure_code or "", ErrorCode.JOB_FAILED)
    by_phase = {Phase.EXPIRED: ErrorCode.EXPIRED, Phase.CANCELLED: ErrorCode.CANCELLED}
    return by_phase.get(Phase(job.phase or Phase.COMPLETED), ErrorCode.MISSING_RESULT)


def _cost(answer: Answer, price: BatchPrice) -> int | None:
    if answer.usage is not None:
        return price.cost(answer.usage)
    # what was generated but came without usage, or never came, has a cost nobody can name
    return 0 if answer.error_code in _NEVER_RUN else None


def _row(job: Job, item: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    verdict, usage = answer.verdict, answer.usage
    return {
        "pair_id": item["pair_id"],
        "essay_a": item["essay_a"],
        "essay_b": item["essay_b"],
        "wave": job.wave,
        "kind": item["kind"],
        "judge_id": job.judge_id,
        "replicate": item["replicate"],
        "fingerprint": item["fingerprint"],
        "outcome": str(answer.outcome),
        "error_code": str(answer.error_code) if answer.error_code else None,
        "winner": str(verdict.winner) if verdict else None,
        "confidence": verdict.confidence if verdict else None,
        "justification": verdict.justification if verdict else None,
        "attempt": job.attempt,
        "provider": job.provider,
        "model_requested": job.model,
        "model_reported": answer.model_reported,
        "input_tokens": usage.input_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cost_usd": None,
        "job_id": job.job_id,
        "custom_id": item["custom_id"],
        "completed_at": ledger_time(job.ended_at or job.reconciled_at),
    }


def _judge(batch: Batch, job: Job) -> JudgeSection:
    return next(judge for judge in batch.manifest.judges if judge.id == job.judge_id)
