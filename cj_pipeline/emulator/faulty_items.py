"""Faults in what stands for an item in a result file: errors in place of an answer, and lines gone wrong.

An item that a fault turns into an error was not run and is not billed; one whose line goes wrong was paid.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cj_pipeline.emulator import faults
from cj_pipeline.emulator.anthropic_errors import extra_input
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.store import Batch

Line = dict[str, Any]

QUOTA_MESSAGE = "You exceeded your current quota, please check your plan and billing details."
# seen as an invalid_request_error on every item of a batch
CREDIT_MESSAGE = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."
SERVER_ERROR_MESSAGE = (
    "An error occurred while processing your request. You can retry your request, or contact us through our help"
    " center if the error persists. Please include the request ID in your message."
)
FOREIGN_ID = "another-jobs-item"

# such items were not run, and yet their lines stand where answers stand
AMONG_ANSWERS = frozenset([faults.STATUS_ZERO_LINES, faults.ERROR_STRINGS])
_NEVER_RUN = AMONG_ANSWERS | {faults.UNRUN_LINES}


def instead(fault: str | None, batch: Batch, request: Mapping[str, Any]) -> Refused | None:
    """The error that an item gets in place of an answer, if a fault wants one."""
    if faults.OUT_OF_CREDIT in batch.faults and batch.api == "anthropic":
        return Refused(400, CREDIT_MESSAGE)
    if faults.OUT_OF_CREDIT in batch.faults:
        return Refused(429, QUOTA_MESSAGE, kind="insufficient_quota", code="insufficient_quota")
    if faults.CACHE_CONTROL_REFUSED in batch.faults and '"cache_control"' in json.dumps(request):
        return extra_input("cache_control")
    if faults.EVERY_LINE_FAILS in batch.faults or fault == faults.SERVER_ERROR_LINES:
        return Refused(500, SERVER_ERROR_MESSAGE)
    if fault == faults.RATE_LIMIT_LINES:
        message = f"Rate limit reached for {request.get('model')}. Please try again later."
        return Refused(429, message, code="rate_limit_exceeded")
    if fault in _NEVER_RUN:
        return Refused(500, SERVER_ERROR_MESSAGE)
    return None


def faulty_lines(fault: str | None, line: Line, number: int) -> list[bytes]:
    """The lines that tell of an item, mostly one; `number` is how many items the fault has met before."""
    change = _CHANGES.get(fault or "")
    if change is not None:
        change(line, number)
    written = json.dumps(line).encode() + b"\n"
    spoil = _SPOILT.get(fault or "")
    return spoil(line, written) if spoil else [written]


def server_error_line(api: str, custom_id: str) -> Line:
    """What an expired batch says of an item that it did not run, under `expire_with_errors`."""
    if api == "anthropic":
        error = {"type": "error", "error": {"type": "api_error", "message": SERVER_ERROR_MESSAGE}}
        return {"custom_id": custom_id, "result": {"type": "errored", "error": error | {"request_id": None}}}
    said = {"message": SERVER_ERROR_MESSAGE, "type": "server_error", "param": None, "code": None}
    response = {"status_code": 500, "request_id": "", "body": {"error": said}}
    return {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": None}


def _status_zero(line: Line, number: int) -> None:
    line["response"] = {"status_code": 0, "request_id": "", "body": None}


def _unrun(line: Line, number: int) -> None:
    if "result" in line:
        line["result"] = {"type": "expired"}
        return
    line["response"] = None
    line["error"] = {"code": "batch_expired", "message": "This request could not be executed."}


def _error_string(line: Line, number: int) -> None:
    line["response"] = {"status_code": 400, "request_id": "", "body": None}
    line["error"] = "The request could not be handled: EngineDeadError"


def _empty(line: Line, number: int) -> None:
    """By turns: blank text, null content, and no choices at all (Anthropic: no content block)."""
    body = _body(line)
    if number % 3 != 2 or body is None:
        return
    body["choices" if "choices" in body else "content"] = []


def _usage(line: Line, number: int) -> None:
    body = _body(line)
    if body is None:
        return
    usage = body.pop("usage")
    if number % 3 == 1:
        body["usage"] = {name: 0 if isinstance(value, int) else value for name, value in usage.items()}
    if number % 3 == 2:
        body["usage"] = _overcached(usage)


def _overcached(usage: Line) -> Line:
    if "prompt_tokens" in usage:
        return usage | {"prompt_tokens_details": {"cached_tokens": usage["prompt_tokens"] + 1}}
    # Anthropic's cached tokens stand beside the input, so none are too many; fewer than none are
    return usage | {"cache_read_input_tokens": -1}


def _other_model(line: Line, number: int) -> None:
    body = _body(line)
    if body is not None:
        body["model"] = f"{body['model']}-2026-01-01"


def _unheard(line: Line, number: int) -> None:
    if "result" in line:
        line["result"] = {"type": "paused", "reason": {"type": "capacity"}}
    else:
        line["response"] = {"status_code": 200, "request_id": "", "body": {"object": "decision", "answer": "A"}}


def _body(line: Line) -> Line | None:
    """The answer within a line, or None when it is an error."""
    body = line["result"].get("message") if "result" in line else (line["response"] or {}).get("body")
    return body if isinstance(body, dict) and "usage" in body else None


_CHANGES: Mapping[str, Callable[[Line, int], None]] = {
    faults.STATUS_ZERO_LINES: _status_zero,
    faults.UNRUN_LINES: _unrun,
    faults.ERROR_STRINGS: _error_string,
    faults.EMPTY_ANSWERS: _empty,
    faults.ODD_USAGE: _usage,
    faults.OTHER_MODEL: _other_model,
    faults.UNHEARD_RESULTS: _unheard,
}


def _contradiction(written: bytes) -> bytes:
    """The same line with the essays' names exchanged."""
    return written.replace(b"Essay A", b"Essay \0").replace(b"Essay B", b"Essay A").replace(b"Essay \0", b"Essay B")


def _foreign(line: Line, written: bytes) -> list[bytes]:
    return [json.dumps(line | {"custom_id": FOREIGN_ID}).encode() + b"\n", written]


def _raw_separators(line: Line, written: bytes) -> list[bytes]:
    return [written.replace(b"\\u2028", "\u2028".encode()).replace(b"\\u0085", "\u0085".encode())]


_SPOILT: Mapping[str, Callable[[Line, bytes], list[bytes]]] = {
    faults.LOSE_LINES: lambda line, written: [],
    faults.DUPLICATE_LINES: lambda line, written: [written, written],
    faults.CONFLICTING_LINES: lambda line, written: [written, _contradiction(written)],
    faults.FOREIGN_LINES: _foreign,
    faults.BLANK_LINES: lambda line, written: [b"\n", written],
    faults.CUT_LINES: lambda line, written: [written[: len(written) // 2] + b"\n"],
    faults.RAW_SEPARATORS: _raw_separators,
}
