"""The lines of OpenAI's batch files: one canonical request form, and a reader that survives what comes back.

Compatible hosts and `vllm run-batch` take the same request lines. Source: Batch API guide and reference.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import Answer, ErrorCode, Question, Usage, verdict_schema
from cj_pipeline.providers.calls import is_out_of_credit
from cj_pipeline.providers.openai_finished import read_finished
from cj_pipeline.providers.protocol import JobLimits, Phase
from cj_pipeline.providers.result_line import (
    MISSHAPEN,
    ResultLine,
    are_counts,
    attributed,
    judged,
    printable_name,
)

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
MAX_REQUESTS_PER_JOB = 50_000  # platform limit, Batch API reference
MAX_REQUEST_FILE_BYTES = 200_000_000  # platform limit, counted in decimal megabytes
LIMITS = JobLimits(MAX_REQUESTS_PER_JOB, MAX_REQUEST_FILE_BYTES)
_BODY = b'"body":'  # it occurs in no custom_id
_CUSTOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


def request_line(custom_id: str, body: bytes, *, cache_before: str | None = None) -> bytes:
    r"""One line of a request file, with its `\n`. Raises `ValueError` for a custom_id a provider would refuse.

    `cache_before` names the section of the user message before which the text ends that Anthropic shall keep in its
    cache ("ESSAY A": assignment and rubric). It is for Anthropic's jobs alone, which are translated; OpenAI and
    compatible hosts take the line as it is and find the shared text themselves.
    """
    if not _CUSTOM_ID.fullmatch(custom_id):
        raise ValueError(f"custom_id {custom_id!r} is not 1 to 64 of A-Z a-z 0-9 _ -")
    mark = f'"cache_before":"{cache_before}",' if cache_before else ""
    head = f'{{"custom_id":"{custom_id}","method":"POST","url":"{ENDPOINT}",{mark}"body":'
    return head.encode() + body + b"}\n"


def read_request_line(line: bytes) -> tuple[str, dict[str, Any]]:
    """custom_id and body of a line made by `request_line`."""
    request = json.loads(line)
    return request["custom_id"], request["body"]


def body_bytes(line: bytes) -> bytes:
    """The canonical bytes of the body in a line made by `request_line`."""
    return line[line.index(_BODY) + len(_BODY) : line.rindex(b"}")]


def result_line(custom_id: str, status: int, request_id: str | None, body: bytes) -> bytes:
    """The result line of a synchronous call's reply, whose body (one line of JSON) stands in it as it came."""
    head = json.dumps({"id": None, "custom_id": custom_id})[:-1]
    response = json.dumps({"status_code": status, "request_id": request_id})[:-1]
    return f'{head}, "response": {response}, "body": '.encode() + body + b'}, "error": null}'


def unrun_line(custom_id: str, phase: Phase) -> bytes:
    """The result line of an item that was never run because its job expired or was cancelled."""
    error = {"code": f"batch_{phase}", "message": None}
    return json.dumps({"id": None, "custom_id": custom_id, "response": None, "error": error}).encode()


def read_result_line(line: bytes, *, ties: bool) -> ResultLine | None:
    """What a result line says, or None when it cannot even be attributed to an item."""
    return read_finished(line, ties=ties) or read_any_line(line, ties=ties)


def read_any_line(line: bytes, *, ties: bool) -> ResultLine | None:
    """The same for a line of any shape, of which a finished completion is one."""
    named = attributed(line)
    if named is None:
        return None
    custom_id, fields = named
    try:
        answer = _answer(fields, ties=ties)
    except MISSHAPEN:
        answer = Answer(error_code=ErrorCode.UNREADABLE_RESULT)
    return ResultLine(custom_id, answer, line)


def _answer(fields: dict[str, Any], *, ties: bool) -> Answer:
    response = fields.get("response")
    if response is None:
        return Answer(error_code=_unrun_code(fields.get("error")))
    status = response.get("status_code")
    body = response.get("body") or {}
    # the status decides: an error line carries its reason inside the body (OpenAI) or beside the response (vLLM)
    if status is None or not 200 <= status < 300:
        within = body.get("error") if isinstance(body, dict) else body
        return Answer(error_code=_http_code(status, [within, fields.get("error")]))
    return _completion(body, ties=ties)


def _completion(body: dict[str, Any], *, ties: bool) -> Answer:
    usage, model = _usage(body.get("usage")), printable_name(body.get("model"))
    # a body of another kind has no choices at all, which is a KeyError: unreadable, and not an empty answer
    choices = body["choices"] if body else None
    if not choices:
        return Answer(error_code=ErrorCode.EMPTY, model_reported=model, usage=usage)
    message, finish = choices[0].get("message") or {}, choices[0].get("finish_reason")
    code = _unfinished_code(message, finish)
    if code is not None:
        return Answer(error_code=code, model_reported=model, usage=usage)
    return judged(message["content"], ties=ties, model=model, usage=usage)


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
    if status == 402 or is_out_of_credit(errors):
        return ErrorCode.CREDIT_EXHAUSTED
    said = json.dumps(errors).lower()
    if "content_filter" in said or "content_policy" in said:
        return ErrorCode.FILTERED
    if status == 429 or "rate_limit" in said:
        return ErrorCode.RATE_LIMITED
    # status 0 and none at all are seen on lines the provider never ran
    if status is None or status < 100 or status >= 500 or status in {408, 409}:
        return ErrorCode.SERVER_ERROR
    return ErrorCode.INVALID_REQUEST


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    kept = details if isinstance(details, dict) else {}
    counts: list[Any] = [
        usage.get("prompt_tokens"),
        kept.get("cached_tokens") or 0,
        usage.get("completion_tokens"),
        kept.get("cache_write_tokens") or 0,
    ]
    if not are_counts(*counts):
        return None
    prompt, cached, output, written = counts
    return Usage(prompt, cached, output, written) if prompt and cached + written <= prompt else None
