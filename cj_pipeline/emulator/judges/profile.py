"""Three stand-ins with the habits of recorded runs: who wins and what it takes, by a digest of the two texts.

They repeat the predecessor's mock profiles by its rule, so that what was asserted of those can be asserted here.
They judge nothing: with these, a scale is a lottery that comes out the same every time.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from cj_pipeline.emulator.judges.comparison import ESSAY_A, ESSAY_B, Comparison, Judge, Reply, verdict

TOKENS_PER_WORD = 0.75  # the predecessor's estimate; words are runs of non-blanks
TOKENS_AROUND_REASON = 10  # of the answer besides its justification
NOMINAL_CONFIDENCE, CONFIDENCE_SPREAD = 4.5, 0.3
_REASONS: dict[str, Sequence[str]] = {
    ESSAY_A: (
        "The first text came up by the rule.",
        "By its digest the first seat is chosen.",
        "The rule of this stand-in names text one.",
        "Nothing was read; the first seat is named.",
        "Here the digest points to the first text.",
    ),
    ESSAY_B: (
        "The second text came up by the rule.",
        "By its digest the second seat is chosen.",
        "The rule of this stand-in names text two.",
        "Nothing was read; the second seat is named.",
        "Here the digest points to the second text.",
    ),
}  # six to nine words each, as short as the predecessor's


@dataclass(frozen=True, slots=True)
class Profile:
    """The first seat wins when the digest's number, modulo `of`, is below `first`. Floors are tokens."""

    first: int
    of: int
    input_floor: int
    output_floor: int


# the shares are those of the recorded runs: 35 of 66 and 4 of 10 for the essay shown first
PROFILES = {
    "cj_generic": Profile(first=1, of=1, input_floor=5, output_floor=17),
    "eng5_anchor": Profile(first=35, of=66, input_floor=1_100, output_floor=40),
    "eng5_lower5": Profile(first=4, of=10, input_floor=1_000, output_floor=30),
}


def profile(given: str, *, name: str) -> Judge:
    """The judge of that name. Raises `ValueError` for anything behind its colon: it has no parameters."""
    if given:
        raise ValueError(f"{name} takes no parameters; write {name}")
    return partial(_reply, habits=PROFILES[name])


def _reply(comparison: Comparison, *, habits: Profile) -> Reply:
    # what a batch's prompts share decides nothing and is not counted: another rubric leaves every figure as it is
    prompt = f"{comparison.text_a}\n\n{comparison.text_b}"
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    winner = ESSAY_A if int(digest[:8], 16) % habits.of < habits.first else ESSAY_B
    reason = _REASONS[winner][int(digest[8:12], 16) % len(_REASONS[winner])]
    return Reply(
        verdict(winner, reason, _confidence(int(digest[12:20], 16) / 16**8)),
        input_tokens=max(habits.input_floor, _tokens(prompt)),
        output_tokens=max(habits.output_floor, _tokens(reason) + TOKENS_AROUND_REASON),
    )


def _confidence(draw: float) -> int:
    """The predecessor's 4.5 +- .3 of 5 on the form's whole numbers.

    Drawn as there: divided by 5, then stretched to 1..5, which makes it 4.36 to 4.84.
    """
    internal = (NOMINAL_CONFIDENCE + CONFIDENCE_SPREAD * (2 * draw - 1)) / 5
    return math.floor(internal * 4 + 1 + 0.5)


def _tokens(text: str) -> int:
    return max(1, math.ceil(TOKENS_PER_WORD * max(1, len(text.split()))))
