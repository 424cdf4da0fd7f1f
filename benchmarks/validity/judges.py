"""The judges that are simulated: from perfect to tossing coins, and those that look at something else."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray

ORDINARY_SD = 1.5  # logits between essays in the eyes of an ordinary judge
STEP = 4.5 / 8  # logits of one of nine grades in the same eyes

Refusal = Callable[[FloatArray], FloatArray]
"""Quality of the essays (n,) to the chance that a comparison with each is refused."""


class Worth(StrEnum):
    """What the gates owe a judge."""

    PASS = "deserves to pass"
    HONEST = "honest, and weak"
    BLOCK = "must not pass"


@dataclass(frozen=True, slots=True)
class Judge:
    """What a judge sees of an essay, and how it answers.

    It sees `sharpness` x (`quality` x the essay's quality + `length` x its length + its own taste), in logits; the
    essay shown first gains `seat`. `taste` is the sd of what it alone sees, in grades.
    """

    name: str
    worth: Worth
    sharpness: float = 1.0
    quality: float = 1.0
    length: float = 0.0
    taste: float = 0.0
    seat: float = 0.3
    refuses: Refusal | None = None

    def sees(self, quality: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(n,) logits, the same for every comparison of a batch."""
        lengths = ORDINARY_SD * rng.standard_normal(quality.size)
        taste = self.taste * STEP * rng.standard_normal(quality.size)
        return self.quality * quality + self.length * lengths + taste

    def answers(
        self, seen: FloatArray, quality: FloatArray, first: IntArray, second: IntArray, rng: np.random.Generator
    ) -> FloatArray:
        """1 where the first essay wins, 0 the second, NaN where it refuses."""
        difference = seen[first] - seen[second]
        if np.isinf(self.sharpness):
            won = (difference > 0).astype(np.float64)
        else:
            won = (rng.random(first.size) < expit(self.sharpness * difference + self.seat)).astype(np.float64)
        if self.refuses is not None:
            chance = self.refuses(quality)
            won[rng.random(first.size) < np.maximum(chance[first], chance[second])] = np.nan
        return won


def at_random(share: float) -> Refusal:
    """Refuses this share of all comparisons."""
    return partial(_everything, share=share)


def the_weakest(share: float, chance: float) -> Refusal:
    """Refuses comparisons with the weakest essays."""
    return partial(_lowest, share=share, chance=chance)


def _everything(quality: FloatArray, *, share: float) -> FloatArray:
    return np.full(quality.size, share)


def _lowest(quality: FloatArray, *, share: float, chance: float) -> FloatArray:
    return np.where(quality <= np.quantile(quality, share), chance, 0.0)


PERFECT = Judge("perfect", Worth.PASS, sharpness=np.inf)
SHARP = Judge("sharp (2.5 times ordinary)", Worth.PASS, sharpness=2.5)
ORDINARY = Judge("ordinary", Worth.PASS)
NOISY = Judge("noisy (half of ordinary)", Worth.HONEST, sharpness=0.5)
COIN = Judge("coin toss", Worth.BLOCK, sharpness=0.0)
UNRELATED = Judge("sharp, looks at length alone", Worth.BLOCK, sharpness=2.5, quality=0.0, length=1.0)

SIZED = (PERFECT, SHARP, ORDINARY, NOISY, COIN, UNRELATED)
JUDGES = (
    *SIZED,
    Judge("seat-biased (2 logits)", Worth.PASS, seat=2.0),
    Judge("own taste (half a grade)", Worth.HONEST, taste=0.5),
    Judge("sharp, own taste (a whole grade)", Worth.HONEST, sharpness=2.5, taste=1.0),
    Judge("length-biased (.8 quality, .6 length)", Worth.HONEST, quality=0.8, length=0.6),
    Judge("refuses 5 % at random", Worth.PASS, refuses=at_random(0.05)),
    Judge("refuses half about the weakest tenth", Worth.PASS, refuses=the_weakest(0.1, 0.5)),
    Judge("always the first seat", Worth.BLOCK, sharpness=0.0, seat=12.0),
    Judge("refuses 35 % at random", Worth.BLOCK, refuses=at_random(0.35)),
)
