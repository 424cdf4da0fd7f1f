"""The look itself: a few queries over the ledger, and one column of one stored table per batch."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import StaleTable
from cj_pipeline.jobs.costs import accounts
from cj_pipeline.jobs.job import GIVEN_UP, State
from cj_pipeline.jobs.ledger import seconds_between, within_json
from cj_pipeline.jobs.schema import account_holds, approvals, batches, calls, decisions, erasures, jobs, tallies, waves
from cj_pipeline.jobs.tallies import Kind
from cj_pipeline.judging import ErrorCode
from cj_pipeline.metrics.figures import UNRECORDED, BatchFigures, CallDurations, DecisionFigures, Figures, JobFigures
from cj_pipeline.store import Store, table_path
from cj_pipeline.tables import Provenance, provenance_of

SECONDS_APART = (
    0.1,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
)  # calls between two of these are added up by the database

_OF_A_JOB = (
    *("job_id", "batch_id", "revision", "wave", "attempt", "provider", "model", "transport", "state", "phase"),
    *("failure_code", "items", "unanswered", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
    *("cacheable_tokens", "spent_nano_usd", "reserved_nano_usd", "planned_at", "reserved_at", "submitted_at"),
    *("ended_at", "fetched_at", "reconciled_at"),
)
_SAME_WAVE = sa.and_(
    waves.c.batch_id == jobs.c.batch_id, waves.c.revision == jobs.c.revision, waves.c.wave == jobs.c.wave
)
_JOBS = sa.select(*(jobs.c[name] for name in _OF_A_JOB), waves.c.mode).select_from(jobs.join(waves, _SAME_WAVE))
_FAILURES = sa.select(tallies.c.job_id, tallies.c.name, tallies.c["items"]).where(tallies.c.kind == str(Kind.FAILURE))
_BY_MODEL = (jobs.c.provider, jobs.c.model)
_TALLIES = (
    sa.select(*_BY_MODEL, tallies.c.kind, tallies.c.name, sa.func.sum(tallies.c["items"]))
    .select_from(tallies.join(jobs))
    .where(tallies.c.kind != str(Kind.FAILURE))
    .group_by(*_BY_MODEL, tallies.c.kind, tallies.c.name)
)
_CALLS = (
    sa.select(*_BY_MODEL, calls.c.state, sa.func.count(), sa.func.sum(calls.c.times_asked))
    .select_from(calls.join(jobs))
    .group_by(*_BY_MODEL, calls.c.state)
)
_WAVES = sa.select(waves.c.batch_id, waves.c.revision, waves.c.mode, waves.c.decided_at).order_by(waves.c.wave)
_OPERATIONS = {
    "approve": sa.select(sa.func.count()).select_from(approvals),
    "hold": sa.select(sa.func.count()).select_from(account_holds),
    "lift_hold": sa.select(sa.func.count()).where(account_holds.c.lifted_at.is_not(None)),
    "erase": sa.select(sa.func.count()).where(erasures.c.what == "essay"),
}


def read_figures(deployment: Deployment) -> Figures:
    """Everything the families need. Asks no provider and changes nothing."""
    used = accounts(deployment.ledger, deployment.settings)
    with deployment.ledger.reading() as connection:
        found = _jobs(connection)
        decided = _decisions(connection)
        registered = connection.execute(sa.select(batches.c.batch_id, batches.c.revision, batches.c.version)).all()
        opened = connection.execute(_WAVES).all()
        tallied = [(p, m, kind, name, int(n)) for p, m, kind, name, n in connection.execute(_TALLIES)]
        called = [(p, m, state, int(n), int(left)) for p, m, state, n, left in connection.execute(_CALLS)]
        durations = _call_durations(connection)
        operations = {name: int(connection.execute(query).scalar_one()) for name, query in _OPERATIONS.items()}
        on_hold = _on_hold(connection)
    current = {row.batch_id: Provenance(row.revision, row.version) for row in registered}
    return Figures(
        now=datetime.now(UTC), settings=deployment.settings,
        jobs=found, batches=_batches(current, opened, found, decided), decisions=decided, tallies=tallied, calls=called,
        call_durations=durations, operations=operations, accounts_on_hold=on_hold, accounts=used,
        results=_results(deployment.store, current),
    )  # fmt: skip


def _jobs(connection: Connection) -> list[JobFigures]:
    booked: dict[str, dict[str, int]] = defaultdict(dict)
    for job_id, code, count in connection.execute(_FAILURES).all():
        booked[job_id][code] = count
    return [JobFigures(*(*row, _failures(row, booked.get(row.job_id, {})))) for row in connection.execute(_JOBS).all()]


def _failures(job: Row[tuple[object, ...]], booked: Mapping[str, int]) -> Mapping[str, int]:
    """By code; of a job without results its state says why, and one read before codes were counted says how many."""
    if job.state == State.REFUSED:
        return {str(ErrorCode.JOB_REFUSED): job._mapping["items"]}
    if job.state == State.CANCELLED:
        code = ErrorCode.UNCERTAIN if job.failure_code == GIVEN_UP else ErrorCode.CANCELLED
        return {str(code): job._mapping["items"]}
    unrecorded = (job.unanswered or 0) - sum(booked.values())
    return {**booked, UNRECORDED: unrecorded} if unrecorded > 0 else booked


def _decisions(connection: Connection) -> list[DecisionFigures]:
    def noted(*keys: str) -> sa.ColumnElement[Any]:
        return within_json(connection, decisions.c.processing_metadata, *keys)

    named = (decisions.c[name] for name in ("batch_id", "revision", "decision", "label", "decided_at"))
    query = sa.select(
        *named,
        noted("bt_quality_flags", "bt_se_inflated").as_boolean(),
        noted("bt_quality_flags", "comparison_coverage_sparse").as_boolean(),
        noted("last_score_change").as_float(),
    )
    return [DecisionFigures(*row) for row in connection.execute(query).all()]


def _batches(
    current: Mapping[str, Provenance],
    opened: Sequence[Row[tuple[str, str, str, str]]],
    found: Sequence[JobFigures],
    decided: Sequence[DecisionFigures],
) -> list[BatchFigures]:
    its_waves, its_jobs = defaultdict(list), defaultdict(list)
    for wave in opened:
        its_waves[wave.batch_id, wave.revision].append(wave)
    for job in found:
        its_jobs[job.batch_id, job.revision].append(job)
    ends = {(row.batch_id, row.revision): row for row in decided if row.label is not None}
    return [
        BatchFigures(
            batch_id=batch_id,
            revision=revision,
            current=current[batch_id].revision == revision,
            mode=rows[0].mode,
            waves=len(rows),
            opened_at=rows[0].decided_at,
            jobs=its_jobs[batch_id, revision],
            end=ends.get((batch_id, revision)),
        )
        for (batch_id, revision), rows in its_waves.items()
    ]


def _call_durations(connection: Connection) -> list[CallDurations]:
    seconds = seconds_between(connection, calls.c.asked_at, calls.c.ended_at)
    timed = (
        sa.select(*_BY_MODEL, seconds.label("seconds"))
        .select_from(calls.join(jobs))
        .where(calls.c.state == "answered")
        .subquery()
    )
    between = sa.case(
        *((timed.c.seconds <= bound, number) for number, bound in enumerate(SECONDS_APART)), else_=len(SECONDS_APART)
    )
    query = sa.select(timed.c.provider, timed.c.model, sa.func.count(), sa.func.sum(timed.c.seconds)).group_by(
        timed.c.provider, timed.c.model, between
    )
    return [CallDurations(p, m, int(n), float(total)) for p, m, n, total in connection.execute(query)]


def _on_hold(connection: Connection) -> Counter[str]:
    held = sa.select(account_holds.c.account).where(account_holds.c.lifted_at.is_(None)).distinct()
    return Counter(account.split("/")[0] for account in connection.execute(held).scalars())


def _results(store: Store, current: Mapping[str, Provenance]) -> Counter[str]:
    """What became of every batch whose grades were computed from what it is now."""
    counts: Counter[str] = Counter()
    for batch_id, provenance in current.items():
        try:
            fit = store.read_parquet(table_path("grade_fit", batch_id), columns=["withheld", "exact"])
            if provenance_of(fit) != provenance:
                continue
        except (FileNotFoundError, StaleTable):
            continue
        row = fit.to_pylist()[0]
        graded, could_be = row["withheld"] is None, row["exact"] is not None
        counts["graded" if graded else "withheld" if could_be else "scored"] += 1
    return counts
