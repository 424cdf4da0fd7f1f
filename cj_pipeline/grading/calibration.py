"""The anchors of one group of linked essays, and the scale's cuts as they place them."""

from dataclasses import dataclass, replace

import numpy as np

from cj_pipeline.grading.probabilities import label_probabilities
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.grading.thresholds import Thresholds, fit_thresholds
from cj_pipeline.pairing.arrays import FloatArray, IntArray

DISCREPANCY_PRIOR_SD = 0.5  # steps; keeps a dozen anchors from inventing a large disagreement
LARGEST_DISCREPANCY = 4.0  # steps


@dataclass(frozen=True, slots=True)
class Calibration:
    """Cuts from all anchors and from all but each; arrays have one entry per usable anchor."""

    items: IntArray
    grades: IntArray  # indices into scale.grades
    positions: FloatArray
    variances: FloatArray
    thresholds: Thresholds
    cuts_without: FloatArray  # (n_anchors, n_labels - 1) fitted to the others
    cut_variances_without: FloatArray
    discrepancy: float  # logits: sd between this judge's scale and the grades, beyond the errors of both

    def left_out_probabilities(self, scale: GradeScale) -> FloatArray:
        """P(label) of each anchor by the cuts of the others; an anchor is never below the lowest grade."""
        probabilities = label_probabilities(
            self.positions,
            self.variances + self.discrepancy**2,
            self.cuts_without,
            self.cut_variances_without,
        )
        below = scale.labels_below
        probabilities[:, below] += probabilities[:, :below].sum(axis=1)
        probabilities[:, :below] = 0.0
        return probabilities


def calibrate(
    items: IntArray, grades: IntArray, positions: FloatArray, variances: FloatArray, scale: GradeScale
) -> Calibration:
    """Fit the cuts to all anchors and without each, and find how far judge and grades disagree."""
    thresholds = fit_thresholds(positions, variances, grades, scale)
    without = []
    for left_out in range(items.size):
        others = np.delete(np.arange(items.size), left_out)
        without.append(fit_thresholds(positions[others], variances[others], grades[others], scale, near=thresholds))
    agreeing = Calibration(
        items=items,
        grades=grades,
        positions=positions,
        variances=variances,
        thresholds=thresholds,
        cuts_without=np.array([one.cuts for one in without]),
        cut_variances_without=np.array([one.variances for one in without]),
        discrepancy=0.0,
    )
    return replace(agreeing, discrepancy=_discrepancy(agreeing, scale))


def _discrepancy(agreeing: Calibration, scale: GradeScale) -> float:
    """The extra standard deviation that makes the anchors' own grades most probable when left out."""
    candidates = np.linspace(0.0, LARGEST_DISCREPANCY, 81)
    step, rows = agreeing.thresholds.step, np.arange(agreeing.items.size)
    support = []
    for candidate in candidates:
        held = replace(agreeing, discrepancy=candidate * step).left_out_probabilities(scale)
        of_given = held[rows, agreeing.grades + scale.labels_below]
        support.append(np.log(np.maximum(of_given, 1e-12)).sum() - 0.5 * (candidate / DISCREPANCY_PRIOR_SD) ** 2)
    return float(candidates[np.argmax(support)] * step)
