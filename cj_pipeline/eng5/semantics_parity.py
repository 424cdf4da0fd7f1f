"""D1 to D4: what the predecessor asserted of whole batches in its test stack: counts, modes, seats."""

from collections import Counter
from collections.abc import Callable, Mapping

from cj_pipeline.eng5.readings import Reading, equal, exactly, least, most, none_of
from cj_pipeline.eng5.run import ProfileRun, columns
from cj_pipeline.jobs.job import Job

MOST_IN_A_BUNDLE = 64  # the predecessor's cap on requests in one serial bundle, and on `preferred_bundle_size`
MOST_SKEW = 0.2
MOST_REGULAR_PASSES = 1
# how a batch ends in the predecessor's state COMPLETED
COMPLETED = {"stable", "no_signal", "budget_exhausted", "coverage_exhausted", "single_wave_complete"}


def d1(run: ProfileRun) -> list[Reading]:
    """24 essays, 60 comparisons by provider batch API: one wave, every essay as often, provider jobs that end."""
    meetings = _meetings(run)
    provider = [job for job in run.jobs if job.provider == "emulator" and job.model == run.profile.judge]
    return [
        *_ended(run),
        equal("modes", ",".join(sorted(set(run.modes))), "provider_batch_api"),
        least("requests", sum(job.items for job in run.jobs), 1),
        least("waves_started", len(run.waves), 1),
        least("jobs_scheduled", len(provider), 1),
        least("jobs_completed", sum(job.status == "completed" for job in provider), 1),
        *_plan(run),
        exactly("fewest_meetings_of_an_essay", min(meetings.values(), default=0), _meetings_expected(run)),
        exactly("most_meetings_of_an_essay", max(meetings.values(), default=0), _meetings_expected(run)),
        exactly("won_by_the_first_seat", run.judgments["winner"].to_pylist().count("essay_a"), run.profile.comparisons),
    ]


def d2(run: ProfileRun) -> list[Reading]:
    """24 essays in bundles: what was submitted was answered, nothing else came, and no bundle is too large."""
    asked = sum(job.items for job in run.jobs if job.attempt == 1)
    return [
        *_ended(run),
        equal("essays", run.essays.num_rows, run.profile.essays),
        equal("answers_beside_submitted", run.judgments.num_rows, asked),
        least("answers", run.answered, 1),
        most("answers_within_the_budget", run.answered, run.profile.budget),
        equal("answers_not_as_planned", run.not_as_planned(), 0),
        *_bundles(run.jobs),
        *_plan(run),
    ]


def d3(run: ProfileRun) -> list[Reading]:
    """24 essays resampled: all pairs covered, one pass at most, seats evenly taken."""
    covered = {frozenset(pair) for pair in columns(run.judgments, "essay_a", "essay_b")}
    kinds = Counter(run.pairs["kind"].to_pylist())
    readings = [
        *_ended(run),
        equal("answers_beside_planned", run.judgments.num_rows, run.pairs.num_rows * run.profile.repetitions),
        most("comparisons", run.judgments.num_rows, run.profile.budget),
        most("resampling_passes", _passes(run), MOST_REGULAR_PASSES),
        equal("possible_pairs", run.essays.num_rows * (run.essays.num_rows - 1) // 2, run.profile.possible_pairs),
        most("largest_skew", largest_skew(run), MOST_SKEW),
        *_plan(run),
        exactly("pairs_covered", len(covered), run.profile.possible_pairs),
        exactly("pairs_of_coverage", kinds["coverage"], run.profile.pairs - run.profile.resampled),
        exactly("pairs_resampled", kinds["resampling"], run.profile.resampled),
    ]
    if run.profile.resampled == run.profile.possible_pairs:
        readings.append(none_of("largest_difference_of_seats", largest_seat_difference(run)))
    return readings


def d4(run: ProfileRun) -> list[Reading]:
    """A net of five: it ends, nothing fails, and three passes put every essay eight times into each seat."""
    meetings = _meetings(run)
    return [
        *_ended(run),
        equal("essays", run.essays.num_rows, run.profile.essays),
        least("bundles", len(run.jobs), 1),
        *_plan(run),
        exactly("resampling_passes", _passes(run), run.profile.resampled // run.profile.possible_pairs),
        exactly("fewest_meetings_of_an_essay", min(meetings.values(), default=0), _meetings_expected(run)),
        none_of("largest_difference_of_seats", largest_seat_difference(run)),
    ]


SEMANTICS_PARITY: Mapping[str, Callable[[ProfileRun], list[Reading]]] = {"D1": d1, "D2": d2, "D3": d3, "D4": d4}


def seats(run: ProfileRun) -> dict[str, tuple[int, int]]:
    """How often each essay was shown first and second, over all answers."""
    first, second = (Counter(run.judgments[name].to_pylist()) for name in ("essay_a", "essay_b"))
    return {essay: (first[essay], second[essay]) for essay in run.essays["essay_id"].to_pylist()}


def largest_skew(run: ProfileRun) -> float:
    """Of any essay: |times first - times second| / times in all."""
    return max((abs(a - b) / (a + b) for a, b in seats(run).values() if a + b), default=0.0)


def largest_seat_difference(run: ProfileRun) -> int:
    """Of any essay: |times first - times second|."""
    return max((abs(a - b) for a, b in seats(run).values()), default=0)


def _ended(run: ProfileRun) -> list[Reading]:
    return [
        equal("state", "completed" if run.label in COMPLETED else run.label, "completed"),
        equal("failed", run.judgments.num_rows - run.answered, 0),
    ]


def _plan(run: ProfileRun) -> list[Reading]:
    """What only a table can say: how many pairs in how many waves, and that each was answered by every judge."""
    return [
        exactly("pairs", run.pairs.num_rows, run.profile.pairs),
        exactly("waves", len(run.waves), run.profile.waves),
        exactly("waves_of_the_pairs", len(set(run.pairs["wave"].to_pylist())), run.profile.waves),
        exactly("answers_in_all", run.judgments.num_rows, run.profile.comparisons),
    ]


def _bundles(jobs: tuple[Job, ...]) -> list[Reading]:
    return [
        least("smallest_bundle", min((job.items for job in jobs), default=0), 1),
        most("largest_bundle", max((job.items for job in jobs), default=0), MOST_IN_A_BUNDLE),
    ]


def _meetings(run: ProfileRun) -> dict[str, int]:
    return {essay: a + b for essay, (a, b) in seats(run).items()}


def _meetings_expected(run: ProfileRun) -> int:
    return 2 * run.profile.comparisons // run.profile.essays


def _passes(run: ProfileRun) -> int:
    return len({wave for wave, kind in columns(run.pairs, "wave", "kind") if kind == "resampling"})
