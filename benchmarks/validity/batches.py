"""One simulated batch: essays of known quality and grade, anchors, a wave plan, a judge's answers, the fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.validity.judges import ORDINARY_SD, STEP, Judge
from cj_pipeline.grading import GradeProjection, own_scale, project_grades
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit, score_comparisons

SCALE = own_scale(tuple("123456789"))
TWELVE = (0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8)  # two at each end, as in the national English exam
ANCHOR_GRADES = {3: (0, 4, 8), 4: (0, 3, 5, 8), 6: (0, 2, 3, 5, 6, 8), 12: TWELVE, 24: TWELVE * 2}
EQUAL = np.linspace(-2.25, 2.25, 8)
_WIDTHS = np.array([0.35, 0.45, 0.5, 0.6, 0.7, 0.9, 1.0])
SKEWED = np.concatenate([[0.0], np.cumsum(_WIDTHS)]) * 4.5 / _WIDTHS.sum() - 2.25

Ask = Callable[[IntArray, IntArray], FloatArray]
"""A wave: pairs (first, second) asked of the judge, its answers given back."""
WavePlan = Callable[["Design", int, Ask], None]
"""How pairs are chosen, wave by wave; from what `Ask` answers, if the mode looks at that."""


@dataclass(frozen=True, slots=True)
class Design:
    """`mislabelled` is the share of anchors one grade off; `scrambled` deals the anchors' grades out at random."""

    essays: int = 37
    anchors: int = 12
    per_essay: int = 7  # comparisons bought for each, so that it is in twice as many
    skewed: bool = False
    mislabelled: float = 0.0
    scrambled: bool = False

    @property
    def cuts(self) -> FloatArray:
        """Between the nine grades, in logits of an ordinary judge."""
        return SKEWED if self.skewed else EQUAL


@dataclass(frozen=True, slots=True)
class Drawn:
    """A batch before it is scored; anchors are the first essays."""

    design: Design
    quality: FloatArray  # (n,) in logits of an ordinary judge
    given: IntArray  # (anchors,) grades as labelled
    grades: IntArray  # (pupils,) true grades
    first: IntArray
    second: IntArray
    won: FloatArray  # NaN where the judge refused

    @property
    def anchors(self) -> IntArray:
        """Their items."""
        return np.arange(self.design.anchors)

    def fit(self) -> ScaleFit:
        """The product's scale of what was answered."""
        said = np.isfinite(self.won)
        judge = np.zeros(int(said.sum()), dtype=np.int64)
        pairs = (self.first[said], self.second[said], self.won[said])
        return score_comparisons(*pairs, judge, self.design.essays, n_judges=1)

    def projection(self, fit: ScaleFit) -> GradeProjection:
        """The product's grades."""
        return project_grades(fit, self.anchors, self.given, SCALE)


def single_wave(design: Design, seed: int, ask: Ask) -> None:
    """The mode `provider_batch_api`: all pairs at once."""
    pupils = design.essays - design.anchors
    ask(*plan_single_wave(pupils, design.anchors, design.per_essay * design.essays, seed))


def draw(design: Design, judge: Judge, seed: int, plan: WavePlan = single_wave) -> Drawn:
    """A batch by its number; batches of one number share their essays, whoever judges them."""
    rng = np.random.default_rng([seed, design.essays, design.anchors])
    given = np.array(ANCHOR_GRADES[design.anchors])
    edges = np.concatenate([[design.cuts[0] - STEP], design.cuts, [design.cuts[-1] + STEP]])
    anchors = rng.uniform(edges[given], edges[given + 1])
    pupils = ORDINARY_SD * rng.standard_normal(design.essays - design.anchors)
    quality = np.concatenate([anchors, pupils])
    wrong = rng.random(given.size) < design.mislabelled
    labelled = np.where(wrong, np.clip(given + rng.choice([-1, 1], size=given.size), 0, 8), given)
    if design.scrambled:
        labelled = rng.permutation(labelled)

    answering = np.random.default_rng([seed, design.essays, design.anchors, 1])
    seen = judge.sees(quality, answering)
    asked: list[tuple[IntArray, IntArray, FloatArray]] = []

    def ask(first: IntArray, second: IntArray) -> FloatArray:
        won = judge.answers(seen, quality, first, second, answering)
        asked.append((first, second, won))
        return won

    plan(design, seed, ask)
    first, second, won = (np.concatenate(part) for part in zip(*asked, strict=True))
    return Drawn(design, quality, labelled, np.searchsorted(design.cuts, pupils), first, second, won)
