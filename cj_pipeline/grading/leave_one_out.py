"""Each anchor projected without its own label: the one validity figure a batch carries by itself."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.grading.agreement import Agreement, agreement
from cj_pipeline.grading.calibration import Calibration
from cj_pipeline.grading.probabilities import median_labels
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray


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


def summarise_left_out(calibrations: list[Calibration], scale: GradeScale) -> LeaveOneAnchorOut:
    """The leave-one-out figures over all components."""
    probabilities = np.concatenate([one.left_out_probabilities(scale) for one in calibrations])
    given = np.concatenate([one.grades for one in calibrations]) + scale.labels_below
    projected = median_labels(probabilities)
    overall: Agreement = agreement(given, projected, len(scale.labels))
    return LeaveOneAnchorOut(
        anchors=np.concatenate([one.items for one in calibrations]),
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
