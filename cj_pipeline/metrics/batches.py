"""Families of comparative judgement: batches, comparisons, further attempts, decisions, scores."""

from collections.abc import Iterator

from cj_pipeline.judging import CONSEQUENCES, ErrorCode
from cj_pipeline.metrics.family import Amount, Family, Kind, Observation, Origin, reaching_days, zeros
from cj_pipeline.metrics.figures import UNRECORDED, BatchFigures, DecisionFigures, Figures, JobFigures
from cj_pipeline.metrics.moments import seconds

FAILED = "finalize_failure"
_UNREAD = (ErrorCode.UNREADABLE_RESULT, ErrorCode.CONFLICTING_RESULTS)


def _requests(figures: Figures) -> Iterator[Amount]:
    yield from zeros("batching_mode")
    yield from (((job.mode,), job.items) for job in figures.jobs if job.sent)


def _started(figures: Figures) -> Iterator[Amount]:
    yield from zeros("batching_mode")
    yield from (((batch.mode,), 1) for batch in figures.batches if any(job.sent for job in batch.jobs))


def _api_calls(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if job.by_batch and job.sent:
            yield (job.provider, job.model, "queued" if job.submitted_at else "error"), 1
    for provider, model, state, count, left in figures.calls:
        accepted = count if state in {"asked", "answered"} else 0
        if accepted:
            yield (provider, model, "queued"), accepted
        if left > accepted:
            yield (provider, model, "error"), left - accepted


def _comparisons(figures: Figures) -> Iterator[Amount]:
    yield from ((("completed",), 0), (("failed",), 0))
    for job in figures.jobs:
        if job.done:
            yield ("completed",), job.answered
            yield ("failed",), job.items - job.answered


def _handled(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if job.done:
            unread = sum(job.failures.get(code, 0) for code in _UNREAD)
            yield ("success",), job.items - unread
            yield ("error",), unread


def _until_read(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        if job.ended_at is not None and job.reconciled_at is not None:
            yield (), seconds(job.ended_at, job.reconciled_at), job.items


def _reading(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        if job.fetched_at is not None and job.reconciled_at is not None:
            yield (), seconds(job.fetched_at, job.reconciled_at), 1


def _failed(figures: Figures) -> Iterator[Amount]:
    yield from zeros("failure_reason")
    for job in figures.jobs:
        for code, count in job.failures.items():
            yield (code,), count


def _for_good(figures: Figures) -> Iterator[Amount]:
    yield (), 0
    for job in figures.jobs:
        for code, count in job.failures.items():
            if code == UNRECORDED or job.attempt > CONSEQUENCES[ErrorCode(code)].further_attempts:
                yield (), count


def _further_attempts(figures: Figures) -> Iterator[JobFigures]:
    return (job for job in figures.jobs if job.attempt > 1)


def _retried(figures: Figures) -> Iterator[Amount]:
    yield (), 0
    yield from (((), 1) for job in _further_attempts(figures) if job.sent)


def _retried_well(figures: Figures) -> Iterator[Amount]:
    yield (), 0
    yield from (((), job.answered) for job in _further_attempts(figures))


def _pool(figures: Figures) -> Iterator[Amount]:
    yield (), 0
    yield from (((), job.items) for job in _further_attempts(figures) if not job.done)


def _with_end(figures: Figures) -> Iterator[tuple[BatchFigures, DecisionFigures]]:
    return ((batch, batch.end) for batch in figures.batches if batch.end is not None)


def _processing(figures: Figures) -> Iterator[Observation]:
    for batch, end in _with_end(figures):
        sent = [job.submitted_at for job in batch.jobs if job.submitted_at is not None]
        if sent:
            yield (), seconds(min(sent), end.decided_at), 1


def _states(figures: Figures) -> Iterator[Amount]:
    for state in ("initializing", "waiting_callbacks", "scoring", "completed", "failed"):
        yield (state,), 0
    yield from (((_state(batch),), 1) for batch in figures.batches if batch.current)


def _state(batch: BatchFigures) -> str:
    if batch.end is not None:
        return "failed" if batch.end.decision == FAILED else "completed"
    if not any(job.sent for job in batch.jobs):
        return "initializing"
    return "scoring" if all(job.done for job in batch.jobs) else "waiting_callbacks"


def _recovered(figures: Figures, *, failed: bool) -> Iterator[Amount]:
    yield (), 0
    for batch, end in _with_end(figures):
        if any(job.given_up for job in batch.jobs) and (end.decision == FAILED) == failed:
            yield (), 1


def _decisions(figures: Figures) -> Iterator[Amount]:
    yield from zeros("decision")
    yield from (((decision.decision,), 1) for decision in figures.decisions)


def _inflated(figures: Figures) -> Iterator[Amount]:
    yield (), sum(bool(end.se_inflated) for _, end in _with_end(figures))


def _sparse(figures: Figures) -> Iterator[Amount]:
    yield (), sum(bool(end.sparse) for _, end in _with_end(figures))


def _changes(figures: Figures) -> Iterator[Observation]:
    for decision in figures.decisions:
        if decision.score_change is not None:
            yield (), decision.score_change, 1


_AT_THE_END = "Once per batch, when it ends."
_END = "`decisions` with a label"
_AGAIN = "Jobs with `attempt` above 1"

BATCHES = (
    Family(
        "cj_llm_requests_total", Kind.COUNTER, ("batching_mode",),
        "Comparisons sent to judges, further attempts included.",
        "`jobs.items` by `waves.mode`", _requests,
        difference="Counted when they left, not when they were planned: a plan that nobody approves asks nothing.",
    ),
    Family(
        "cj_llm_batches_started_total", Kind.COUNTER, ("batching_mode",),
        "Batches of which something was sent, once per revision.",
        "`jobs` by `waves.mode`", _started,
    ),
    Family(
        "cj_assessment_llm_api_calls_total", Kind.COUNTER, ("provider", "model", "status"),
        "Requests that create something at the provider, a job or an answer: `error` for those refused, turned away "
        "or in doubt.",
        "`jobs.state`; `calls.state` and `calls.times_asked`", _api_calls,
        difference="`provider` is the one that was asked, not the default one.",
    ),
    Family(
        "cj_comparisons_total", Kind.COUNTER, ("status",),
        "Comparisons that came back: `completed` with a verdict, `failed` without.",
        "`jobs.items`, `jobs.unanswered`", _comparisons,
        difference="A duplicate line of a result counts once. One that is asked again counts as failed, and later "
        "as what becomes of it.",
    ),
    Family(
        "cj_callbacks_processed_total", Kind.COUNTER, ("status",),
        "Results read: `error` for lines in no known form, or that contradict each other.",
        "`jobs.items`, `tallies` (failure)", _handled,
        difference="An answer that could not be read is an error, also where the reading went on.",
    ),
    Family(
        "cj_callback_latency_seconds", Kind.HISTOGRAM, (),
        "Seconds from the end of a comparison's job at the provider to the reading of its answer.",
        "`jobs.ended_at` to `jobs.reconciled_at`", _until_read, difference="Bounds reach seven days.",
        buckets=reaching_days(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
    ),
    Family(
        "cj_callback_processing_duration_seconds", Kind.HISTOGRAM, (),
        "Seconds from a job's results being in the store to their being read and booked.",
        "`jobs.fetched_at` to `jobs.reconciled_at`", _reading, difference="Per job.",
        buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60),
    ),
    Family(
        "cj_failed_comparisons_total", Kind.COUNTER, ("failure_reason",),
        "Comparisons without a verdict, by reason.",
        "`tallies` (failure); `jobs.state` of jobs without results", _failed, Origin.DECLARED,
        difference="Every attempt counts.",
    ),
    Family(
        "cj_retry_batches_submitted_total", Kind.COUNTER, (),
        "Jobs sent that ask again what had failed.", _AGAIN, _retried, Origin.DECLARED,
    ),
    Family(
        "cj_successful_retries_total", Kind.COUNTER, (),
        "Comparisons that had failed and got a verdict when asked again.", _AGAIN, _retried_well, Origin.DECLARED,
    ),
    Family(
        "cj_permanently_failed_comparisons_total", Kind.COUNTER, (),
        "Comparisons that failed and are not asked again by themselves.",
        "`tallies` (failure), `jobs.attempt`, the table of consequences", _for_good, Origin.DECLARED,
        difference="`cj jobs retry` asks one again all the same, and does not take it back here.",
    ),
    Family(
        "cj_failed_pool_size", Kind.GAUGE, (),
        "Comparisons planned or sent to be asked again, without an outcome yet.", _AGAIN, _pool, Origin.DECLARED,
        difference="No label: `batch_id` was one.",
    ),
    Family(
        "huleedu_cj_assessment_duration_seconds", Kind.HISTOGRAM, (),
        "Seconds from a batch's plan to its end.",
        f"`waves.decided_at` of the first wave to `decisions.decided_at`; {_END}",
        lambda figures: (((), seconds(batch.opened_at, end.decided_at), 1) for batch, end in _with_end(figures)),
        difference="The whole way, as the name says; there it ended with the first submission. Bounds to seven days.",
        buckets=reaching_days(10, 30, 60, 120, 300, 600, 1200),
    ),
    Family(
        "cj_batch_processing_duration_seconds", Kind.HISTOGRAM, (),
        "Seconds from the first accepted job of a batch to its end.",
        f"`jobs.submitted_at` to `decisions.decided_at`; {_END}", _processing, Origin.DECLARED,
        difference="Bounds reach seven days.", buckets=reaching_days(60, 120, 300, 600, 1200, 1800, 3600, 7200),
    ),
    Family(
        "huleedu_cj_comparisons_made", Kind.HISTOGRAM, (),
        "Comparisons with a verdict of a batch that ended.", f"`jobs.items`, `jobs.unanswered`; {_END}",
        lambda figures: (((), batch.answered, 1) for batch, _ in _with_end(figures)), Origin.DECLARED,
        buckets=(0, 10, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000),
    ),
    Family(
        "cj_batch_state", Kind.GAUGE, ("state",),
        "Batches by what they wait for: to be bought, for answers, to be scored, or nothing.",
        "`jobs.state` of the current revision, `decisions`", _states, Origin.DECLARED,
        difference="The values are the predecessor's states that occur.",
    ),
    Family(
        "cj_batch_progress_percentage", Kind.HISTOGRAM, (),
        "Share of its planned comparisons that had a verdict when a batch ended, in percent.",
        f"`jobs.items`, `jobs.unanswered`; {_END}",
        lambda figures: (
            ((), 100 * batch.answered / batch.planned, 1) for batch, _ in _with_end(figures) if batch.planned
        ),
        Origin.DECLARED, difference=_AT_THE_END, buckets=(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100),
    ),
    Family(
        "cj_iterations_per_batch", Kind.HISTOGRAM, (),
        "Waves of a batch that ended.", f"`waves`; {_END}",
        lambda figures: (((), batch.waves, 1) for batch, _ in _with_end(figures)), Origin.DECLARED,
        difference=_AT_THE_END, buckets=(1, 2, 3, 5, 10, 15, 20, 30, 50),
    ),
    Family(
        "cj_score_stability_changes", Kind.HISTOGRAM, (),
        "Largest change of a score between two waves, in logits.",
        "`decisions.processing_metadata`: last_score_change", _changes, Origin.DECLARED,
        buckets=(0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0),
    ),
    Family(
        "cj_workflow_decisions_total", Kind.COUNTER, ("decision",),
        "Decisions taken after waves.", "`decisions.decision`", _decisions,
        difference="A decision that asks for a resampling wave counts, too.",
    ),
    Family(
        "cj_bt_se_inflated_batches_total", Kind.COUNTER, (),
        "Batches that ended with a mean standard error above 0.4 logits or a largest one above 0.8.",
        "`decisions.processing_metadata`: bt_quality_flags", _inflated,
        difference=f"{_AT_THE_END} There it counted every wave.",
    ),
    Family(
        "cj_bt_sparse_coverage_batches_total", Kind.COUNTER, (),
        "Batches that ended with less than one comparison per essay on average.",
        "`decisions.processing_metadata`: bt_quality_flags",
        _sparse,
        difference=f"{_AT_THE_END} There it counted every wave.",
    ),
    Family(
        "cj_stuck_batches_recovered_total", Kind.COUNTER, (),
        "Batches that were scored although a job of theirs was given up.", f"`jobs.failure_code`; {_END}",
        lambda figures: _recovered(figures, failed=False),
        difference="Counted when the batch has ended.",
    ),
    Family(
        "cj_stuck_batches_failed_total", Kind.COUNTER, (),
        "Batches that failed with a job given up.", f"`jobs.failure_code`; {_END}",
        lambda figures: _recovered(figures, failed=True),
        difference="Recovered ones are not in it; there they were, by mistake.",
    ),
)  # fmt: skip
