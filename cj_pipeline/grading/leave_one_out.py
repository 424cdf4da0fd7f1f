"""Each anchor projected without its own label: the one validity figure a batch carries by itself."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.grading.agreement import Agreement, agreement
from cj_pipeline.grading.probabilities import label_probabilities, median_labels
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.grading.thresholds import Thresholds, fit_thresholds
from cj_pipeline.pairing.arrays import FloatArray, IntArray

DISCREPANCY_PRIOR_SD = 0.5  # steps; keeps a dozen anchors from inventing a large disagreement


@dataclass(frozen=True, slots=True)
class LeaveOneAnchorOut:
    """One entry per usable anchor; grades are indices into the scale's labels."""

    anchors: IntArray  # item indices
    given: IntArray
    projected: IntArray
    probabilities: FloatArray  # (n, n_labels)
    residual: FloatArray  # expected projected grade less given grade, in grades
    n: int
    exact: float
    adjacent: float  # within one grade, exact included
    mae: float
    qwk: float
    spearman: float


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """The usable anchors of one component, and the cuts that each of them is judged by."""

    items: IntArray
    grades: IntArray  # indices into scale.grades
    positions: FloatArray
    variances: FloatArray
    without: list[Thresholds]  # one per anchor: the cuts fitted to the others
    discrepancy: float  # logits

    def left_out_probabilities(self, scale: GradeScale, discrepancy: float) -> FloatArray:
        """P(label) of each anchor by the cuts of the others; an anchor is never below the lowest grade."""
        rows = [
            label_probabilities(self.positions[[i]], self.variances[[i]] + discrepancy**2, thresholds)
            for i, thresholds in enumerate(self.without)
        ]
        probabilities = np.concatenate(rows)
        below = scale.labels_below
        probabilities[:, below] += probabilities[:, :below].sum(axis=1)
        probabilities[:, :below] = 0.0
        return probabilities


def leave_each_out(
    items: IntArray, grades: IntArray, positions: FloatArray, variances: FloatArray, scale: GradeScale
) -> AnchorSet:
    """Refit the cuts without each anchor, and estimate how far judge and grades disagree beyond the errors."""
    without = []
    for index in range(items.size):
        others = np.delete(np.arange(items.size), index)
        without.append(fit_thresholds(positions[others], variances[others], grades[others], scale))
    anchors = AnchorSet(items, grades, positions, variances, without, discrepancy=0.0)
    return AnchorSet(items, grades, positions, variances, without, _discrepancy(anchors, scale))


def _discrepancy(anchors: AnchorSet, scale: GradeScale) -> float:
    """The extra standard deviation that makes the anchors' own grades most probable when left out."""
    step = float(np.mean([thresholds.step for thresholds in anchors.without]))
    candidates = np.linspace(0.0, 4.0, 81)
    rows = np.arange(anchors.items.size)
    fits = [
        float(np.log(np.maximum(held[rows, anchors.grades + scale.labels_below], 1e-12)).sum())
        for held in (anchors.left_out_probabilities(scale, candidate * step) for candidate in candidates)
    ]
    penalised = np.array(fits) - 0.5 * (candidates / DISCREPANCY_PRIOR_SD) ** 2
    return float(candidates[penalised.argmax()] * step)


def summarise_left_out(sets: list[AnchorSet], scale: GradeScale) -> LeaveOneAnchorOut:
    """The leave-one-out figures over all components."""
    probabilities = np.concatenate([one.left_out_probabilities(scale, one.discrepancy) for one in sets])
    given = np.concatenate([one.grades for one in sets]) + scale.labels_below
    projected = median_labels(probabilities)
    overall: Agreement = agreement(given, projected, len(scale.labels))
    return LeaveOneAnchorOut(
        anchors=np.concatenate([one.items for one in sets]),
        given=given,
        projected=projected,
        probabilities=probabilities,
        residual=probabilities @ np.arange(len(scale.labels)) - given,
        n=overall.n,
        exact=overall.exact,
        adjacent=overall.adjacent,
        mae=overall.mae,
        qwk=overall.qwk,
        spearman=overall.spearman,
    )
