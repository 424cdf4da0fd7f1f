"""From a batch's tables and jobs to the pictures that its assets show in the Dagster UI."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from cj_pipeline.jobs.job import Job
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.providers import usd
from cj_pipeline.report.pictures import (
    CostBar,
    JobSpan,
    Picture,
    ScoreBar,
    cost_picture,
    score_picture,
    seat_picture,
    timeline_picture,
)


def scores_drawn(essays: pa.Table, scores: pa.Table) -> Picture:
    """Every scored essay with its interval."""
    anchors = {row["essay_id"] for row in essays.select(["essay_id", "is_anchor"]).to_pylist() if row["is_anchor"]}
    columns = scores.select(["essay_id", "score", "standard_error"]).to_pylist()
    return score_picture(
        [
            ScoreBar(row["essay_id"], row["score"], row["standard_error"] or 0.0, row["essay_id"] in anchors)
            for row in columns
            if row["score"] is not None
        ]
    )


def seats_drawn(pairs: pa.Table) -> Picture:
    """How evenly the essays of a plan are shown first and second."""
    first, second = Counter(pairs["essay_a"].to_pylist()), Counter(pairs["essay_b"].to_pylist())
    essays = sorted({*first, *second})
    return seat_picture([first[essay] for essay in essays], [second[essay] for essay in essays])


def costs_drawn(jobs: Sequence[Job]) -> Picture:
    """Each judge's jobs: what they can cost at the most, and what is booked."""
    bound: dict[str, int] = defaultdict(int)
    booked: dict[str, int] = defaultdict(int)
    for job in jobs:
        bound[job.judge_id] += job.bound_nano_usd
        booked[job.judge_id] += job.spent_nano_usd or 0
    return cost_picture([CostBar(judge, usd(bound[judge]), usd(booked[judge])) for judge in bound])


def timeline_drawn(jobs: Sequence[Job], now: datetime) -> Picture:
    """When each job was planned, accepted and ended."""
    spans = [
        JobSpan(f"{job.judge_id} {job.job_id[:8]}", planned, ledger_time(job.submitted_at), ledger_time(job.ended_at))
        for job in jobs
        if (planned := ledger_time(job.planned_at)) is not None
    ]
    return timeline_picture(spans, now)
