"""P1 to P7: what the predecessor asserted of its mock profiles, and what of it can be said to the unit.

Bands are the predecessor's: shares against the recorded run, means of tokens within half of the recorded mean (five
tokens at least), times from above only.
"""

from collections import Counter
from collections.abc import Callable, Mapping

import pyarrow as pa

from cj_pipeline.eng5.readings import Reading, equal, exactly, least, most, near, none_of, red
from cj_pipeline.eng5.run import ProfileRun, columns
from cj_pipeline.eng5.trace import TraceSummary, recorded_trace

FIRST, SECOND = "Essay A", "Essay B"
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")
LEAST_TOKEN_ALLOWANCE, RELATIVE_TOKEN_ALLOWANCE = 5.0, 0.5
MEAN_ABOVE_MS, P95_ABOVE_MS = 100.0, 200.0


def p1(run: ProfileRun) -> list[Reading]:
    """Generic: the first seat wins at least nine times of ten, tokens and times within the bands."""
    trace = run.trace
    return [*_answered(run), least("first_seat_share", trace.share(FIRST), 0.9), *_bands(run), *_by_rule(run)]


def p2(run: ProfileRun) -> list[Reading]:
    """Generic, repeated: every repetition asks the same and is won by the first seat; its means do not move."""
    traces = {name: run.trace_of(rows) for name, rows in run.repetitions.items()}
    means = {kind: [trace.token_usage[kind].mean or 0.0 for trace in traces.values()] for kind in TOKENS}
    asked = {name: set(columns(rows, "pair_id", "essay_a", "essay_b")) for name, rows in run.repetitions.items()}
    return [
        equal("repetitions", len(traces), run.profile.repetitions),
        *(equal(f"{name}_comparisons", trace.total_events, run.profile.pairs) for name, trace in traces.items()),
        *(equal(f"{name}_errors", trace.error_count, 0) for name, trace in traces.items()),
        *(equal(f"{name}_first_seat_share", trace.share(FIRST), 1.0) for name, trace in traces.items()),
        *(equal(f"{kind}_spread_of_means", max(values) - min(values), 0.0) for kind, values in means.items()),
        exactly("different_plans", len({frozenset(pairs) for pairs in asked.values()}), 1),
    ]


def p3(run: ProfileRun) -> list[Reading]:
    """By batch API: as many answers as requests, all with a verdict, each about what was sent."""
    asked = sum(job.items for job in run.jobs if job.attempt == 1)
    return [
        *_answered(run),
        exactly("requests", asked, run.profile.comparisons),
        none_of("custom_ids_twice", _repeated(run.judgments, "custom_id")),
    ]


def p4(run: ProfileRun) -> list[Reading]:
    """Twelve anchors, every pair once, against the recorded 66: shares within .20, completions more loosely."""
    recorded = recorded_trace(run.profile.trace)
    loose = {"completion_tokens": max(10.0, recorded.token_usage["completion_tokens"].mean or 0.0)}
    return [*_answered(run), *_shares(run.trace, recorded, 0.20), *_bands(run, loose), *_by_rule(run)]


def p5(run: ProfileRun) -> list[Reading]:
    """Five lowest anchors, every pair once in each repetition, against the recorded 10: shares within .30."""
    recorded = recorded_trace(run.profile.trace)
    return [*_answered(run), *_shares(run.trace, recorded, 0.30), *_bands(run), *_by_rule(run)]


def p6(run: ProfileRun) -> list[Reading]:
    """Five lowest anchors, repeated: every pair once in each repetition, with the same winner in all of them."""
    recorded = recorded_trace(run.profile.trace)
    traces = {name: run.trace_of(rows) for name, rows in run.repetitions.items()}
    winners: dict[frozenset[str], set[str | None]] = {}
    times: Counter[frozenset[str]] = Counter()
    for a, b, seat in columns(run.judgments, "essay_a", "essay_b", "winner"):
        times[frozenset((a, b))] += 1
        winners.setdefault(frozenset((a, b)), set()).add({"essay_a": a, "essay_b": b}.get(seat))
    repetitions, pairs = run.profile.repetitions, run.profile.possible_pairs
    return [
        *_answered(run),
        equal("repetitions", len(traces), repetitions),
        *(equal(f"{name}_pairs", _different(rows), pairs) for name, rows in run.repetitions.items()),
        *(equal(f"{name}_comparisons", trace.total_events, pairs) for name, trace in traces.items()),
        equal("pairs_not_asked_in_every_repetition", pairs - sum(n == repetitions for n in times.values()), 0),
        equal("pairs_whose_winner_changed", sum(len(names) > 1 for names in winners.values()), 0),
        least("second_seat_share_less_first", run.trace.share(SECOND) - run.trace.share(FIRST), 0.0),
        *_shares(run.trace, recorded, 0.20),
        *(
            near(f"{name}_first_seat_share", trace.share(FIRST), recorded.share(FIRST), 0.20)
            for name, trace in traces.items()
        ),
        *_bands(run),
    ]


def p7(run: ProfileRun) -> list[Reading]:
    """The suite of this profile: its judge is the one that answered, and its own checks hold."""
    reported = columns(run.judgments, "outcome", "model_requested", "model_reported")
    others = sum(
        asked != run.profile.judge or (outcome == "success" and answered != run.profile.judge)
        for outcome, asked, answered in reported
    )
    own = [name for name in run.profile.own_checks if name in PROFILE_PARITY]
    return [
        equal("answers_of_another_judge", others, 0),
        *(equal(f"{name}_figures_off", len(red(PROFILE_PARITY[name](run))), 0) for name in own),
    ]


PROFILE_PARITY: Mapping[str, Callable[[ProfileRun], list[Reading]]] = {
    "P1": p1, "P2": p2, "P3": p3, "P4": p4, "P5": p5, "P6": p6, "P7": p7,
}  # fmt: skip


def _answered(run: ProfileRun) -> list[Reading]:
    """What holds of every answer: it came, says what it must, and is about what was sent."""
    verdicts = columns(run.judgments, "outcome", "winner", "justification", "confidence")
    success = [row for row in verdicts if row[0] == "success"]
    incomplete = sum(winner is None or not reason or not 1 <= (sure or 0) <= 5 for _, winner, reason, sure in success)
    return [
        equal("comparisons", run.judgments.num_rows, run.profile.comparisons),
        equal("errors", run.judgments.num_rows - len(success), 0),
        equal("answers_incomplete", incomplete, 0),
        equal("answers_not_as_planned", run.not_as_planned(), 0),
    ]


def _shares(trace: TraceSummary, recorded: TraceSummary, allowance: float) -> list[Reading]:
    return [
        near("first_seat_share", trace.share(FIRST), recorded.share(FIRST), allowance),
        near("second_seat_share", trace.share(SECOND), recorded.share(SECOND), allowance),
    ]


def _bands(run: ProfileRun, loose: Mapping[str, float] | None = None) -> list[Reading]:
    """Means of tokens, and times where calls were timed and the recording has them."""
    trace, recorded = run.trace, recorded_trace(run.profile.trace)
    readings = []
    for kind in TOKENS:
        expected = recorded.token_usage[kind].mean or 0.0
        allowance = max(LEAST_TOKEN_ALLOWANCE, RELATIVE_TOKEN_ALLOWANCE * expected)
        readings.append(
            near(f"mean_{kind}", trace.token_usage[kind].mean or 0.0, expected, (loose or {}).get(kind, allowance))
        )
    found, limit = trace.response_time_ms, recorded.response_time_ms
    if found.mean_ms is not None and limit.mean_ms is not None:
        readings.append(most("mean_response_ms", found.mean_ms, limit.mean_ms + MEAN_ABOVE_MS))
    if found.p95_ms is not None and limit.p95_ms is not None:
        readings.append(most("p95_response_ms", found.p95_ms, limit.p95_ms + P95_ABOVE_MS))
    return readings


def _by_rule(run: ProfileRun) -> list[Reading]:
    winners, tokens = run.against_the_rule()
    return [none_of("winners_against_the_rule", winners), none_of("token_counts_against_the_rule", tokens)]


def _different(rows: pa.Table) -> int:
    return len({frozenset(pair) for pair in columns(rows, "essay_a", "essay_b")})


def _repeated(rows: pa.Table, name: str) -> int:
    values = rows[name].to_pylist()
    return len(values) - len(set(values))
