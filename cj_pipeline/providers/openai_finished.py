"""A result line as nearly all are, a finished completion with its usage, read in one typed pass.

Whatever differs in the least is left to the reader of `openai_wire`, which knows every other end of an item.
"""

from typing import Annotated, Literal

import msgspec

from cj_pipeline.judging import Usage
from cj_pipeline.providers.result_line import MAX_TOKENS, ResultLine, judged, printable_name

_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]


class _PromptTokens(msgspec.Struct, gc=False):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None


class _Tokens(msgspec.Struct, gc=False):
    prompt_tokens: Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKENS)]
    completion_tokens: _Count
    prompt_tokens_details: _PromptTokens | None = None


class _Message(msgspec.Struct, gc=False):
    content: str
    refusal: None = None


class _Choice(msgspec.Struct, gc=False):
    message: _Message
    finish_reason: Literal["stop"]


class _Completion(msgspec.Struct, gc=False):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    usage: _Tokens
    model: str


class _Response(msgspec.Struct, gc=False):
    status_code: Literal[200]
    body: _Completion


class _Line(msgspec.Struct, gc=False):
    custom_id: str
    response: _Response


_decoded = msgspec.json.Decoder(_Line).decode
_NO_DETAILS = _PromptTokens()


def read_finished(line: bytes, *, ties: bool) -> ResultLine | None:
    """What a finished completion's line says, or None for a line that has any other shape."""
    try:
        read = _decoded(line.decode())
    except (ValueError, RecursionError):
        return None
    completion = read.response.body
    content, tokens = completion.choices[0].message.content, completion.usage
    details = tokens.prompt_tokens_details or _NO_DETAILS
    cached, written = details.cached_tokens or 0, details.cache_write_tokens or 0
    if cached + written > tokens.prompt_tokens or not content.strip():
        return None
    usage = Usage(tokens.prompt_tokens, cached, tokens.completion_tokens, written)
    model = printable_name(completion.model)
    return ResultLine(read.custom_id, judged(content, ties=ties, model=model, usage=usage), line)
