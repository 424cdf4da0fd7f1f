"""OpenAI's chat completions as pure rules: what a request may hold, and how an answer looks."""

from collections.abc import Mapping
from typing import Any

from cj_pipeline.emulator.answer import Asked, Circumstances, Dialect, Said, offers_ties
from cj_pipeline.emulator.openai_errors import error_body, missing
from cj_pipeline.emulator.prompt_cache import Block
from cj_pipeline.emulator.refused import Refused

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


def read(request: Mapping[str, Any], _: Circumstances) -> Asked:
    """The comparison in a request body. Raises `Refused`."""
    _check(request)
    messages = request["messages"]
    said = [message["content"] for message in messages if message["role"] == "user"]
    return Asked(
        model=request["model"],
        blocks=tuple(Block(message["content"]) for message in messages),
        question=said[-1] if said else "",
        ties=_offers_ties(request.get("response_format")),
        output_limit=_output_limit(request),
    )


def completion(said: Said, circumstances: Circumstances) -> dict[str, Any]:
    """The body of a chat completion."""
    reply, tokens = said.reply, said.tokens
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.content,
        "refusal": reply.refusal,
        "annotations": [],
    }
    return {
        "id": f"chatcmpl-{circumstances.request_id}",
        "object": "chat.completion",
        "created": circumstances.created,
        "model": said.asked.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}],
        "usage": {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
            "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
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


CHAT_COMPLETIONS = Dialect(read, completion, error_body, caches_by_itself=True)


def _check(request: Mapping[str, Any]) -> None:
    for param in ("model", "messages"):
        if param not in request:
            raise missing(param)
    unknown = sorted(request.keys() - KNOWN_PARAMETERS)
    if unknown:
        raise _bad(f"Unknown parameter: '{unknown[0]}'.", param=unknown[0], code="unknown_parameter")
    if not isinstance(request["model"], str):
        raise _bad("Invalid type for 'model': expected a string.", param="model", code="invalid_type")
    if request.get("stream") or request.get("n") not in (None, 1):
        raise _bad("The emulator answers with one choice and does not stream.", param="n", code="invalid_value")
    limit = _output_limit(request)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        param = "max_completion_tokens"
        raise _bad(f"Invalid '{param}': expected a whole number above 0.", param=param, code="invalid_value")
    messages = request["messages"]
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        expected = "expected an array of messages with role and content as strings"
        raise _bad(f"Invalid 'messages': {expected}.", param="messages", code="invalid_type")


def _bad(message: str, *, param: str, code: str) -> Refused:
    return Refused(400, message, param=param, code=code)


def _is_message(message: object) -> bool:
    return isinstance(message, dict) and all(isinstance(message.get(key), str) for key in ("role", "content"))


def _output_limit(request: Mapping[str, Any]) -> Any:
    return request.get("max_completion_tokens") or request.get("max_tokens")


def _offers_ties(response_format: Any) -> bool:
    wrapped = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return offers_ties(wrapped.get("schema") if isinstance(wrapped, dict) else None)
