"""Anthropic's Messages as pure rules: what a request's params may hold, and how an answer looks.

Version 2026-10-21 takes no temperature, top_p and top_k, in a batch neither. Source: anthropic 2.12, API pages.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cj_pipeline.emulator.answer import Asked, Circumstances, Dialect, Said, offers_ties
from cj_pipeline.emulator.anthropic_errors import error_body, extra_input
from cj_pipeline.emulator.prompt_cache import Block
from cj_pipeline.emulator.refused import Refused

# MessageCreateParamsBase of anthropic 2.12, and stream
KNOWN_PARAMS = frozenset(
    [
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
        "user_profile_id",
    ]
)
SAMPLING = frozenset(["temperature", "top_k", "top_p"])
WITHOUT_SAMPLING = "2026-10-21"  # the first version of the API that refuses them
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MAX_CACHE_MARKS = 4
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens"}


def read(request: Mapping[str, Any], circumstances: Circumstances) -> Asked:
    """The comparison in a request's params. Raises `Refused`."""
    _check_keys(request, circumstances)
    limit = request["max_tokens"]
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < (1 if circumstances.in_batch else 0):
        raise _bad("max_tokens: Input should be greater than or equal to 1")
    if not isinstance(request["model"], str):
        raise _bad("model: Input should be a valid string")
    system = list(_texts(request.get("system") or [], "system"))
    turns = list(_turns(request["messages"]))
    blocks = [*system, *(block for _, texts in turns for block in texts)]
    _check_marks(blocks, request.get("cache_control"))
    if turns[-1][0] == "assistant":
        raise _bad("This model does not support assistant message prefill. The conversation must end with a user turn.")
    asked = ["".join(block.text for block in texts) for role, texts in turns if role == "user"]
    return Asked(
        model=request["model"],
        blocks=tuple(_with_last_marked(blocks, request.get("cache_control"))),
        question=asked[-1] if asked else "",
        ties=offers_ties(_output_schema(request.get("output_config"))),
        output_limit=limit,
    )


def completion(said: Said, circumstances: Circumstances) -> dict[str, Any]:
    """A Message. Raises `Refused` for an answer that the content filter stopped: here that is an error."""
    reply = said.reply
    if reply.finish_reason == "content_filter":
        raise _bad("Output blocked by content filtering policy")
    content = [] if reply.content is None else [{"type": "text", "text": reply.content, "citations": None}]
    refused = reply.refusal is not None
    details = {"type": "refusal", "category": None, "explanation": reply.refusal}
    return {
        "id": f"msg_{circumstances.request_id}",
        "type": "message",
        "role": "assistant",
        "model": said.asked.model,
        "content": content,
        "stop_reason": "refusal" if refused else _STOP_REASONS[reply.finish_reason],
        "stop_sequence": None,
        "stop_details": details if refused else None,
        "usage": _usage(said, circumstances),
    }


MESSAGES = Dialect(read, completion, error_body, caches_by_itself=False)


def _usage(said: Said, circumstances: Circumstances) -> dict[str, Any]:
    tokens, cache = said.tokens, said.cache
    kept = {"5m": "ephemeral_5m_input_tokens", "1h": "ephemeral_1h_input_tokens"}
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {name: cache.written if ttl == cache.ttl else 0 for ttl, name in kept.items()},
        "output_tokens": tokens.output,
        "service_tier": "batch" if circumstances.in_batch else "standard",
    }


def _bad(message: str) -> Refused:
    return Refused(400, message)


def _check_keys(request: Mapping[str, Any], circumstances: Circumstances) -> None:
    old = bool(circumstances.api_version) and circumstances.api_version < WITHOUT_SAMPLING
    known = KNOWN_PARAMS | SAMPLING if old else KNOWN_PARAMS
    for name in sorted(request.keys() - known):
        raise extra_input(name)
    for name in ("model", "max_tokens", "messages"):
        if name not in request:
            raise _bad(f"{name}: Field required")
    if request.get("stream"):
        raise _bad("stream: the emulator, like any batch, does not stream")
    if request.get("speed") is not None and circumstances.in_batch:
        raise _bad("speed: not supported in a Message Batch")
    if request.get("tools") or request.get("tool_choice"):
        raise _bad("tools: the emulator's judges use no tools; ask for output_config.format")


def _turns(messages: object) -> Iterator[tuple[str, list[Block]]]:
    if not isinstance(messages, list) or not messages:
        raise _bad("messages: at least one message is required")
    for number, message in enumerate(messages):
        where = f"messages.{number}"
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant", "system"):
            raise _bad(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
        for name in sorted(message.keys() - {"role", "content"}):
            raise extra_input(f"{where}.{name}")
        yield message["role"], list(_texts(message.get("content"), f"{where}.content"))


def _texts(content: object, where: str) -> Iterator[Block]:
    """A string, or a list of text blocks, any of which may be marked with cache_control."""
    if isinstance(content, str):
        yield Block(content)
        return
    if not isinstance(content, list):
        raise _bad(f"{where}: Input should be a valid string or list of text blocks")
    for number, block in enumerate(content):
        at = f"{where}.{number}"
        if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise _bad(f"{at}: the emulator's judges take blocks of type 'text' only")
        for name in sorted(block.keys() - {"type", "text", "cache_control", "citations"}):
            raise extra_input(f"{at}.text.{name}")
        if not block["text"]:
            raise _bad(f"{at}.text: text content blocks must be non-empty")
        yield Block(block["text"], _ttl(block.get("cache_control"), f"{at}.cache_control"))


def _ttl(mark: object, where: str) -> str | None:
    if mark is None:
        return None
    if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
        raise _bad(f"{where}.type: Input should be 'ephemeral'")
    for name in sorted(mark.keys() - {"type", "ttl"}):
        raise extra_input(f"{where}.{name}")
    if mark.get("ttl", "5m") not in ("5m", "1h"):
        raise _bad(f"{where}.ttl: Input should be '5m' or '1h'")
    return str(mark.get("ttl", "5m"))


def _check_marks(blocks: list[Block], top_level: object) -> None:
    marks = sum(block.cache_ttl is not None for block in blocks) + (top_level is not None)
    if marks > MAX_CACHE_MARKS:
        raise _bad(f"A maximum of {MAX_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}.")


def _with_last_marked(blocks: list[Block], top_level: object) -> list[Block]:
    ttl = _ttl(top_level, "cache_control")
    return blocks if ttl is None else [*blocks[:-1], Block(blocks[-1].text, ttl)]


def _output_schema(config: object) -> object:
    if config is None:
        return None
    if not isinstance(config, dict):
        raise _bad("output_config: Input should be a valid dictionary")
    for name in sorted(config.keys() - {"effort", "format"}):
        raise extra_input(f"output_config.{name}")
    if config.get("effort") not in (None, *EFFORTS):
        raise _bad(f"output_config.effort: Input should be one of {', '.join(EFFORTS)}")
    wanted = config.get("format")
    if wanted is None:
        return None
    if (
        not isinstance(wanted, dict)
        or wanted.get("type") != "json_schema"
        or not isinstance(wanted.get("schema"), dict)
    ):
        raise _bad("output_config.format: Input should have type 'json_schema' and a schema")
    for name in sorted(wanted.keys() - {"type", "schema"}):
        raise extra_input(f"output_config.format.{name}")
    return wanted["schema"]
