"""What is measured on simulated batches: rates with intervals, coverage, ranked probability score, slopes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from benchmarks.validity.batches import Drawn
from cj_pipeline.grading import GradeProjection, review_curve, review_priority
from cj_pipeline.grading.probabilities import label_probabilities
from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened, with its exact 95 % interval (Clopper & Pearson 1934)."""

    happened: int
    batches: int

    @property
    def share(self) -> float:
        return self.happened / self.batches

    @property
    def low(self) -> float:
        tail = (1 - CONFIDENCE) / 2
        return float(beta.ppf(tail, self.happened, self.batches - self.happened + 1)) if self.happened else 0.0

    @property
    def high(self) -> float:
        tail = (1 - CONFIDENCE) / 2
        rest = self.batches - self.happened
        return float(beta.ppf(1 - tail, self.happened + 1, rest)) if rest else 1.0

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.happened + other.happened, self.batches + other.batches)

    def __str__(self) -> str:
        return f"{self.happened} of {self.batches}: {self.share:.1%} ({self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True, slots=True)
class Graded:
    """A simulated batch and all that the product says about it."""

    drawn: Drawn
    fit: ScaleFit
    projection: GradeProjection

    @property
    def pupils(self) -> slice:
        """The items that are no anchors."""
        return slice(self.drawn.design.anchors, None)

    def right(self) -> BoolArray:
        """Which pupils have their true grade."""
        return self.projection.grade[self.pupils] == self.drawn.grades

    def held(self) -> BoolArray:
        """Which pupils' ranges hold their true grade."""
        low, high = self.projection.range_low[self.pupils], self.projection.range_high[self.pupils]
        return (low <= self.drawn.grades) & (self.drawn.grades <= high)

    def score(self) -> float:
        """Ranked probability score of the pupils' grades."""
        return ranked_probability_score(self.projection.probabilities[self.pupils], self.drawn.grades)

    def oracle_score(self, sharpness: float) -> float:
        """The same from the true cuts, laid on these scores."""
        truth, scores = self.drawn.quality * sharpness, self.fit.unshrunk_scores
        spread = truth - truth.mean()
        slope = (spread @ scores) / (spread @ spread)
        cuts = (self.drawn.design.cuts * sharpness - truth.mean()) * slope + scores.mean()
        variances = self.fit.unshrunk_standard_errors[self.pupils] ** 2
        known = label_probabilities(scores[self.pupils], variances, cuts, np.zeros(cuts.size))
        return ranked_probability_score(known, self.drawn.grades)

    def review(self, share: float) -> tuple[float, float, float, float]:
        """(misgrades promised, there) before and after re-reading this share in the order of priority."""
        pupils = np.arange(self.drawn.design.anchors, self.drawn.design.essays)
        shares, promised = review_curve(self.projection, pupils)
        read = int(np.searchsorted(shares, share - 1e-9))
        wrong = ~self.right()
        kept = np.ones(pupils.size, dtype=bool)
        kept[review_order(self.projection, pupils)[:read] - pupils[0]] = False
        return float(promised[0]), float(wrong.sum()), float(promised[read]), float(wrong[kept].sum())


def review_order(projection: GradeProjection, pupils: IntArray) -> IntArray:
    """Pupils' items in the order of the re-read list."""
    priority = review_priority(projection.probabilities[pupils], projection.grade[pupils])
    return pupils[np.argsort(-priority, kind="stable")]


def ranked_probability_score(probabilities: FloatArray, grades: IntArray) -> float:
    """Mean squared distance of cumulated probabilities from the truth, summed over cuts (Epstein 1969)."""
    passed = np.arange(probabilities.shape[1]) >= grades[:, None]
    return float(((probabilities.cumsum(axis=1) - passed) ** 2).sum(axis=1).mean())


def slope_ratio(batches: Sequence[Graded], sharpness: float) -> float:
    """Slope of anchors' scores on the truth over that of pupils' scores, within batches: one stick for both."""
    slopes = []
    for items in (slice(0, batches[0].drawn.design.anchors), batches[0].pupils):
        along = across = 0.0
        for batch in batches:
            truth = batch.drawn.quality[items] * sharpness
            deviation = truth - truth.mean()
            along += float(deviation @ batch.fit.unshrunk_scores[items])
            across += float(deviation @ deviation)
        slopes.append(along / across)
    return slopes[0] / slopes[1]
