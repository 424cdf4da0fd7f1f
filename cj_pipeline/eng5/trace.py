"""A run in one summary, by the predecessor's schema, from our judgments; and the three runs it recorded."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

RECORDED_TRACES = Path(__file__).with_name("recorded_traces.json")
_WINNERS = {"essay_a": "Essay A", "essay_b": "Essay B", "tie": "Tie", None: "error"}
_NO_TIMES: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One answer: the winner by its seat (None: no verdict), its tokens, and how long it took, where that is known."""

    winner: str | None
    error_code: str | None
    input_tokens: int
    output_tokens: int
    response_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, mean and largest of a figure; None where it was not recorded."""

    min: float | None
    mean: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds; percentiles by linear interpolation at (n - 1) p / 100."""

    min_ms: float | None
    mean_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """The predecessor's `summary.json`, field for field. Answers without a verdict count in times and tokens too."""

    scenario_id: str
    total_events: int
    success_count: int
    error_count: int
    winner_counts: Mapping[str, int]
    error_code_counts: Mapping[str, int]
    response_time_ms: Times
    token_usage: Mapping[str, Spread]
    bt_se_summary: Mapping[str, float] | None = None
    bt_quality_flags: Mapping[str, bool] | None = None

    def share(self, winner: str) -> float:
        """Of the verdicts, those for `Essay A` or `Essay B`; 0 without a verdict."""
        return self.winner_counts.get(winner, 0) / self.success_count if self.success_count else 0.0


def events_of(judgments: pa.Table, response_ms: Mapping[str, float] = _NO_TIMES) -> list[TraceEvent]:
    """The rows of the table `judgments` as events; `response_ms` by custom_id, where calls were timed.

    Tokens that nobody reported count as none, as they did there.
    """
    names = ("winner", "error_code", "input_tokens", "output_tokens", "custom_id")
    return [
        TraceEvent(winner, code, read or 0, written or 0, response_ms.get(custom_id))
        for winner, code, read, written, custom_id in zip(*(judgments[name].to_pylist() for name in names), strict=True)
    ]


def summarise(scenario_id: str, events: Sequence[TraceEvent]) -> TraceSummary:
    """Counts, times and tokens of a run."""
    winners = Counter(_WINNERS[event.winner] for event in events)
    read = [event.input_tokens for event in events]
    written = [event.output_tokens for event in events]
    return TraceSummary(
        scenario_id=scenario_id,
        total_events=len(events),
        success_count=len(events) - winners["error"],
        error_count=winners["error"],
        winner_counts={"Essay A": 0, "Essay B": 0, "error": 0} | winners,
        error_code_counts=dict(Counter(event.error_code for event in events if event.error_code is not None)),
        response_time_ms=_times([event.response_ms for event in events if event.response_ms is not None]),
        token_usage={
            "prompt_tokens": _spread(read),
            "completion_tokens": _spread(written),
            "total_tokens": _spread([one + other for one, other in zip(read, written, strict=True)]),
        },
    )


@cache
def recorded_trace(scenario_id: str) -> TraceSummary:
    """A run the predecessor recorded. Raises `KeyError` for one it did not."""
    return {trace.scenario_id: trace for trace in _recorded()}[scenario_id]


def _recorded() -> Iterable[TraceSummary]:
    for trace in json.loads(RECORDED_TRACES.read_text("utf-8"))["traces"]:
        yield read_summary({name: value for name, value in trace.items() if name != "origin"})


def read_summary(content: Mapping[str, Any]) -> TraceSummary:
    """A summary as its JSON spells it."""
    return TraceSummary(
        **{
            **content,
            "response_time_ms": Times(**content["response_time_ms"]),
            "token_usage": {name: Spread(**spread) for name, spread in content["token_usage"].items()},
        }
    )


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread(None, None, None)
    return Spread(float(min(values)), float(np.mean(values)), float(max(values)))


def _times(values: Sequence[float]) -> Times:
    if not values:
        return Times(None, None, None, None)
    p95, p99 = np.percentile(values, [95, 99])
    return Times(float(min(values)), float(np.mean(values)), float(p95), float(p99))
