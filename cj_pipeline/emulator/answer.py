"""A comparison as any API asks it, and the judge's reply: the middle that all dialects and transports share."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cj_pipeline.emulator.judges import BadParameters, Comparison, NoAnswer, Reply, UnknownJudge, judge_named
from cj_pipeline.emulator.prompt_cache import Block, CacheUse
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.judging import read_sections

BYTES_PER_TOKEN = 4  # an estimate; no tokenizer is loaded
_REPLICATE = re.compile(r"-r([0-9]{1,4})")  # at the end of a custom_id; no provider looks at it


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a request came: its id, when (unix seconds), in a batch or not, under which version of the API.

    `replicate` is how often the same was asked before, as its custom_id says.
    """

    request_id: str
    created: int
    in_batch: bool
    api_version: str = ""
    replicate: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for one answer. `blocks` are its texts in order, `question` the user's last message."""

    model: str
    blocks: tuple[Block, ...]
    question: str
    ties: bool
    output_limit: int | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is billed. `input` includes what was read from the prompt cache and written to it."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A judge's reply to what was asked, with its bill; a dialect puts it into its own words."""

    asked: Asked
    reply: Reply
    tokens: Tokens
    cache: CacheUse


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status and body, and the tokens to be billed (none for an error)."""

    status_code: int
    body: dict[str, Any]
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API's way to ask and to answer. `read` and `completion` raise `Refused`, which `error` puts into words.

    `caches_by_itself`: whether prompts are cached without being marked.
    """

    read: Callable[[Mapping[str, Any], Circumstances], Asked]
    completion: Callable[[Said, Circumstances], dict[str, Any]]
    error: Callable[[Refused, str], dict[str, Any]]
    caches_by_itself: bool


def answer(
    dialect: Dialect,
    request: Mapping[str, Any],
    circumstances: Circumstances,
    *,
    cache: CacheUse | None = None,
    spoil: Callable[[Reply], Reply] | None = None,
) -> Answered:
    """Let the judge that `model` names answer; a bad request gets the error a provider would give.

    `spoil` is a fault that changes the reply.
    """
    try:
        asked = dialect.read(request, circumstances)
        reply = _within(_reply(asked, circumstances.replicate), asked.output_limit)
        said = _said(asked, spoil(reply) if spoil else reply, cache or CacheUse())
        return Answered(200, dialect.completion(said, circumstances), said.tokens)
    except Refused as refused:
        return refusal(dialect, refused, circumstances)


def refusal(dialect: Dialect, refused: Refused, circumstances: Circumstances) -> Answered:
    """An error in a dialect's words; nothing is billed."""
    return Answered(refused.status, dialect.error(refused, circumstances.request_id))


def body_sha256(body: Mapping[str, Any]) -> str:
    """Of the body in canonical form: keys sorted, no blanks, ASCII."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def replicate_of(custom_id: str) -> int:
    """How often the same was asked before, as a custom_id says."""
    marked = _REPLICATE.fullmatch(custom_id, max(0, custom_id.rfind("-r")))
    return int(marked[1]) if marked else 0


def offers_ties(schema: object) -> bool:
    """Whether a verdict's JSON schema has "Tie" among the winners."""
    offered: Any = schema
    for key in ("properties", "winner", "enum"):
        offered = offered.get(key) if isinstance(offered, dict) else None
    return isinstance(offered, list) and "Tie" in offered


def count_tokens(text: str) -> int:
    """A token for every four bytes begun."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def _reply(asked: Asked, replicate: int) -> Reply:
    try:
        judge = judge_named(asked.model)
    except UnknownJudge:
        message = f"The model `{asked.model}` does not exist or you do not have access to it."
        raise Refused(404, message, code="model_not_found") from None
    except BadParameters as error:
        raise Refused(400, str(error), param="model", code="invalid_value") from None
    try:
        sections = read_sections(asked.question)
    except ValueError as error:
        message = f"The emulator's judges answer comparisons only. {error}"
        raise Refused(400, message, param="messages", code="invalid_value") from None
    try:
        return judge(Comparison(sections["ESSAY A"], sections["ESSAY B"], ties=asked.ties, replicate=replicate))
    except NoAnswer as error:
        raise Refused(400, str(error), param="messages", code="invalid_value") from None


def _said(asked: Asked, reply: Reply, cache: CacheUse) -> Said:
    if reply.input_tokens is not None and reply.output_tokens is not None:
        return Said(asked, reply, Tokens(input=reply.input_tokens, output=reply.output_tokens), CacheUse())
    tokens = Tokens(
        input=count_tokens("".join(block.text for block in asked.blocks)),
        output=count_tokens(reply.content or reply.refusal or ""),
        cached=cache.read,
        cache_write=cache.written,
    )
    return Said(asked, reply, tokens, cache)


def _within(reply: Reply, limit: int | None) -> Reply:
    """Cut an answer that is longer than the request allows, as a provider does."""
    if reply.content is None or limit is None or count_tokens(reply.content) <= limit:
        return reply
    kept = reply.content.encode("utf-8", "surrogatepass")[: limit * BYTES_PER_TOKEN].decode("utf-8", "ignore")
    return Reply(kept, finish_reason="length")
