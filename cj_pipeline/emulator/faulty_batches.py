"""Faults in how a batch is shown and read: each changes what one of its calls answers."""

from collections.abc import Callable, Mapping
from typing import Any

from cj_pipeline.emulator import faults
from cj_pipeline.emulator.anthropic_batches import rfc3339
from cj_pipeline.emulator.lifecycle import standing
from cj_pipeline.emulator.store import Batch

Shown = dict[str, Any]
_RUNNING = frozenset({"in_progress", "finalizing", "completed"})
_ELSEWHERE = "http://127.0.0.2"


def faulty_shape(shown: Shown, batch: Batch, now: float) -> Shown:
    """A batch object as the faults stored with the batch leave it."""
    for name in batch.faults:
        change = _SHAPES.get(name)
        if change is not None:
            change(shown, batch, now)
    return shown


def results_unreadable(batch: Batch, now: float) -> bool:
    """Whether a fault lets reading the results answer 404 at this moment."""
    return faults.RESULTS_GONE in batch.faults or _since_end(batch, now) < batch.faults.get(faults.CONTENT_404, 0.0)


def _output_late(shown: Shown, batch: Batch, now: float) -> None:
    if _since_end(batch, now) >= batch.faults[faults.OUTPUT_LATE]:
        return
    shown["results_url" if "results_url" in shown else "output_file_id"] = None


def _gone(shown: Shown, batch: Batch, now: float) -> None:
    if "results_url" in shown and shown["ended_at"] is not None:
        shown.update(results_url=None, archived_at=shown["ended_at"])


def _elsewhere(shown: Shown, batch: Batch, now: float) -> None:
    if shown.get("results_url"):
        port = int(batch.faults[faults.RESULTS_ELSEWHERE])
        shown["results_url"] = f"{_ELSEWHERE}:{port}/v1/messages/batches/{batch.id}/results"


def _counts_zero(shown: Shown, batch: Batch, now: float) -> None:
    if shown.get("request_counts") and standing(batch, now).terminal:
        shown["request_counts"] = dict.fromkeys(shown["request_counts"], 0)


def _counts_null(shown: Shown, batch: Batch, now: float) -> None:
    shown["request_counts"] = None


def _errors_empty(shown: Shown, batch: Batch, now: float) -> None:
    shown["errors"] = []


def _unheard_status(shown: Shown, batch: Batch, now: float) -> None:
    stands = standing(batch, now)
    started = stands.entered.get("in_progress", now)
    if stands.status in _RUNNING and now - started < batch.faults[faults.UNHEARD_STATUS]:
        shown["processing_status" if "processing_status" in shown else "status"] = "paused"


def _compatible_host(shown: Shown, batch: Batch, now: float) -> None:
    shown["status"] = str(shown["status"]).upper()
    shown.update({name: rfc3339(at) for name, at in shown.items() if name.endswith("_at") and at is not None})
    data = (shown["errors"] or {}).get("data", []) if isinstance(shown["errors"], dict) else []
    shown["errors"] = [f"{error['code']}: {error['message']}" for error in data]


_SHAPES: Mapping[str, Callable[[Shown, Batch, float], None]] = {
    faults.OUTPUT_LATE: _output_late,
    faults.RESULTS_GONE: _gone,
    faults.RESULTS_ELSEWHERE: _elsewhere,
    faults.COUNTS_ZERO: _counts_zero,
    faults.COUNTS_NULL: _counts_null,
    faults.ERRORS_EMPTY: _errors_empty,
    faults.UNHEARD_STATUS: _unheard_status,
    faults.COMPATIBLE_HOST: _compatible_host,
}


def _since_end(batch: Batch, now: float) -> float:
    stands = standing(batch, now)
    return now - stands.entered[stands.status] if stands.terminal else 0.0
