"""The lines of OpenAI's batch files: one canonical request form, and a reader that survives what comes back.

Compatible hosts and `vllm run-batch` take the same request lines. Source: Batch API guide and reference.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import (
    Answer,
    ErrorCode,
    InvalidVerdict,
    Question,
    Usage,
    parse_verdict,
    verdict_schema,
)

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
MAX_REQUESTS_PER_JOB = 50_000  # platform limit, Batch API reference
MAX_TOKENS = 1_000_000_000  # beyond it a count is a mistake, not a bill
MAX_REQUEST_FILE_BYTES = 200_000_000  # platform limit, counted in decimal megabytes
_CUSTOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of an output or error file, as it came and as it is understood."""

    custom_id: str
    answer: Answer
    line: bytes

    @property
    def content(self) -> str:
        """The line's substance, to compare repeated lines by; spelt out only when asked for, for few lines repeat."""
        try:
            result = json.loads(self.line)
            return json.dumps([result.get("response"), result.get("error")], sort_keys=True)
        except RecursionError:
            return self.line.decode(errors="replace")


def request_body(judge: JudgeSection, question: Question, text_a: str, text_b: str) -> dict[str, Any]:
    """The chat completion that asks one comparison."""
    return {
        "model": judge.model,
        "messages": [
            {"role": "system", "content": question.system_message()},
            {"role": "user", "content": question.user_message(text_a, text_b)},
        ],
        "max_completion_tokens": judge.max_output_tokens,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": verdict_schema(ties=judge.ties)},
        },
    }


def encode_body(body: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a body; their hash stands for the request."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class RequestForm:
    """The canonical bytes of a judge's requests around the two essays: all that its comparisons share."""

    before_a: bytes
    between: bytes
    after_b: bytes

    def body(self, essay_a: bytes, essay_b: bytes) -> bytes:
        """What `encode_body(request_body(...))` gives, from two texts as `encode_essay` gives them."""
        return b"".join((self.before_a, essay_a, self.between, essay_b, self.after_b))


def request_form(judge: JudgeSection, question: Question) -> RequestForm:
    """Encode a judge's request once, with gaps in place of the essays."""
    # no text holds the boundary and a marker line goes on with "]]", so each gap stands in one place only
    gap_a, gap_b = f"{question.boundary}A", f"{question.boundary}B"
    before_a, rest = encode_body(request_body(judge, question, gap_a, gap_b)).split(gap_a.encode())
    between, after_b = rest.split(gap_b.encode())
    return RequestForm(before_a, between, after_b)


def encode_essay(text: str) -> bytes:
    """A text, not blank, as it stands within a body: JSON escapes each character alone, so parts can be joined."""
    return json.dumps(text.strip(), ensure_ascii=False)[1:-1].encode()


def request_line(custom_id: str, body: bytes) -> bytes:
    r"""One line of a request file, with its `\n`. Raises `ValueError` for a custom_id a provider would refuse."""
    if not _CUSTOM_ID.fullmatch(custom_id):
        raise ValueError(f"custom_id {custom_id!r} is not 1 to 64 of A-Z a-z 0-9 _ -")
    head = f'{{"custom_id":"{custom_id}","method":"POST","url":"{ENDPOINT}","body":'
    return head.encode() + body + b"}\n"


def read_request_line(line: bytes) -> tuple[str, dict[str, Any]]:
    """custom_id and body of a line made by `request_line`."""
    request = json.loads(line)
    return request["custom_id"], request["body"]


def read_result_line(line: bytes, *, ties: bool) -> ResultLine | None:
    """What a result line says, or None when it cannot even be attributed to an item."""
    try:
        result = json.loads(line)
    except (ValueError, RecursionError):
        return None
    custom_id = result.get("custom_id") if isinstance(result, dict) else None
    if not isinstance(custom_id, str):
        return None
    try:
        answer = _answer(result, ties=ties)
    except (AttributeError, KeyError, TypeError, IndexError, ValueError, RecursionError):
        answer = Answer(error_code=ErrorCode.UNREADABLE_RESULT)
    return ResultLine(custom_id, answer, line)


def _answer(result: dict[str, Any], *, ties: bool) -> Answer:
    response = result.get("response")
    if response is None:
        return Answer(error_code=_unrun_code(result.get("error")))
    status = response.get("status_code")
    body = response.get("body") or {}
    # the status decides: an error line carries its reason inside the body (OpenAI) or beside the response (vLLM)
    if status is None or not 200 <= status < 300:
        within = body.get("error") if isinstance(body, dict) else body
        return Answer(error_code=_http_code(status, [within, result.get("error")]))
    return _completion(body, ties=ties)


def _completion(body: dict[str, Any], *, ties: bool) -> Answer:
    usage, model = _usage(body.get("usage")), _name(body.get("model"))
    choices = body.get("choices") or []
    if not choices:
        return Answer(error_code=ErrorCode.EMPTY, model_reported=model, usage=usage)
    message, finish = choices[0].get("message") or {}, choices[0].get("finish_reason")
    code = _unfinished_code(message, finish)
    if code is not None:
        return Answer(error_code=code, model_reported=model, usage=usage)
    try:
        verdict = parse_verdict(message["content"], ties=ties)
    except InvalidVerdict:
        return Answer(error_code=ErrorCode.INVALID_VERDICT, model_reported=model, usage=usage)
    return Answer(verdict=verdict, model_reported=model, usage=usage)


def _unfinished_code(message: dict[str, Any], finish: object) -> ErrorCode | None:
    if message.get("refusal"):
        return ErrorCode.REFUSED
    if finish == "content_filter":
        return ErrorCode.FILTERED
    if finish == "length":
        return ErrorCode.TRUNCATED
    content = message.get("content")
    if content is None or (isinstance(content, str) and not content.strip()):
        return ErrorCode.EMPTY
    return None if isinstance(content, str) else ErrorCode.UNREADABLE_RESULT


def _unrun_code(error: object) -> ErrorCode:
    code = str(error.get("code") or "" if isinstance(error, dict) else error or "").lower()
    if "expired" in code:
        return ErrorCode.EXPIRED
    if "cancel" in code:
        return ErrorCode.CANCELLED
    return ErrorCode.SERVER_ERROR if error else ErrorCode.MISSING_RESULT


def _http_code(status: int | None, errors: list[object]) -> ErrorCode:
    said = json.dumps(errors).lower()
    if "insufficient_quota" in said or "credit balance" in said or status == 402:
        return ErrorCode.CREDIT_EXHAUSTED
    if "content_filter" in said or "content_policy" in said:
        return ErrorCode.FILTERED
    if status == 429 or "rate_limit" in said:
        return ErrorCode.RATE_LIMITED
    # status 0 and none at all are seen on lines the provider never ran
    if status is None or status < 100 or status >= 500 or status in {408, 409}:
        return ErrorCode.SERVER_ERROR
    return ErrorCode.INVALID_REQUEST


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    prompt, output = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    kept = details if isinstance(details, dict) else {}
    cached, written = _count(kept.get("cached_tokens") or 0), _count(kept.get("cache_write_tokens") or 0)
    if not prompt or output is None or cached is None or written is None or cached + written > prompt:
        return None
    return Usage(input_tokens=prompt, cached_tokens=cached, output_tokens=output, cache_write_tokens=written)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None
