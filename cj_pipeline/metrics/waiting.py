"""Families of the way to the provider and back: what waits, for how long, in which jobs, and what expires."""

from collections.abc import Iterator

from cj_pipeline.jobs.job import UNBOUGHT
from cj_pipeline.judging import ErrorCode, Outcome
from cj_pipeline.metrics.family import Amount, Family, Kind, LabelValues, Observation, Origin, reaching_days
from cj_pipeline.metrics.figures import Figures, JobFigures
from cj_pipeline.metrics.moments import seconds

QUEUE_MODES = {"per_request": "per_request", "serial_bundle": "serial_bundle", "provider_batch_api": "batch_api"}
TERMINAL = ("completed", "failed", "expired", "cancelled")


def _depth(figures: Figures) -> Iterator[Amount]:
    for queue_type in ("total", "queued"):
        yield (queue_type,), 0
    for job in figures.jobs:
        if not job.done:
            yield ("total",), job.items
            if job.state in UNBOUGHT:
                yield ("queued",), job.items


def _wait(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        waited = seconds(job.reserved_at or job.planned_at, job.closed_at)
        for outcome, count in job.outcomes.items():
            yield (QUEUE_MODES[job.mode], outcome), waited, count


def _processing(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        if job.submitted_at is not None:
            took = seconds(job.submitted_at, job.closed_at)
            for outcome, count in job.outcomes.items():
                if outcome != Outcome.EXPIRED:
                    yield (job.provider, outcome), took, count


def _answers(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        for outcome, count in job.outcomes.items():
            if outcome != Outcome.EXPIRED:
                yield (QUEUE_MODES[job.mode], outcome), count


def _expired(job: JobFigures) -> int:
    return job.failures.get(ErrorCode.EXPIRED, 0)


def _expiry(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if _expired(job):
            yield (job.provider, QUEUE_MODES[job.mode], "ttl"), _expired(job)


def _expiry_age(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        if _expired(job):
            waited = seconds(job.reserved_at or job.planned_at, job.closed_at)
            yield (job.provider, QUEUE_MODES[job.mode]), waited, _expired(job)


def _model(job: JobFigures) -> LabelValues:
    return (job.provider, job.model)


def _bundles(figures: Figures) -> Iterator[JobFigures]:
    return (job for job in figures.jobs if job.mode == "serial_bundle" and job.done and job.sent)


def _batch_jobs(figures: Figures) -> Iterator[JobFigures]:
    return (job for job in figures.jobs if job.by_batch and job.sent)


def _ended_jobs(figures: Figures) -> Iterator[JobFigures]:
    return (job for job in _batch_jobs(figures) if job.status in TERMINAL)


def _jobs_by_status(figures: Figures) -> Iterator[Amount]:
    for job in _batch_jobs(figures):
        yield (*_model(job), "scheduled"), 1
    for job in _ended_jobs(figures):
        yield (*_model(job), job.status), 1


def _overflow(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        turned_away = job.failures.get(ErrorCode.ENQUEUED_LIMIT, 0)
        if turned_away:
            yield ("provider",), turned_away


_OUTCOMES = "`jobs.items`, `jobs.unanswered` and `tallies` of jobs at their end"
_ONE_TERMINAL = "An item asked again counts once per attempt, as there; none is ever lost or counted twice."

WAITING = (
    Family(
        "llm_provider_queue_depth", Kind.GAUGE, ("queue_type",),
        "Comparisons whose outcome is not known yet: all of them, and those that have not left.",
        "`jobs.items` by state", _depth,
        difference="A batch that waits for approval is in it: nothing else shows what is planned.",
    ),
    Family(
        "llm_provider_queue_wait_time_seconds", Kind.HISTOGRAM, ("queue_processing_mode", "result"),
        "Seconds from a comparison's reservation to its outcome.",
        f"`jobs.reserved_at` to `jobs.ended_at`; {_OUTCOMES}", _wait,
        difference="Bounds reach seven days. Counted from the reservation: waiting for a person is not waiting in a "
        f"queue. {_ONE_TERMINAL}",
        buckets=reaching_days(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
    ),
    Family(
        "llm_provider_queue_processing_time_seconds", Kind.HISTOGRAM, ("provider", "status"),
        "Seconds from the provider's acceptance of a comparison's job to its end; expired ones left out.",
        f"`jobs.submitted_at` to `jobs.ended_at`; {_OUTCOMES}", _processing,
        difference="Bounds reach seven days.",
        buckets=reaching_days(0.1, 0.5, 1, 2, 5, 10, 30, 60),
    ),
    Family(
        "llm_provider_comparison_callbacks_total", Kind.COUNTER, ("queue_processing_mode", "result"),
        "Answers read, by whether they hold a verdict; expired ones are in llm_provider_queue_expiry_total.",
        _OUTCOMES, _answers, difference=_ONE_TERMINAL,
    ),
    Family(
        "llm_provider_queue_expiry_total", Kind.COUNTER, ("provider", "queue_processing_mode", "expiry_reason"),
        "Comparisons that expired unanswered.",
        "`tallies` (failure, expired)", _expiry,
        difference="`cleanup` does not occur: nothing is swept away, every expired comparison has its row in "
        "`judgments`. The provider is always named.",
    ),
    Family(
        "llm_provider_queue_expiry_age_seconds", Kind.HISTOGRAM, ("provider", "queue_processing_mode"),
        "Seconds from the reservation of a comparison that expired to its expiry.",
        "`tallies` (failure, expired); `jobs.reserved_at` to `jobs.ended_at`", _expiry_age,
        difference="Bounds reach seven days; there they ended below the shortest possible age.",
        buckets=reaching_days(1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
    ),
    Family(
        "llm_provider_serial_bundle_calls_total", Kind.COUNTER, ("provider", "model"),
        "Bundles of synchronous calls that came to their end.",
        "`jobs` of waves in mode `serial_bundle`", lambda figures: ((_model(job), 1) for job in _bundles(figures)),
        difference="`model` is the model that was asked for, never `unknown`.",
    ),
    Family(
        "llm_provider_serial_bundle_items_per_call", Kind.HISTOGRAM, ("provider", "model"),
        "Comparisons in a bundle.",
        "`jobs.items` of waves in mode `serial_bundle`",
        lambda figures: ((_model(job), job.items, 1) for job in _bundles(figures)),
        buckets=(1, 2, 4, 8, 16, 32, 64),
    ),
    Family(
        "llm_provider_batch_api_jobs_total", Kind.COUNTER, ("provider", "model", "status"),
        "Batch jobs: `scheduled` counts each that was sent, the other values each that ended so.",
        "`jobs.state`, `jobs.phase`, `jobs.failure_code`", _jobs_by_status,
        difference="`expired` and `cancelled` are told apart from `failed`. A job with failed items is `completed`, as "
        "there. `model` is the model that was asked for, never `default`.",
    ),
    Family(
        "llm_provider_batch_api_items_per_job", Kind.HISTOGRAM, ("provider", "model"),
        "Comparisons in a batch job that was sent.",
        "`jobs.items`", lambda figures: ((_model(job), job.items, 1) for job in _batch_jobs(figures)),
        difference="Bounds reach the providers' limits.",
        buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 5000, 10_000, 50_000, 100_000),
    ),
    Family(
        "llm_provider_batch_api_job_duration_seconds", Kind.HISTOGRAM, ("provider", "model"),
        "Seconds from a batch job's acceptance by the provider to its end there.",
        "`jobs.submitted_at` to `jobs.ended_at`",
        lambda figures: (
            (_model(job), seconds(job.submitted_at, job.closed_at), 1)
            for job in _ended_jobs(figures)
            if job.submitted_at is not None
        ),
        difference="Bounds reach seven days; there they ended at five minutes. A refused job has no duration.",
        buckets=reaching_days(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
    ),
    Family(
        "llm_provider_queue_overflow_total", Kind.COUNTER, ("queue_type",),
        "Comparisons turned away because the account's limit of enqueued tokens was reached; they are asked again.",
        "`tallies` (failure, enqueued_limit)", _overflow, Origin.DECLARED,
    ),
)  # fmt: skip
