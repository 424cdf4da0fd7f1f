"""The answer: its JSON schema, and a parser that takes an answer as written or not at all.

A verdict that does not match is invalid and counts as such. It is never mapped to a tie, to the first seat,
or to whatever a pattern could find in it: each of those guesses bends the scale.
"""

import json
import re
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from cj_pipeline.judging.prompt import MAX_JUSTIFICATION_WORDS

MAX_JUSTIFICATION_CHARS = 1_000  # what is kept of a justification; the judge is asked for 50 words
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FIELDS = {"winner", "justification", "confidence"}


class Winner(StrEnum):
    """Who won a comparison, as the tables spell it."""

    ESSAY_A = "essay_a"
    ESSAY_B = "essay_b"
    TIE = "tie"


class _AsAsked(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An answer exactly as it was asked for."""

    winner: Literal["Essay A", "Essay B", "Tie"]
    justification: str
    confidence: Annotated[int, msgspec.Meta(ge=1, le=5)]


_read_as_asked = msgspec.json.Decoder(_AsAsked).decode
_QUOTATION_MARKS = 10  # around three keys and two texts: with so many and no escape, no key stands twice

_AS_SPELT = {"Essay A": Winner.ESSAY_A, "Essay B": Winner.ESSAY_B, "Tie": Winner.TIE}
_SPELLINGS = {spelt.casefold(): winner for spelt, winner in _AS_SPELT.items()}


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A parsed answer. `confidence` is the judge's own, 1 to 5; it never enters the scale."""

    winner: Winner
    justification: str
    confidence: int


class InvalidVerdict(ValueError):
    """The answer is not a verdict; the message says which rule it breaks."""


def verdict_schema(*, ties: bool) -> dict[str, Any]:
    """The strict JSON schema sent with each request (every property required, nothing else allowed)."""
    return {
        "type": "object",
        "properties": {
            "winner": {"type": "string", "enum": ["Essay A", "Essay B", *(["Tie"] if ties else [])]},
            "justification": {
                "type": "string",
                "description": f"At most {MAX_JUSTIFICATION_WORDS} words naming the deciding factor.",
            },
            "confidence": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        },
        "required": ["winner", "justification", "confidence"],
        "additionalProperties": False,
    }


def parse_verdict(content: str, *, ties: bool) -> Verdict:
    """Read one JSON object; only letter case, surrounding blanks and one code fence are forgiven.

    Raises `InvalidVerdict` for everything else: prose, two objects, extra or missing keys, an unknown winner,
    a tie where none was offered, a confidence that is not a whole number from 1 to 5.
    """
    if content.count('"') == _QUOTATION_MARKS and "\\" not in content:
        with suppress(ValueError):  # the slower reader says what it is
            asked = _read_as_asked(content)
            winner = _offered(_AS_SPELT[asked.winner], ties=ties)
            return Verdict(winner, _justification(asked.justification), asked.confidence)
    fenced = _FENCE.match(content)
    answer = _one_object(fenced.group(1) if fenced else content)
    if answer.keys() != _FIELDS:
        raise InvalidVerdict(f"keys are {sorted(answer)}, not {sorted(_FIELDS)}")
    return Verdict(
        winner=_winner(answer["winner"], ties=ties),
        justification=_justification(answer["justification"]),
        confidence=_confidence(answer["confidence"]),
    )


def _one_object(content: str) -> dict[str, Any]:
    try:
        # strict=False: judges put literal line breaks into strings; they change no meaning
        answer = json.loads(content, strict=False, object_pairs_hook=_without_repeats)
    except InvalidVerdict:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidVerdict(f"not one JSON value: {error.__class__.__name__}") from None
    if not isinstance(answer, dict):
        raise InvalidVerdict(f"a JSON {type(answer).__name__}, not an object")
    return answer


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise InvalidVerdict("a key stands twice")
    return answer


def _winner(value: object, *, ties: bool) -> Winner:
    winner = _SPELLINGS.get(" ".join(value.split()).casefold()) if isinstance(value, str) else None
    if winner is None:
        raise InvalidVerdict('winner is not "Essay A", "Essay B" or "Tie"')
    return _offered(winner, ties=ties)


def _offered(winner: Winner, *, ties: bool) -> Winner:
    if winner is Winner.TIE and not ties:
        raise InvalidVerdict("a tie, though ties were not offered")
    return winner


def _justification(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidVerdict("justification is not a text")
    # JSON can spell half of a surrogate pair, which no file can hold
    whole = value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    return whole.strip()[:MAX_JUSTIFICATION_CHARS]


def _confidence(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise InvalidVerdict("confidence is not a whole number from 1 to 5")
    return value
