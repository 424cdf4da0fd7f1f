"""What a judge is given and what it gives back, and the one source of chance all judges share.

Chance is a digest of what is asked: the same question gets the same answer in every process and after every
restart, so that a repeated purchase is visible as a repetition and tests need no luck.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass

ESSAY_A, ESSAY_B, TIE = "Essay A", "Essay B", "Tie"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two texts, the first shown first, and whether the request's schema offers a tie.

    `replicate` is how often the same was asked before.
    """

    text_a: str
    text_b: str
    ties: bool = False
    replicate: int = 0

    @property
    def asked(self) -> tuple[object, ...]:
        """What chance is drawn from: both texts, and which time it is if not the first."""
        return (self.text_a, self.text_b, *([self.replicate] if self.replicate else []))


@dataclass(frozen=True, slots=True)
class Reply:
    """What the judge says: `content` or `refusal`, and why it stopped (`stop` or `length`).

    A judge that counts its own tokens says so; else they are estimated from the bytes.
    """

    content: str | None
    refusal: str | None = None
    finish_reason: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None


Judge = Callable[[Comparison], Reply]


class NoAnswer(ValueError):
    """A judge that has nothing to say to a comparison, and why."""


def fraction(*parts: object) -> float:
    """A number strictly between 0 and 1, uniform over inputs, from SHA-256 of the parts."""
    digest = hashlib.sha256()
    for part in parts:
        # surrogatepass: JSON may carry lone surrogates, and an odd text must not stop a batch
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return (int.from_bytes(digest.digest()[:6], "big") + 0.5) / 2**48


def logistic(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    return 0.5 * (1.0 + math.tanh(0.5 * logit))


def confidence(logit: float) -> int:
    """1 (a guess) to 5 (certain): one step per 0.7 logits between the two essays."""
    return 1 + min(4, int(abs(logit) / 0.7))


def verdict(winner: str, justification: str, confidence: int) -> str:
    """The answer as the strict schema wants it."""
    answer = {"winner": winner, "justification": justification, "confidence": confidence}
    return json.dumps(answer, ensure_ascii=False)
