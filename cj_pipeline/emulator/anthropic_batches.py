"""Anthropic's Message Batches as pure rules: how a batch looks, and what its result lines say."""

from datetime import UTC, datetime
from typing import Any

from cj_pipeline.emulator.answer import Answered
from cj_pipeline.emulator.lifecycle import Standing, standing
from cj_pipeline.emulator.store import WINDOW_SECONDS, Batch

RESULTS_KEPT_SECONDS = 29 * 86_400  # from the creation of the batch, not from its end
BATCHES_LISTED, MAX_BATCHES_LISTED = 20, 1_000


def message_batch(batch: Batch, now: float, *, base_url: str) -> dict[str, Any]:
    """As the API shows it at a moment. Until the whole batch has ended, everything counts as processing."""
    stands = standing(batch, now)
    ended = stands.terminal
    archived = archived_at(batch, now)
    at = stands.entered[stands.status] if ended else None
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": processing_status(stands),
        "request_counts": _request_counts(batch, stands),
        "created_at": rfc3339(batch.created_at),
        "expires_at": rfc3339(batch.created_at + WINDOW_SECONDS),
        "ended_at": rfc3339(at),
        "cancel_initiated_at": rfc3339(batch.cancelling_at),
        "archived_at": rfc3339(archived),
        "results_url": results_url(batch, base_url) if ended and archived is None else None,
    }


def results_url(batch: Batch, base_url: str) -> str:
    """Where the results of a batch are read."""
    return f"{base_url}/v1/messages/batches/{batch.id}/results"


def processing_status(stands: Standing) -> str:
    """in_progress, canceling or ended."""
    if stands.terminal:
        return "ended"
    return "canceling" if stands.status == "cancelling" else "in_progress"


def archived_at(batch: Batch, now: float) -> float | None:
    """When the results became unavailable, if they have."""
    end = batch.created_at + RESULTS_KEPT_SECONDS
    return end if standing(batch, now).terminal and now >= end else None


def answered_line(_: str, custom_id: str, answered: Answered) -> dict[str, Any]:
    """A line for a request that was carried out: succeeded, or errored with the error's body."""
    if answered.status_code == 200:
        return {"custom_id": custom_id, "result": {"type": "succeeded", "message": answered.body}}
    return {"custom_id": custom_id, "result": {"type": "errored", "error": answered.body}}


def unrun_line(_: str, custom_id: str, why: str) -> dict[str, Any]:
    """A line for a request that was never carried out; `why` is canceled or expired."""
    return {"custom_id": custom_id, "result": {"type": why}}


def rfc3339(moment: float | None) -> str | None:
    """A moment in unix seconds, as the API writes it."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _request_counts(batch: Batch, stands: Standing) -> dict[str, int]:
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    total = batch.total or 0
    if not stands.terminal:
        return dict.fromkeys(names, 0) | {"processing": total}
    unrun = total - batch.completed - batch.failed
    left = {"cancelled": "canceled"}.get(stands.status, "expired")
    return dict.fromkeys(names, 0) | {"succeeded": batch.completed, "errored": batch.failed, left: unrun}
