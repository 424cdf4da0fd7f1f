"""When scores are precise enough to stop, and whether there is anything in them.

Precision is no signal: tossed coins give small standard errors too. So a stop is a success only where verdicts
follow scores that were there before them, and pairs that nobody chose by score are reliable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, nan

from cj_pipeline.waves.rules import StopRule, WaveRules

SURE_SIGNAL = 3.0  # standard errors; tossed coins come so far once in 740 batches
NO_SIGNAL = 1.28  # standard errors; nine in ten coin-toss batches stay below
SPEAKING = 24  # verdicts, from which on a judge who tells essays apart (sd 2.5 logits) is above it in 99 % of batches


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the scores of a wave are worth; NaN where it cannot be said."""

    mean_se: float  # logits, of the centred scores
    max_se: float
    min_degree: int  # answered comparisons of the least asked essay
    components: int
    score_change: float  # largest since the wave before; infinite on the first
    reliability: float  # on pairs drawn at random (between judges, if several), projected to all
    signal: float  # standard errors by which verdicts follow the scores from before they were given
    by: str = "at_random"  # at_random | judges
    signal_verdicts: int = 0  # how many verdicts the signal stands on

    def signal_sentence(self) -> str:
        """For people."""
        return (
            f"verdicts follow earlier scores by {self.signal:.1f} standard errors, reliability {self.reliability:.2f}"
        )


NO_EVIDENCE = Evidence(nan, nan, 0, 0, inf, nan, nan)


def score_change(current: Mapping[str, float], previous: Mapping[str, float] | None) -> float:
    """max |current - previous| over the essays scored now, in logits; infinite without earlier scores.

    An essay without an earlier score counts from 0, the middle of the scale.
    """
    if not previous:
        return inf
    return max((abs(score - previous.get(essay, 0.0)) for essay, score in current.items()), default=0.0)


def stop_reason(evidence: Evidence, answered: int, rules: WaveRules) -> str | None:
    """The sentence that says why the stop rule is met, or None."""
    if rules.rule is StopRule.NONE or answered < rules.min_comparisons:
        return None
    if rules.rule is StopRule.MAX_DELTA:
        met = evidence.score_change <= rules.max_delta
        return f"no score moved by more than {evidence.score_change:.3g} logits" if met else None
    if not linked_and_asked(evidence, rules):
        return None
    if rules.rule is StopRule.MEAN_SE:
        met = evidence.mean_se <= rules.target_mean_se
        return f"the mean standard error is {evidence.mean_se:.3g} logits" if met else None
    met = evidence.reliability >= rules.target_reliability and evidence.signal >= SURE_SIGNAL
    return f"the reliability is {evidence.reliability:.3g}" if met else None


def linked_and_asked(evidence: Evidence, rules: WaveRules) -> bool:
    """Whether all essays hang together and each was asked often enough for any figure about them."""
    return evidence.components == 1 and evidence.min_degree >= rules.min_degree


class Signal(StrEnum):
    """Whether the scores tell essays apart."""

    SURE = "sure"
    UNCLEAR = "unclear"
    NONE = "none"
    UNTOLD = "untold"  # too few verdicts for a judge with an opinion to have shown it


def signal_in(evidence: Evidence, rules: WaveRules) -> Signal:
    """By evidence that the choice of pairs cannot have made."""
    if evidence.signal >= SURE_SIGNAL and evidence.reliability >= rules.signal_floor:
        return Signal.SURE
    if not linked_and_asked(evidence, rules) or evidence.signal_verdicts < SPEAKING:
        return Signal.UNTOLD
    return Signal.UNCLEAR if evidence.signal >= NO_SIGNAL else Signal.NONE
