"""Anthropic's Message Batches on the wire: `params` from each canonical request line, and its result lines.

Source: Message Batches guide and reference for API version 2026-10-21, which refuses a temperature item by item.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cj_pipeline.judging import Answer, ErrorCode, Usage
from cj_pipeline.providers.calls import is_out_of_credit
from cj_pipeline.providers.protocol import JobLimits, Phase
from cj_pipeline.providers.result_line import (
    MISSHAPEN,
    ResultLine,
    are_counts,
    attributed,
    judged,
    printable_name,
)

MAX_REQUESTS_PER_JOB = 100_000  # platform limit, Message Batches guide
MAX_BODY_BYTES = 256_000_000  # likewise, counted in decimal megabytes
GROWTH_BYTES = 64  # a translated request is at most that much longer than its line, cache mark included
LIMITS = JobLimits(MAX_REQUESTS_PER_JOB, MAX_BODY_BYTES - GROWTH_BYTES * MAX_REQUESTS_PER_JOB)

CACHE_MARK = {"type": "ephemeral", "ttl": "1h"}  # jobs take longer than the other lifetime, five minutes

_FAILURES = {
    "invalid_request_error": ErrorCode.INVALID_REQUEST,
    "authentication_error": ErrorCode.INVALID_REQUEST,
    "permission_error": ErrorCode.INVALID_REQUEST,
    "not_found_error": ErrorCode.INVALID_REQUEST,
    "request_too_large": ErrorCode.INVALID_REQUEST,
    "rate_limit_error": ErrorCode.RATE_LIMITED,
    "timeout_error": ErrorCode.SERVER_ERROR,
    "api_error": ErrorCode.SERVER_ERROR,
    "overloaded_error": ErrorCode.SERVER_ERROR,
}
_UNRUN = {
    "canceled": ErrorCode.CANCELLED,
    "cancelled": ErrorCode.CANCELLED,  # how gateways spell it
    "expired": ErrorCode.EXPIRED,
}
_UNFINISHED = {
    "refusal": ErrorCode.REFUSED,
    "max_tokens": ErrorCode.TRUNCATED,
    "model_context_window_exceeded": ErrorCode.TRUNCATED,
    "pause_turn": ErrorCode.INVALID_VERDICT,
    "tool_use": ErrorCode.INVALID_VERDICT,  # no tool was offered
}


def request_body(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The body of a create call, from the lines of a canonical request file; the same bytes for the same lines."""
    before = b'{"requests":['
    for line in lines:
        if line.strip():
            yield before + encoded(translated(line))
            before = b","
    yield b"]}"


def translated(line: bytes) -> dict[str, Any]:
    """One request of a Message Batch: the custom_id and `params` of a canonical line."""
    request = json.loads(line)
    body, cache_before = request["body"], request.get("cache_before")
    system, user = (_said(body["messages"], role) for role in ("system", "user"))
    params = {
        "model": body["model"],
        "max_tokens": body["max_completion_tokens"],
        "system": system,
        "messages": [{"role": "user", "content": _marked(user, cache_before) if cache_before else user}],
        "output_config": {
            "format": {"type": "json_schema", "schema": body["response_format"]["json_schema"]["schema"]}
        },
    }
    return {"custom_id": request["custom_id"], "params": params}


def encoded(request: dict[str, Any]) -> bytes:
    """The canonical bytes of a translated request."""
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()


def result_line(custom_id: str, status: int, body: bytes) -> bytes:
    """The result line of a synchronous call's reply, whose body (one line of JSON) stands in it as it came."""
    kind, part = ("succeeded", "message") if status < 300 else ("errored", "error")
    head = json.dumps({"custom_id": custom_id})[:-1]
    return f'{head}, "result": {{"type": "{kind}", "{part}": '.encode() + body + b"}}"


def unrun_line(custom_id: str, phase: Phase) -> bytes:
    """The result line of an item that was never run because its job expired or was cancelled."""
    kind = {Phase.EXPIRED: "expired", Phase.CANCELLED: "canceled"}[phase]
    return json.dumps({"custom_id": custom_id, "result": {"type": kind}}).encode()


def read_result_line(line: bytes, *, ties: bool) -> ResultLine | None:
    """What a result line says, or None when it cannot even be attributed to an item."""
    named = attributed(line)
    if named is None:
        return None
    custom_id, fields = named
    try:
        answer = _answer(fields.get("result"), ties=ties)
    except MISSHAPEN:
        answer = Answer(error_code=ErrorCode.UNREADABLE_RESULT)
    return ResultLine(custom_id, answer, line)


def _answer(result: Any, *, ties: bool) -> Answer:
    if result is None:
        return Answer(error_code=ErrorCode.MISSING_RESULT)
    kind = result.get("type")
    if kind == "succeeded":
        return _message(result["message"], ties=ties)
    if kind == "errored":
        return Answer(error_code=_failure_code(result.get("error")))
    return Answer(error_code=_UNRUN.get(kind, ErrorCode.UNREADABLE_RESULT))


def _message(message: dict[str, Any], *, ties: bool) -> Answer:
    usage, model = _usage(message.get("usage")), printable_name(message.get("model"))
    code = _UNFINISHED.get(message.get("stop_reason") or "")
    if code is not None:
        return Answer(None, code, model, usage)
    text = _text(message.get("content") or [])
    if not text.strip():
        return Answer(None, ErrorCode.EMPTY, model, usage)
    return judged(text, ties=ties, model=model, usage=usage)


def _text(content: Any) -> str:
    """The text blocks as one text; gateways also send a plain string. Thinking is no part of the answer."""
    if isinstance(content, str):
        return content
    return "".join([block["text"] for block in content if block["type"] == "text"])


def _failure_code(error: Any) -> ErrorCode:
    """Errors come within an envelope of the same form; gateways leave it out or send a plain string."""
    within = error.get("error", error) if isinstance(error, dict) else error
    kind, said = (within.get("type"), within.get("message")) if isinstance(within, dict) else (None, within)
    if is_out_of_credit(error):
        return ErrorCode.CREDIT_EXHAUSTED
    if "content filter" in str(said).lower():
        return ErrorCode.FILTERED
    return _FAILURES.get(kind, ErrorCode.SERVER_ERROR) if isinstance(kind, str) else ErrorCode.SERVER_ERROR


def _usage(usage: Any) -> Usage | None:
    """Anthropic counts fresh, written and read tokens apart; their sum is the prompt."""
    if not isinstance(usage, dict):
        return None
    counts: list[Any] = [
        usage.get("input_tokens"),
        usage.get("cache_read_input_tokens") or 0,
        usage.get("output_tokens"),
        usage.get("cache_creation_input_tokens") or 0,
    ]
    if not are_counts(*counts):
        return None
    fresh, read, output, written = counts
    prompt = fresh + read + written
    return Usage(prompt, read, output, written) if prompt else None


def _said(messages: Iterable[dict[str, str]], role: str) -> str:
    return "\n\n".join(message["content"] for message in messages if message["role"] == role)


def _marked(text: str, section: str) -> str | list[dict[str, Any]]:
    """A message in two blocks, the first of which Anthropic is asked to keep; whole if nothing stands before."""
    marker = text[: text.index("]] ") + 3]  # as every message begins; its boundary occurs in no essay
    at = text.find(f"{marker}{section}\n")
    if at <= 0:
        return text
    return [
        {"type": "text", "text": text[:at], "cache_control": CACHE_MARK},
        {"type": "text", "text": text[at:]},
    ]
