"""Which essays a person should read again, and what that buys."""

from typing import TYPE_CHECKING

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from cj_pipeline.grading.projection import GradeProjection


def review_priority(probabilities: FloatArray, grade: IntArray) -> FloatArray:
    """Probability that the grade is wrong, larger errors counting more: sum_k P(k) (1 - 2^-|k - grade|).

    One grade off counts a half, two three quarters, and so on, so the priority lies between 0 and 1.
    `probabilities` (n, labels), `grade` (n,) label index. An ungraded essay (grade -1) has priority 1: only
    a person can grade it.
    """
    distance = np.abs(np.arange(probabilities.shape[1]) - grade[:, None])
    priority = (probabilities * (1 - 0.5**distance)).sum(axis=1)
    return np.where(grade < 0, 1.0, priority)


def review_curve(projection: "GradeProjection", student_items: IntArray) -> tuple[FloatArray, FloatArray]:
    """What re-reading in order of priority leaves: (share re-read, expected misgrades), from none to all.

    Over the graded essays among `student_items`; both arrays have one entry more than there are of them. A
    re-read grade is taken as right.
    """
    graded = student_items[projection.grade[student_items] >= 0]
    priority = review_priority(projection.probabilities[graded], projection.grade[graded])
    in_order = graded[np.argsort(-priority, kind="stable")]
    wrong = 1 - projection.p_exact[in_order]
    left = np.concatenate([[wrong.sum()], wrong.sum() - np.cumsum(wrong)])
    return np.linspace(0.0, 1.0, graded.size + 1), np.maximum(left, 0.0)
