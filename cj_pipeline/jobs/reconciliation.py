"""What came held against what was asked: one answer for every item, and the bill from the usage in the answers."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.jobs.fetching import result_lines
from cj_pipeline.jobs.holds import hold_account
from cj_pipeline.jobs.job import DONE, GIVEN_UP, RESULTS_GONE, Job, State, job_named
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.requests import bounds_of, request_lines
from cj_pipeline.jobs.spending import account_name, settle
from cj_pipeline.jobs.tallies import tally
from cj_pipeline.judging import Answer, ErrorCode, Usage
from cj_pipeline.providers import Phase, ResultLine, TokenPrice, Transport, job_price, result_reader
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

_JOB_FAILURES = {
    "token_limit_exceeded": ErrorCode.ENQUEUED_LIMIT,
    "insufficient_quota": ErrorCode.CREDIT_EXHAUSTED,
    "billing_hard_limit_reached": ErrorCode.CREDIT_EXHAUSTED,
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


def reconcile(ledger: Ledger, store: Store, batch: Batch, job: Job) -> Job:
    """Compare what came with what was asked, book the cost, and hold the account when its credit is at an end.

    An item that may have been run but came without usage counts with its share of the job's upper bound, a call with
    its own.
    """
    price = job_price(job.provider, job.model, job.transport)
    by_item = answers_of(store, job, judge_of(batch, job))
    answers = list(by_item.values())
    costs = {item: cost_of(answer, price) for item, answer in by_item.items()}
    spent = sum(cost or 0 for cost in costs.values())
    spent += _bound_of(store, job, [item for item, cost in costs.items() if cost is None], price)
    unanswered = Counter(str(answer.error_code) for answer in answers if answer.error_code is not None)
    if unanswered:
        log.warning("job %s of batch %s: %s", job.job_id, job.batch_id, dict(unanswered))
    with ledger.transaction() as connection:
        settle(
            connection, job, State.RECONCILED, spent, price, job.reason,
            unanswered=unanswered.total(), **_tokens(answer.usage for answer in answers),
        )  # fmt: skip
        tally(connection, job.job_id, answers)
        if ErrorCode.CREDIT_EXHAUSTED in unanswered:
            hold_account(connection, account_name(job), f"job {job.job_id}: the account has no credit left")
    return job_named(ledger, job.job_id)


def _bound_of(store: Store, job: Job, items: Sequence[str], price: TokenPrice) -> int:
    """The most that these items can have cost: what is booked where the bill is not known."""
    if job.transport is Transport.CALLS and items:
        bounds = bounds_of(request_lines(store, job), price)
        return sum(bounds[item] for item in items)
    return -(-len(items) * job.bound_nano_usd // job.items)


def answers_of(store: Store, job: Job, judge: JudgeSection) -> dict[str, Answer]:
    """One answer for every item that was asked, by custom_id: the raw files held against our own list.

    An item without a line is missing, two lines that agree count once, two that disagree void each other, and
    a line for an item we never asked is left aside.
    """
    items, answers = answered_items(store, job, judge)
    return dict(zip(items["custom_id"].to_pylist(), answers, strict=True))


def answered_items(store: Store, job: Job, judge: JudgeSection) -> tuple[pa.Table, list[Answer]]:
    """The items of a job that came to its end, in the order of the request file, and the answer to each."""
    items = store.read_parquet(job.items_path)
    asked = items["custom_id"].to_pylist()
    read_line = result_reader(job.provider, ties=judge.ties)
    found: dict[str, ResultLine] = {}
    conflicting: set[str] = set()
    strangers = 0
    for line in result_lines(store, job):
        read = read_line(line)
        if read is None:
            strangers += 1
            continue
        before = found.setdefault(read.custom_id, read)
        if before is not read and before.content != read.content:
            conflicting.add(read.custom_id)
            found[read.custom_id] = read
    strangers += len(found.keys() - set(asked))
    if strangers:
        log.warning("job %s of batch %s: %d result lines belong to no item of it", job.job_id, job.batch_id, strangers)
    absent = Answer(error_code=code_of_absence(job))
    answers = {item: read.answer for item, read in found.items()}
    for item in conflicting:
        void = answers[item]
        answers[item] = Answer(None, ErrorCode.CONFLICTING_RESULTS, void.model_reported, void.usage)
    return items, [answers.get(item, absent) for item in asked]


def outcome_counts(store: Store, batch: Batch, job: Job) -> dict[str, int]:
    """How a job's items ended, by error code or "verdict"; empty while it is not at its end."""
    if job.state not in DONE:
        return {}
    answers = answers_of(store, job, judge_of(batch, job)).values()
    return dict(Counter(str(answer.error_code or "verdict") for answer in answers))


def code_of_absence(job: Job) -> ErrorCode:
    """What it means that a job has no line for an item."""
    if job.state is State.REFUSED:
        return ErrorCode.JOB_REFUSED
    if job.failure_code in {GIVEN_UP, RESULTS_GONE}:
        return {GIVEN_UP: ErrorCode.UNCERTAIN, RESULTS_GONE: ErrorCode.RESULTS_GONE}[job.failure_code]
    if job.state is State.CANCELLED:
        return ErrorCode.CANCELLED
    if job.transport is Transport.CALLS:
        return ErrorCode.UNCERTAIN  # every other end of a call has a line
    if job.phase == Phase.FAILED:
        return _JOB_FAILURES.get(job.failure_code or "", ErrorCode.JOB_FAILED)
    by_phase = {Phase.EXPIRED: ErrorCode.EXPIRED, Phase.CANCELLED: ErrorCode.CANCELLED}
    return by_phase.get(Phase(job.phase or Phase.COMPLETED), ErrorCode.MISSING_RESULT)


def price_of(job: Job) -> TokenPrice:
    """The price a job was booked with; today's for one that has none in the ledger."""
    return TokenPrice.from_json(job.price) if job.price else job_price(job.provider, job.model, job.transport)


def cost_of(answer: Answer, price: TokenPrice) -> int | None:
    """Nano-USD of one answer; None where what was generated came without usage, or never came."""
    if answer.usage is not None:
        return price.cost(answer.usage)
    return 0 if answer.error_code in _NEVER_RUN else None


def _tokens(usages: Iterable[Usage | None]) -> dict[str, int]:
    known = [usage for usage in usages if usage is not None]
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")
    return {name: sum(getattr(usage, name) for usage in known) for name in names}
