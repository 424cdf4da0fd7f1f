"""A run in one summary, by the predecessor's schema, and its three recorded ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.eng5.profiles import ANCHOR_TRACE, GENERIC_TRACE, LOWER5_TRACE
from cj_pipeline.eng5.trace import RECORDED_TRACES, TraceEvent, recorded_trace, summarise

SCHEMA = {
    "scenario_id", "total_events", "success_count", "error_count", "winner_counts", "error_code_counts",
    "response_time_ms", "token_usage", "bt_se_summary", "bt_quality_flags",
}  # fmt: skip
events = st.lists(
    st.builds(
        TraceEvent,
        winner=st.sampled_from(["essay_a", "essay_b", None]),
        error_code=st.none(),
        input_tokens=st.integers(0, 10_000),
        output_tokens=st.integers(0, 1_000),
        response_ms=st.floats(0, 1e5),
    ),
    min_size=1,
)


def test_the_recorded_runs_have_the_predecessor_s_fields_and_say_where_they_come_from() -> None:
    content = json.loads(RECORDED_TRACES.read_text("utf-8"))
    assert "section 4.3" in content["source"]
    for trace in content["traces"]:
        assert trace.keys() == SCHEMA | {"origin"}
        assert trace["origin"]


@pytest.mark.parametrize(
    ("scenario", "counts", "means", "times"),
    [
        (GENERIC_TRACE, (4, 0), (5.0, 17.0, 22.0), (None, None, None)),
        (ANCHOR_TRACE, (35, 31), (1445.5, 53.5, 1499.0), (1609.9, 2231.0, 2323.3)),
        (LOWER5_TRACE, (4, 6), (1298.0, 35.0, 1333.0), (1588.0, 2142.0, 2149.0)),
    ],
)
def test_the_recorded_figures_are_those_of_the_page(
    scenario: str, counts: tuple[int, int], means: tuple[float, ...], times: tuple[float | None, ...]
) -> None:
    trace = recorded_trace(scenario)
    assert (trace.winner_counts["Essay A"], trace.winner_counts["Essay B"]) == counts
    assert trace.total_events == trace.success_count == sum(counts)
    assert tuple(spread.mean for spread in trace.token_usage.values()) == means
    measured = trace.response_time_ms
    assert (measured.mean_ms, measured.p95_ms, measured.p99_ms) == times


@given(events)
def test_a_summary_counts_everything_once(given_events: list[TraceEvent]) -> None:
    summary = summarise("any", given_events)
    assert summary.success_count + summary.error_count == summary.total_events == len(given_events)
    assert sum(summary.winner_counts.values()) == len(given_events)
    for spread in summary.token_usage.values():
        assert spread.min is not None
        assert spread.mean is not None
        assert spread.max is not None
        assert spread.min - 1e-9 <= spread.mean <= spread.max + 1e-9
    times = summary.response_time_ms
    assert times.min_ms is not None
    assert times.p95_ms is not None
    assert times.p99_ms is not None
    assert times.min_ms <= times.p95_ms <= times.p99_ms
