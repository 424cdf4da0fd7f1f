"""From a chat completion request to its answer: the part that any transport, batch or not, can share."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cj_pipeline.emulator.judges import BadParameters, Comparison, Judge, Reply, UnknownJudge, judge_named
from cj_pipeline.emulator.openai_errors import error_body
from cj_pipeline.judging import read_sections

# the parameters of POST /v1/chat/completions in openai 3.54 (CompletionCreateParamsBase); others are refused there
KNOWN_PARAMETERS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
BYTES_PER_TOKEN = 4  # an estimate; no tokenizer is loaded


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status and body, and the tokens to be billed (none for an error)."""

    status_code: int
    body: dict[str, Any]
    prompt_tokens: int = 0
    completion_tokens: int = 0


def answer(request: Mapping[str, Any], *, created: int, request_id: str) -> Answered:
    """Let the judge that `model` names answer; a bad request gets the error a provider would give."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    model = request["model"]
    try:
        judge = judge_named(model)
    except UnknownJudge:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return Answered(404, error_body(message, code="model_not_found"))
    except BadParameters as error:
        return _bad(str(error), param="model", code="invalid_value")
    try:
        comparison = _comparison(request)
    except ValueError as error:
        return _bad(f"The emulator's judges answer comparisons only. {error}", param="messages", code="invalid_value")
    return _completion(request, judge, comparison, created=created, request_id=request_id)


def too_many_requests(model: object) -> Answered:
    """The 429 of a rate limit."""
    message = f"Rate limit reached for {model}. Please try again later."
    return Answered(429, error_body(message, kind="requests", code="rate_limit_exceeded"))


def body_sha256(body: Mapping[str, Any]) -> str:
    """Of the body in canonical form: keys sorted, no blanks, ASCII."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _refusal(request: Mapping[str, Any]) -> Answered | None:
    for param in ("model", "messages"):
        if param not in request:
            return _bad(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    unknown = sorted(request.keys() - KNOWN_PARAMETERS)
    if unknown:
        return _bad(f"Unknown parameter: '{unknown[0]}'.", param=unknown[0], code="unknown_parameter")
    if not isinstance(request["model"], str):
        return _bad("Invalid type for 'model': expected a string.", param="model", code="invalid_type")
    if request.get("stream") or request.get("n") not in (None, 1):
        return _bad("The emulator answers with one choice and does not stream.", param="n", code="invalid_value")
    limit = _output_limit(request)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        param = "max_completion_tokens"
        return _bad(f"Invalid '{param}': expected a whole number above 0.", param=param, code="invalid_value")
    messages = request["messages"]
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        expected = "expected an array of messages with role and content as strings"
        return _bad(f"Invalid 'messages': {expected}.", param="messages", code="invalid_type")
    return None


def _bad(message: str, *, param: str, code: str) -> Answered:
    return Answered(400, error_body(message, param=param, code=code))


def _is_message(message: object) -> bool:
    return isinstance(message, dict) and all(isinstance(message.get(key), str) for key in ("role", "content"))


def _output_limit(request: Mapping[str, Any]) -> Any:
    return request.get("max_completion_tokens") or request.get("max_tokens")


def _comparison(request: Mapping[str, Any]) -> Comparison:
    said = [message["content"] for message in request["messages"] if message["role"] == "user"]
    sections = read_sections(said[-1] if said else "")
    return Comparison(sections["ESSAY A"], sections["ESSAY B"], ties=_offers_ties(request))


def _offers_ties(request: Mapping[str, Any]) -> bool:
    offered: Any = request.get("response_format")
    for key in ("json_schema", "schema", "properties", "winner", "enum"):
        offered = offered.get(key) if isinstance(offered, dict) else None
    return isinstance(offered, list) and "Tie" in offered


def _completion(
    request: Mapping[str, Any], judge: Judge, comparison: Comparison, *, created: int, request_id: str
) -> Answered:
    reply = _within(judge(comparison), _output_limit(request))
    prompt_tokens = _tokens("".join(message["content"] for message in request["messages"]))
    completion_tokens = _tokens(reply.content or reply.refusal or "")
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.content,
        "refusal": reply.refusal,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    body = {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": created,
        "model": request["model"],
        "choices": [{**choice, "finish_reason": reply.finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_emulator",
    }
    return Answered(200, body, prompt_tokens, completion_tokens)


def _within(reply: Reply, limit: int | None) -> Reply:
    """Cut an answer that is longer than the request allows, as a provider does."""
    if reply.content is None or limit is None or _tokens(reply.content) <= limit:
        return reply
    kept = reply.content.encode("utf-8", "surrogatepass")[: limit * BYTES_PER_TOKEN].decode("utf-8", "ignore")
    return Reply(kept, finish_reason="length")


def _tokens(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)
