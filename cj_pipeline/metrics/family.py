"""What a metric family is: a row of a table, with the function that reads its numbers from the figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cj_pipeline.judging import ErrorCode
from cj_pipeline.metrics.figures import UNRECORDED, Figures

LabelValues = tuple[str, ...]
Amount = tuple[LabelValues, float]
Observation = tuple[LabelValues, float, int]  # labels, value, how many times it was observed


class Kind(StrEnum):
    """Types of the Prometheus text format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Origin(StrEnum):
    """How the predecessor had the family."""

    LIVING = "living"  # counted there
    DECLARED = "declared"  # registered there, never counted
    OWN = "own"  # ours alone


@dataclass(frozen=True, slots=True)
class Family:
    """A family: `help` says what a number of it means, `source` where it comes from.

    `difference` says what is otherwise than at the predecessor, and why. A counter or gauge reads amounts, which are
    added up by labels; a histogram reads observations.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    source: str
    read: Callable[[Figures], Iterable[Amount]] | Callable[[Figures], Iterable[Observation]]
    origin: Origin = Origin.LIVING
    difference: str = ""
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """A label's meaning and its closed set of values; None where a person's configuration closes it."""

    meaning: str
    values: tuple[str, ...] | None


PROVIDERS = ("openai", "anthropic", "vllm", "emulator")
_MODES = ("per_request", "serial_bundle", "provider_batch_api")
_FAILURES = (*(str(code) for code in ErrorCode), UNRECORDED)

LABELS: Mapping[str, Label] = {
    "provider": Label("the judge's provider", PROVIDERS),
    "model": Label("the model that was asked for, as `[[judges]]` names it", None),
    "account": Label("the account's name, as `[[judges]]` names it", None),
    "batching_mode": Label("how the batch's comparisons are bought", _MODES),
    "queue_processing_mode": Label(
        "the same, in the words of the provider side", ("per_request", "serial_bundle", "batch_api")
    ),
    "result": Label(
        "how a comparison ended, or what the cache did", ("success", "failure", "expired", "hit", "miss", "bypass")
    ),
    "status": Label(
        "how it ended",
        ("success", "failure", "scheduled", "completed", "failed", "expired", "cancelled", "queued", "error"),
    ),
    "queue_type": Label("which queue", ("total", "queued", "provider")),
    "expiry_reason": Label("`ttl`: the provider's window, or that of a call, closed", ("ttl",)),
    "request_type": Label("what was asked", ("comparison",)),
    "error_type": Label("why there is no verdict", _FAILURES),
    "failure_reason": Label("why there is no verdict", _FAILURES),
    "token_type": Label("`input` includes `cached` and `cache_write`", ("input", "cached", "cache_write", "output")),
    "lifecycle_stage": Label(
        "`planned` until reserved, `reserved` until accepted, `submitted` until ended, `ended` until fetched, "
        "`fetched` until reconciled",
        ("planned", "reserved", "submitted", "ended", "fetched"),
    ),
    "target": Label("the message a block belongs to", ("system", "user")),
    "cacheable": Label("the provider is asked to keep what ends with it", ("true", "false")),
    "ttl": Label("for how long", ("none", "1h")),
    "section": Label("`static`: shared with the request before; `dynamic`: the rest", ("static", "dynamic")),
    "direction": Label("from the provider's cache, or into it", ("read", "write")),
    "scope": Label("what shares a prompt: always the assignment of a batch", ("assignment",)),
    "decision": Label(
        "what was decided after a wave", ("finalize_scoring", "finalize_failure", "request_more_comparisons")
    ),
    "operation": Label("what a person did", ("approve", "hold", "lift_hold", "erase")),
    "state": Label(
        "of a batch, or of a job in the ledger",
        (
            *("initializing", "waiting_callbacks", "scoring", "completed", "failed"),
            *("planned", "uploaded", "submitting", "submitted", "ended", "fetched", "unknown"),
        ),
    ),
    "label": Label(
        "how a batch ended",
        (
            *("stable", "no_signal", "budget_exhausted", "coverage_exhausted", "single_wave_complete", "partial"),
            *("failed_low_success", "insufficient_essays"),
        ),
    ),
    "winner": Label("the seat that won", ("essay_a", "essay_b", "tie")),
    "period": Label("the cap's period, UTC", ("day", "month")),
    "grades": Label("what became of a scored batch", ("graded", "scored", "withheld")),
}


def zeros(label: str) -> Iterator[Amount]:
    """Nothing, for every value of a label: a counter must be there at 0 before its first growth can be seen."""
    return (((value,), 0) for value in LABELS[label].values or ())


_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
# a provider's window is 24 h, its results are kept for days, and an approval may take longer still
LONG = (
    *(10 * _MINUTE, 30 * _MINUTE),
    *(hours * _HOUR for hours in (1, 2, 4, 8, 12, 18, 24, 25, 48)),
    *(days * _DAY for days in (4, 7)),
)


def reaching_days(*seconds: float) -> tuple[float, ...]:
    """The predecessor's bounds of a duration, continued to seven days."""
    return (*seconds, *(bound for bound in LONG if bound > seconds[-1]))
