"""OpenAI's Batch API as pure rules: what a create may ask, how a batch looks, and what its result lines say."""

from dataclasses import dataclass
from typing import Any

from cj_pipeline.emulator.answer import Answered
from cj_pipeline.emulator.lifecycle import Standing, standing
from cj_pipeline.emulator.openai_errors import missing
from cj_pipeline.emulator.openai_files import keep_seconds
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.requests_file import request_id
from cj_pipeline.emulator.store import WINDOW_SECONDS, Batch

CHAT_COMPLETIONS = "/v1/chat/completions"  # the one endpoint the judges sit behind
COMPLETION_WINDOW = "24h"
METADATA_PAIRS, METADATA_KEY_CHARS, METADATA_VALUE_CHARS = 16, 64, 512
BATCHES_LISTED, MAX_BATCHES_LISTED = 20, 100

UNRUN = {
    "batch_cancelled": "This request was not executed because the batch was cancelled.",
    "batch_expired": "This request could not be executed before the completion window expired.",
}


@dataclass(frozen=True, slots=True)
class Creation:
    """A create request that keeps the rules."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None
    output_seconds: int


def check_creation(body: object) -> Creation:
    """Raises `Refused`. Whether the input file is any good is found while validating, as OpenAI does."""
    if not isinstance(body, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    for param in ("input_file_id", "endpoint", "completion_window"):
        if not body.get(param):
            raise missing(param)
        if not isinstance(body[param], str):
            raise Refused(400, f"Invalid type for '{param}': expected a string.", param=param, code="invalid_type")
    if body["endpoint"] != CHAT_COMPLETIONS:
        message = f"Invalid value: '{body['endpoint']}'. The emulator's judges sit behind '{CHAT_COMPLETIONS}' only."
        raise Refused(400, message, param="endpoint", code="invalid_value")
    if body["completion_window"] != COMPLETION_WINDOW:
        message = f"Invalid value: '{body['completion_window']}'. Value must be '{COMPLETION_WINDOW}'."
        raise Refused(400, message, param="completion_window", code="invalid_value")
    return Creation(
        input_file_id=body["input_file_id"],
        endpoint=body["endpoint"],
        completion_window=body["completion_window"],
        metadata=_metadata(body.get("metadata")),
        output_seconds=keep_seconds(body.get("output_expires_after"), param="output_expires_after"),
    )


def batch_object(batch: Batch, now: float) -> dict[str, Any]:
    """As the API shows it at a moment. `request_counts` is absent while validating."""
    stands = standing(batch, now)
    entered = {f"{status}_at": int(at) for status, at in stands.entered.items()}
    shown: dict[str, Any] = {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model if stands.status != "validating" else None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.completion_window,
        "status": stands.status,
        "errors": {"object": "list", "data": batch.errors} if stands.status == "failed" else None,
        "output_file_id": batch.output_file_id if stands.terminal else None,
        "error_file_id": batch.error_file_id if stands.terminal else None,
        "created_at": int(batch.created_at),
        "expires_at": int(batch.created_at) + WINDOW_SECONDS,
        "metadata": batch.metadata,
        **{moment: entered.get(moment) for moment in _MOMENTS},
    }
    if stands.status != "validating":
        shown["request_counts"] = _request_counts(batch, stands)
    if stands.terminal and stands.status != "failed":
        shown["usage"] = _usage(batch)
    return shown


def answered_line(batch_id: str, custom_id: str, answered: Answered) -> dict[str, Any]:
    """A line for a request that got an HTTP answer; `error` is null even when that answer is an error."""
    response = {"status_code": answered.status_code, "request_id": request_id(batch_id, custom_id)}
    return _line(batch_id, custom_id, response=response | {"body": answered.body}, error=None)


def unrun_line(batch_id: str, custom_id: str, code: str) -> dict[str, Any]:
    """A line for a request that was never carried out; `code` from `UNRUN`."""
    return _line(batch_id, custom_id, response=None, error={"code": code, "message": UNRUN[code]})


_MOMENTS = (
    "in_progress_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
)


def _line(batch_id: str, custom_id: str, *, response: object, error: object) -> dict[str, Any]:
    line_id = f"batch_req_{request_id(batch_id, custom_id)}"
    return {"id": line_id, "custom_id": custom_id, "response": response, "error": error}


def _request_counts(batch: Batch, stands: Standing) -> dict[str, int]:
    """While in progress the clock's share of what the work gave, so that the counts grow as a real batch's do."""
    share = 1.0 if stands.terminal else stands.progress
    if stands.status == "failed":
        return {"total": 0, "completed": 0, "failed": 0}
    if batch.judged_at is None:
        return {"total": batch.total or 0, "completed": 0, "failed": 0}
    return {
        "total": batch.total or 0,
        "completed": int(batch.completed * share),
        "failed": int(batch.failed * share),
    }


def _usage(batch: Batch) -> dict[str, Any]:
    return {
        "input_tokens": batch.prompt_tokens,
        "input_tokens_details": {"cached_tokens": batch.cached_tokens},
        "output_tokens": batch.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": batch.prompt_tokens + batch.completion_tokens,
    }


def _metadata(metadata: object) -> dict[str, str] | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise Refused(400, "Invalid type for 'metadata': expected an object.", param="metadata", code="invalid_type")
    if len(metadata) > METADATA_PAIRS:
        message = f"Invalid 'metadata': too many properties, expected at most {METADATA_PAIRS}."
        raise Refused(400, message, param="metadata", code="object_above_max_properties")
    for key, value in metadata.items():
        if not isinstance(value, str):
            message = f"Invalid type for 'metadata.{key}': expected a string."
            raise Refused(400, message, param=f"metadata.{key}", code="invalid_type")
        _refuse_longer(key, METADATA_KEY_CHARS, "metadata")
        _refuse_longer(value, METADATA_VALUE_CHARS, f"metadata.{key}")
    return metadata


def _refuse_longer(text: str, maximum: int, param: str) -> None:
    if len(text) > maximum:
        message = f"Invalid '{param}': string too long, expected at most {maximum} characters."
        raise Refused(400, message, param=param, code="string_above_max_length")
