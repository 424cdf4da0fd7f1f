"""What every provider's result lines have in common: whose they are, what is compared when one is repeated, JSON.

A line is read by a fast parser, and by Python's own where that one declines (half surrogates, UTF-16, depth).
"""

import json
from typing import Any

import msgspec
from pydantic_core import from_json

from cj_pipeline.judging import Answer, ErrorCode, InvalidVerdict, Usage, parse_verdict
from cj_pipeline.judging.verdict import Winner

MAX_TOKENS = 1_000_000_000  # beyond it a count is a mistake, not a bill
MISSHAPEN = (
    AttributeError,
    KeyError,
    TypeError,
    IndexError,
    ValueError,
    RecursionError,
)  # a part is not what it should be


class ResultLine(msgspec.Struct, frozen=True, gc=False):
    """One line of a result file, as it came and as it is understood."""

    custom_id: str
    answer: Answer
    line: bytes

    @property
    def content(self) -> str:
        """The line's substance, to compare repeated lines by; spelt out only when asked for, for few lines repeat."""
        try:
            said = loaded(self.line)
            return json.dumps([said.get(part) for part in ("response", "error", "result")], sort_keys=True)
        except (ValueError, RecursionError):
            return self.line.decode(errors="replace")


def loaded(line: bytes) -> Any:
    """The JSON value of a line. Raises `ValueError` or `RecursionError`."""
    try:
        return from_json(line, cache_strings="keys")
    except ValueError:
        return json.loads(line)


def attributed(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """A line's custom_id and its fields, or None when it cannot be attributed to an item."""
    try:
        fields = loaded(line)
    except (ValueError, RecursionError):
        return None
    custom_id = fields.get("custom_id") if isinstance(fields, dict) else None
    return (custom_id, fields) if isinstance(custom_id, str) else None


def judged(content: str, *, ties: bool, model: str | None, usage: Usage | None) -> Answer:
    """The answer a judge's text stands for: its verdict, or that it is none."""
    try:
        return Answer(parse_verdict(content, ties=ties), None, model, usage)
    except InvalidVerdict:
        return Answer(None, ErrorCode.INVALID_VERDICT, model, usage)


def are_counts(a: Any, b: Any, c: Any, d: Any) -> bool:
    """Whether all of these can be numbers of tokens; a bool is none."""
    if not (type(a) is type(b) is type(c) is type(d) is int):
        return False
    return 0 <= a <= MAX_TOKENS and 0 <= b <= MAX_TOKENS and 0 <= c <= MAX_TOKENS and 0 <= d <= MAX_TOKENS


def printable_name(value: object) -> str | None:
    """A name as it may stand in a table, or None."""
    return value if isinstance(value, str) and value.isprintable() else None


def without_words(line: bytes, answer: Answer) -> bytes:
    """A result line that says the same and quotes nothing: who won stays, every text a judge wrote goes.

    For both providers' shapes; what is no verdict stays none, what is cut off stays cut off.
    """
    try:
        fields = loaded(line)
    except (ValueError, RecursionError):
        return b""
    verdict = answer.verdict
    kept = (
        json.dumps({"winner": _SPELT[verdict.winner], "justification": "", "confidence": verdict.confidence})
        if verdict
        else ERASED_WORDS
    )
    _replace_words(fields, kept)
    return json.dumps(fields).encode()


ERASED_WORDS = "(erased)"
_SPELT = {Winner.ESSAY_A: "Essay A", Winner.ESSAY_B: "Essay B", Winner.TIE: "Tie"}
_WORDS = {"content", "text", "refusal", "reasoning", "reasoning_content", "thinking"}


def _replace_words(value: Any, kept: str) -> None:
    """In place, at any depth: the strings that hold what a judge said."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in _WORDS and isinstance(part, str) and part.strip():
                value[name] = kept
            else:
                _replace_words(part, kept)
    elif isinstance(value, list):
        for part in value:
            _replace_words(part, kept)
