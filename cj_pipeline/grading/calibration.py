"""The anchors of one group of linked essays, and the scale's cuts as they place them."""

from dataclasses import dataclass, replace

import numpy as np

from cj_pipeline.grading.probabilities import believed, label_probabilities
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.grading.thresholds import Thresholds, fit_thresholds, fit_thresholds_without_each
from cj_pipeline.pairing.arrays import FloatArray, IntArray

DISCREPANCIES = np.linspace(0.0, 3.0, 25)  # steps; what is thought possible of the sd between judge and grades
DISCREPANCY_PRIOR_SD = 0.7  # steps; ranges of a judge without any then cover 86 %, of one that has a whole step 78 %


@dataclass(frozen=True, slots=True)
class Calibration:
    """Cuts from all anchors and from all but each; arrays have one entry per usable anchor.

    Between this judge's scale and the grades lies a discrepancy beyond the errors of both: an essay's place on the
    one differs from that on the other with some sd. Anchors show it only roughly, so all sizes are kept, each with
    its probability.
    """

    items: IntArray
    grades: IntArray  # indices into scale.grades
    positions: FloatArray
    variances: FloatArray
    thresholds: Thresholds
    cuts_without: FloatArray  # (n_anchors, n_labels - 1) fitted to the others
    cut_variances_without: FloatArray
    middles_without: FloatArray
    reaches_without: FloatArray
    discrepancies: FloatArray  # (25,) logits
    probable: FloatArray  # (25,) probability of each, from how well anchors are graded when left out
    probable_without: FloatArray  # (n_anchors, 25) the same, from the other anchors alone

    @property
    def discrepancy(self) -> float:
        """Root mean square, logits."""
        return float(np.sqrt(self.probable @ self.discrepancies**2))

    def left_out_probabilities(self, scale: GradeScale) -> FloatArray:
        """P(label) of each anchor by all that the others show; an anchor is never below the lowest grade."""
        return np.einsum("ad,dal->al", self.probable_without, _left_out(self, scale))

    def projected(self, positions: FloatArray, variances: FloatArray) -> FloatArray:
        """P(label) of essays at these scores, over the errors of score and cuts and the discrepancy."""
        fitted = self.thresholds
        total = 0.0
        for discrepancy, weight in zip(self.discrepancies, self.probable, strict=True):
            means, spread = believed(positions, variances + discrepancy**2, fitted.middle, fitted.reach)
            total = total + weight * label_probabilities(means, spread, fitted.cuts, fitted.variances)
        return np.asarray(total)


def calibrate(
    items: IntArray, grades: IntArray, positions: FloatArray, variances: FloatArray, scale: GradeScale
) -> Calibration:
    """Fit the cuts to all anchors and without each, and find how far judge and grades disagree."""
    thresholds = fit_thresholds(positions, variances, grades, scale)
    without = fit_thresholds_without_each(positions, variances, grades, scale, thresholds)
    nothing_known = np.full((items.size, DISCREPANCIES.size), 1 / DISCREPANCIES.size)
    unweighed = Calibration(
        items=items,
        grades=grades,
        positions=positions,
        variances=variances,
        thresholds=thresholds,
        cuts_without=np.array([one.cuts for one in without]),
        cut_variances_without=np.array([one.variances for one in without]),
        middles_without=np.array([one.middle for one in without]),
        reaches_without=np.array([one.reach for one in without]),
        discrepancies=DISCREPANCIES * thresholds.step,
        probable=nothing_known[0],
        probable_without=nothing_known,
    )
    of_given = _left_out(unweighed, scale)[:, np.arange(items.size), grades + scale.labels_below]
    support = np.log(np.maximum(of_given, 1e-12)).T
    everything = support.sum(axis=0)
    return replace(unweighed, probable=_posterior(everything), probable_without=_posterior(everything - support))


def _left_out(anchors: Calibration, scale: GradeScale) -> FloatArray:
    """P(label) of each anchor by the cuts of the others, at each discrepancy: (25, n_anchors, n_labels)."""
    sizes = anchors.discrepancies
    variances = anchors.variances + sizes[:, None] ** 2
    means, spread = believed(anchors.positions, variances, anchors.middles_without, anchors.reaches_without)
    cuts, cut_variances = (
        np.tile(values, (sizes.size, 1)) for values in (anchors.cuts_without, anchors.cut_variances_without)
    )
    probabilities = label_probabilities(means.ravel(), spread.ravel(), cuts, cut_variances)
    probabilities = probabilities.reshape(sizes.size, anchors.items.size, -1)
    below = scale.labels_below
    probabilities[..., below] += probabilities[..., :below].sum(axis=-1)
    probabilities[..., :below] = 0.0
    return probabilities


def _posterior(support: FloatArray) -> FloatArray:
    """Probability of each discrepancy, the last axis adding up to one; `support` is the log likelihood."""
    logarithm = support - 0.5 * (DISCREPANCIES / DISCREPANCY_PRIOR_SD) ** 2
    weight = np.exp(logarithm - logarithm.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)
