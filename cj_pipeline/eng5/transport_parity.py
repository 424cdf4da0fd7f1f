"""S1 to S7 and B1 to B7: what the predecessor read off its counters, here from the ledger and per batch.

There a counter had to have reached one, in any earlier run; here the same figures are those of this batch alone.
"""

from collections.abc import Callable, Iterable, Mapping

from cj_pipeline.eng5.readings import Reading, equal, exactly, least, most, none_of
from cj_pipeline.eng5.run import ProfileRun
from cj_pipeline.eng5.semantics_parity import MOST_IN_A_BUNDLE
from cj_pipeline.jobs.job import DONE, Job
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.providers import Transport

MOST_MEAN_WAIT_SECONDS = 120.0
MOST_IN_FLIGHT = 1_000
OUTCOMES = {"success", "failure", "expired"}


def s1(run: ProfileRun) -> list[Reading]:
    """Bundles were sent, in this mode and by calls."""
    return [
        least("bundles", len(_bundles(run)), 1),
        exactly("modes", ",".join(sorted(set(run.modes))), run.profile.mode),
        none_of("jobs_by_another_transport", len(run.jobs) - len(_bundles(run))),
    ]


def s2(run: ProfileRun) -> list[Reading]:
    """Every bundle has a size; together they hold what was planned."""
    return _sizes(_bundles(run), "bundles", run)


def s3(run: ProfileRun) -> list[Reading]:
    """No bundle is empty or larger than the cap."""
    sizes = [job.items for job in _bundles(run)]
    return [
        least("largest_bundle", max(sizes, default=0), 1),
        most("largest_bundle_within_the_cap", max(sizes, default=0), MOST_IN_A_BUNDLE),
        exactly("empty_bundles", sum(size < 1 for size in sizes), 0),
    ]


def s4(run: ProfileRun) -> list[Reading]:
    """Items waited from the plan to the answer, on average two minutes at most."""
    return _waits(_bundles(run), run)


def s5(run: ProfileRun) -> list[Reading]:
    """Only the three outcomes there are, and here only one of them."""
    return _outcomes(run)


def s6(run: ProfileRun) -> list[Reading]:
    """Answers came, one for each comparison."""
    return _answers(run)


def s7(run: ProfileRun) -> list[Reading]:
    """Nothing is left on its way."""
    waiting = sum(job.items for job in run.jobs if job.state not in DONE)
    return [most("in_flight", waiting, MOST_IN_FLIGHT), none_of("left_in_flight", waiting)]


def b1(run: ProfileRun) -> list[Reading]:
    """Jobs were scheduled, in this mode and as provider batch jobs."""
    jobs = _batch_jobs(run)
    return [
        least("jobs_scheduled", len(jobs), 1),
        exactly("modes", ",".join(sorted(set(run.modes))), run.profile.mode),
        none_of("jobs_by_another_transport", len(run.jobs) - len(jobs)),
    ]


def b2(run: ProfileRun) -> list[Reading]:
    """Jobs were completed: all that were scheduled."""
    jobs = _batch_jobs(run)
    completed = sum(job.status == "completed" for job in jobs)
    return [least("jobs_completed", completed, 1), exactly("jobs_not_completed", len(jobs) - completed, 0)]


def b3(run: ProfileRun) -> list[Reading]:
    """Every job has a size; together they hold what was planned."""
    return _sizes(_batch_jobs(run), "jobs", run)


def b4(run: ProfileRun) -> list[Reading]:
    """Every job has a duration."""
    jobs = _batch_jobs(run)
    timed = sum(job.submitted_at is not None and job.ended_at is not None for job in jobs)
    return [least("jobs_timed", timed, 1), exactly("jobs_not_timed", len(jobs) - timed, 0)]


def b5(run: ProfileRun) -> list[Reading]:
    """Items waited from the plan to the answer, with these offline judges on average two minutes at most."""
    return _waits(_batch_jobs(run), run)


def b6(run: ProfileRun) -> list[Reading]:
    """Only the three outcomes there are, and here only one of them."""
    return _outcomes(run)


def b7(run: ProfileRun) -> list[Reading]:
    """Answers came, one for each comparison."""
    return _answers(run)


TRANSPORT_PARITY: Mapping[str, Callable[[ProfileRun], list[Reading]]] = {
    "S1": s1, "S2": s2, "S3": s3, "S4": s4, "S5": s5, "S6": s6, "S7": s7,
    "B1": b1, "B2": b2, "B3": b3, "B4": b4, "B5": b5, "B6": b6, "B7": b7,
}  # fmt: skip


def _bundles(run: ProfileRun) -> list[Job]:
    return [job for job in run.jobs if job.transport is Transport.CALLS]


def _batch_jobs(run: ProfileRun) -> list[Job]:
    return [job for job in run.jobs if job.transport is Transport.BATCH]


def _sizes(jobs: Iterable[Job], what: str, run: ProfileRun) -> list[Reading]:
    sizes = [job.items for job in jobs if job.attempt == 1]
    return [
        least(f"{what}_with_a_size", len(sizes), 1),
        exactly("items", sum(sizes), run.pairs.num_rows * run.profile.repetitions),
    ]


def _waits(jobs: Iterable[Job], run: ProfileRun) -> list[Reading]:
    waits = [(wait, job.items) for job in jobs if (wait := _seconds(job)) is not None]
    items = sum(count for _, count in waits)
    mean = sum(wait * count for wait, count in waits) / items if items else 0.0
    return [
        least("items_that_waited", items, 1),
        least("mean_wait_seconds", mean, 0.0),
        most("mean_wait_seconds_at_most", mean, MOST_MEAN_WAIT_SECONDS),
        exactly("waits_beside_planned", items, run.profile.comparisons),
    ]


def _seconds(job: Job) -> float | None:
    """From the plan to the end; a provider tells its end in whole seconds, which may seem to come first."""
    planned, ended = ledger_time(job.planned_at), ledger_time(job.ended_at)
    return None if planned is None or ended is None else max(0.0, (ended - planned).total_seconds())


def _outcomes(run: ProfileRun) -> list[Reading]:
    found = set(run.judgments["outcome"].to_pylist())
    return [
        equal("outcomes_unheard_of", len(found - OUTCOMES), 0),
        least("kinds_of_outcome", len(found), 1),
        exactly("outcomes", ",".join(sorted(found)), "success"),
    ]


def _answers(run: ProfileRun) -> list[Reading]:
    keys = run.judgments["custom_id"].to_pylist()
    return [
        least("answers", len(keys), 1),
        exactly("answers_beside_planned", len(keys), run.profile.comparisons),
        none_of("answers_twice", len(keys) - len(set(keys))),
    ]
