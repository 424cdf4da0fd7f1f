"""A simulated judge: every text has a hidden true quality, and the verdict is that truth plus known faults.

For tests and for planning: what a scale should find is known exactly, and noise, order bias, ties, refusals,
malformed and truncated answers come at the rates one asks for.
"""

import json
import math
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

from cj_pipeline.emulator.judges.comparison import (
    ESSAY_A,
    ESSAY_B,
    TIE,
    Comparison,
    Judge,
    Reply,
    confidence,
    fraction,
    logistic,
    verdict,
)
from cj_pipeline.emulator.judges.instructions import instructs_the_judge

_REFUSAL = "I'm sorry, but I can't help with comparing these texts."
_JUSTIFICATION = "Simulated: the hidden quality of this text came out higher."
_OBEYED = "Simulated: this text asked to be chosen, and this judge obeyed it."
_JUSTIFICATION_TIE = "Simulated: the hidden qualities came out level."


@dataclass(frozen=True, slots=True)
class LatentParameters:
    """`sd`, `order`, `noise` in logits; `tie` for two equal essays; `refusal`, `malformed`, `truncated` as shares.

    `obeys` is the probability with which it follows an essay that asks to be chosen.
    """

    sd: float = 1.5
    order: float = 0.0
    noise: float = 1.0
    tie: float = 0.0
    refusal: float = 0.0
    malformed: float = 0.0
    truncated: float = 0.0
    obeys: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sd < 0 or self.noise < 0:
            raise ValueError("sd and noise cannot be negative")
        if not 0 <= self.tie < 1:
            raise ValueError("tie is a probability below 1")
        if not 0 <= self.obeys <= 1:
            raise ValueError("obeys is a probability")
        shares = (self.refusal, self.malformed, self.truncated)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("refusal, malformed and truncated are shares of all answers and sum to at most 1")


def latent_quality(text: str, *, sd: float = 1.5, seed: int = 0) -> float:
    """The true quality of a text in logits: a normal quantile (mean 0, `sd`) of the text's digest.

    Blanks around the text do not count, as they do not reach a judge.
    """
    return sd * NormalDist().inv_cdf(fraction("quality", seed, text.strip()))


def latent(parameters: LatentParameters) -> Judge:
    """A judge who sees the hidden qualities through `parameters`."""
    return partial(_reply, parameters=parameters)


def _reply(comparison: Comparison, *, parameters: LatentParameters) -> Reply:
    given = (parameters.seed, *comparison.asked)
    logit = _logit(comparison, parameters)
    content = _obeyed(comparison, parameters) or _verdict(
        logit, comparison.ties, parameters.tie, fraction("verdict", *given)
    )
    mishap = fraction("mishap", *given)
    if mishap < parameters.refusal:
        return Reply(content=None, refusal=_REFUSAL)
    if mishap < parameters.refusal + parameters.malformed:
        return Reply(_malformed(content, fraction("malformed", *given)))
    if mishap < parameters.refusal + parameters.malformed + parameters.truncated:
        return Reply(content[: 1 + int(fraction("cut", *given) * (len(content) - 1))], finish_reason="length")
    return Reply(content)


def _obeyed(comparison: Comparison, parameters: LatentParameters) -> str | None:
    """The verdict that one of the essays asks for, if it does and is obeyed; two that ask cancel out."""
    if fraction("obeys", parameters.seed, *comparison.asked) >= parameters.obeys:
        return None
    asks_a, asks_b = instructs_the_judge(comparison.text_a), instructs_the_judge(comparison.text_b)
    if asks_a == asks_b:
        return None
    return verdict(ESSAY_A if asks_a else ESSAY_B, _OBEYED, 5)


def _logit(comparison: Comparison, parameters: LatentParameters) -> float:
    """Of the first seat winning, in units of the judge's noise."""
    quality_a = latent_quality(comparison.text_a, sd=parameters.sd, seed=parameters.seed)
    quality_b = latent_quality(comparison.text_b, sd=parameters.sd, seed=parameters.seed)
    gap = quality_a - quality_b + parameters.order
    if parameters.noise == 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / parameters.noise


def _verdict(logit: float, ties: bool, tie: float, draw: float) -> str:
    """Davidson (1970): P(tie) = nu / (nu + 2 cosh(logit / 2)), so `tie` for equals and less for unequals."""
    p_tie = 0.0
    if ties and tie and abs(logit) < 700:  # beyond, cosh overflows and a tie is impossible
        nu = 2 * tie / (1 - tie)
        p_tie = nu / (nu + 2 * math.cosh(logit / 2))
    sure = confidence(min(abs(logit), 100.0))
    if draw >= 1 - p_tie:
        return verdict(TIE, _JUSTIFICATION_TIE, sure)
    winner = ESSAY_A if draw < (1 - p_tie) * logistic(logit) else ESSAY_B
    return verdict(winner, _JUSTIFICATION, sure)


def _malformed(content: str, draw: float) -> str:
    """One of the kinds seen from real models (rows 34, 36-38 of the hostile responses in the provider notes)."""
    answer = json.loads(content)
    prose = f"Both texts address the task, but I would say {answer['winner']} is the better one overall."
    other = {**answer, "winner": ESSAY_B if answer["winner"] == ESSAY_A else ESSAY_A}
    kinds = (
        prose,
        f"```json\n{content}\n{json.dumps(other)}\n```",
        json.dumps({**answer, "winner": "left" if answer["winner"] == ESSAY_A else "right"}),
        json.dumps({**answer, "confidence": "high"}),
        json.dumps({**answer, "score_a": 4}),
        json.dumps({"winner": answer["winner"], "justification": answer["justification"]}),
    )
    return kinds[int(draw * len(kinds))]
