"""Families of how things stand, for alerts: jobs in doubt or late, money, holds, results, what people did."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cj_pipeline.jobs.job import UNCERTAIN, State
from cj_pipeline.jobs.submission import LIST_LAG
from cj_pipeline.jobs.tallies import Kind as Tally
from cj_pipeline.metrics.family import Amount, Family, Kind, Origin
from cj_pipeline.metrics.figures import Figures, JobFigures
from cj_pipeline.providers import usd

WINDOW = timedelta(hours=24)  # in which a provider promises to end a job; the predecessor waited four hours


def _stuck(figures: Figures) -> Iterator[Amount]:
    yield (), len({job.batch_id for job in figures.jobs if _is_stuck(job, figures.now)})


def _is_stuck(job: JobFigures, now: datetime) -> bool:
    since = datetime.fromisoformat(job.submitted_at or job.reserved_at or job.planned_at)
    if job.state in UNCERTAIN:
        return now - since > LIST_LAG
    return job.state in {State.SUBMITTED, State.ENDED, State.FETCHED} and now - since > WINDOW


def _open(figures: Figures) -> Iterator[Amount]:
    return (((job.provider, job.state), 1) for job in figures.jobs if not job.done)


def _oldest(figures: Figures) -> Iterator[Amount]:
    oldest: dict[tuple[str, str], float] = {}
    for job in figures.jobs:
        if not job.done:
            key, since = (job.provider, job.state), datetime.fromisoformat(job.submitted_at or job.planned_at)
            oldest[key] = min(since.timestamp(), oldest.get(key, since.timestamp()))
    yield from oldest.items()


def _reserved(figures: Figures) -> Iterator[Amount]:
    return (((job.provider, job.model), usd(job.reserved_nano_usd)) for job in figures.jobs)


def _used(figures: Figures) -> Iterator[Amount]:
    for use in figures.accounts:
        provider, account = use.account.split("/", 1)
        yield (provider, account, "day"), use.today_usd
        yield (provider, account, "month"), use.month_usd


def _caps(figures: Figures) -> Iterator[Amount]:
    yield ("day",), figures.settings.account_max_usd_per_day
    yield ("month",), figures.settings.account_max_usd_per_month


STANDING = (
    Family(
        "cj_stuck_batches_detected", Kind.GAUGE, (),
        "Batches with a job in doubt for more than ten minutes, or out or unread for more than 24 hours.",
        "`jobs.state`, `reserved_at`, `submitted_at`", _stuck,
        difference="There four hours without any change; a provider may take 24 here.",
    ),
    Family(
        "cj_assessment_operations_total", Kind.COUNTER, ("operation", "status"),
        "What people did: approvals, holds of accounts and their lifting, essays erased.",
        "`approvals`, `account_holds`, `erasures`",
        lambda figures: (((name, "success"), count) for name, count in figures.operations.items()), Origin.DECLARED,
        difference="What was refused leaves no trace, so `status` is always `success`.",
    ),
    Family(
        "cj_pipeline_open_jobs", Kind.GAUGE, ("provider", "state"),
        "Jobs that are not at their end.", "`jobs.state`", _open, Origin.OWN,
    ),
    Family(
        "cj_pipeline_oldest_open_job_timestamp_seconds", Kind.GAUGE, ("provider", "state"),
        "When the oldest of them was accepted by the provider, or planned if it is not there yet (Unix time).",
        "`jobs.submitted_at`, `jobs.planned_at`", _oldest, Origin.OWN,
    ),
    Family(
        "cj_pipeline_reserved_dollars", Kind.GAUGE, ("provider", "model"),
        "USD set aside for jobs whose bill is not in yet.", "`jobs.reserved_nano_usd`", _reserved, Origin.OWN,
    ),
    Family(
        "cj_pipeline_account_used_dollars", Kind.GAUGE, ("provider", "account", "period"),
        "USD of an account that count against its cap: spent in the period, or reserved.",
        "`jobs.spent_nano_usd`, `jobs.reserved_nano_usd`", _used, Origin.OWN,
    ),
    Family(
        "cj_pipeline_account_cap_dollars", Kind.GAUGE, ("period",),
        "The cap of every account.", "CJ_ACCOUNT_MAX_USD_PER_DAY, CJ_ACCOUNT_MAX_USD_PER_MONTH", _caps, Origin.OWN,
    ),
    Family(
        "cj_pipeline_accounts_on_hold", Kind.GAUGE, ("provider",),
        "Accounts under which nothing is bought until a person lifts the hold.",
        "`account_holds`",
        lambda figures: (((provider,), count) for provider, count in figures.accounts_on_hold.items()), Origin.OWN,
    ),
    Family(
        "cj_pipeline_batches_ended_total", Kind.COUNTER, ("label",),
        "Batches that ended, by how.", "`decisions.label`",
        lambda figures: (((batch.end.label or "",), 1) for batch in figures.batches if batch.end), Origin.OWN,
    ),
    Family(
        "cj_pipeline_graded_batches", Kind.GAUGE, ("grades",),
        "Batches by their results: `graded`; `scored`, without grades to give; `withheld`, where a gate is red. "
        "Those whose results are not up to date are left out.",
        "columns withheld and exact of the stored tables `grade_fit`",
        lambda figures: (((grades,), count) for grades, count in figures.results.items()), Origin.OWN,
    ),
    Family(
        "cj_pipeline_winners_total", Kind.COUNTER, ("provider", "model", "winner"),
        "Verdicts by the seat that won, all attempts.", "`tallies` (winner)",
        lambda figures: (((p, m, name), count) for p, m, kind, name, count in figures.tallies if kind == Tally.WINNER),
        Origin.OWN,
    ),
)  # fmt: skip
