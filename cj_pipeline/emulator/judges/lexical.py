"""A transparent baseline: the essay with more, more varied and longer words tends to win. No judge of essays.

Quality is the sum of three standardised text features. On MERLIN German it orders learner texts by CEFR with
Spearman .85, by length and vocabulary alone; it reads nothing, and an exam must never rest on it.
"""

import math
import re
from dataclasses import astuple, dataclass
from functools import lru_cache, partial

from cj_pipeline.emulator.judges.comparison import (
    ESSAY_A,
    ESSAY_B,
    Comparison,
    Judge,
    Reply,
    confidence,
    fraction,
    logistic,
    verdict,
)

# (mean, SD) of each feature over the 1,029 essays of MERLIN German (essays_de.csv, CC BY-SA 4.0)
LOG_WORDS_REFERENCE = (4.574, 0.672)
ROOT_TYPE_TOKEN_REFERENCE = (7.260, 1.597)
WORD_LENGTH_REFERENCE = (4.959, 0.499)

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Features:
    """Standardised: 0 is the average MERLIN German learner text, 1 one standard deviation above it."""

    length: float
    vocabulary: float
    word_length: float

    @property
    def quality(self) -> float:
        """The plain sum; its SD over MERLIN German is 2.67."""
        return self.length + self.vocabulary + self.word_length


@dataclass(frozen=True, slots=True)
class LexicalParameters:
    """`slope`: logits per unit of quality."""

    slope: float = 1.0
    seed: int = 0


_PRAISE = ("more developed text", "wider range of different words", "longer words")  # in the order of Features


@lru_cache(maxsize=4096)
def features(text: str) -> Features:
    """Log word count, root type-token ratio (types / sqrt(tokens), Guiraud 1954) and mean word length.

    A word is a run of letters of any script, with inner apostrophes and hyphens. A text without one counts
    as a single word of no letters, so that every text has features.
    """
    words = _WORD.findall(text.lower()) or [""]
    return Features(
        length=_standardised(math.log(len(words)), LOG_WORDS_REFERENCE),
        vocabulary=_standardised(len(set(words)) / math.sqrt(len(words)), ROOT_TYPE_TOKEN_REFERENCE),
        word_length=_standardised(sum(map(len, words)) / len(words), WORD_LENGTH_REFERENCE),
    )


def lexical(parameters: LexicalParameters) -> Judge:
    """A judge for whom P(A wins) = logistic(slope x (quality of A - quality of B)); it never ties."""
    return partial(_reply, parameters=parameters)


def _reply(comparison: Comparison, *, parameters: LexicalParameters) -> Reply:
    features_a, features_b = features(comparison.text_a), features(comparison.text_b)
    logit = parameters.slope * (features_a.quality - features_b.quality)
    a_wins = fraction("lexical", parameters.seed, *comparison.asked) < logistic(logit)
    winner = ESSAY_A if a_wins else ESSAY_B
    return Reply(verdict(winner, _reason(winner, features_a, features_b), confidence(logit)))


def _reason(winner: str, features_a: Features, features_b: Features) -> str:
    sign = 1 if winner == ESSAY_A else -1
    leads = [sign * (a - b) for a, b in zip(astuple(features_a), astuple(features_b), strict=True)]
    lead, name = max(zip(leads, _PRAISE, strict=True))
    if lead <= 0:
        return f"A close call: nothing that was counted speaks for {winner}, which was drawn by lot."
    return f"{winner} has the {name} ({lead:.1f} standard deviations ahead); only words were counted."


def _standardised(value: float, reference: tuple[float, float]) -> float:
    mean, sd = reference
    return (value - mean) / sd
