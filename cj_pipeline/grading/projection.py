"""From scores to grades: cuts from the anchors, and for every essay a probability of each grade."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cj_pipeline.errors import CjError
from cj_pipeline.grading.anchor_gate import AnchorGate, judge_anchors
from cj_pipeline.grading.calibration import Calibration, calibrate
from cj_pipeline.grading.leave_one_out import LeaveOneAnchorOut, summarise_left_out
from cj_pipeline.grading.probabilities import held_near, least_mass, median_labels, shortest_ranges
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit

FEWEST_ANCHORS = 3
FEWEST_GRADES = 2
RANGE_PROBABILITY = 0.8  # held by the ranges of a batch on average
LEAST_IN_A_RANGE = 2 / 3  # held by each, whatever the others hold


class NotGradable(CjError):
    """No essay can be graded: there are scores, but too little to tie them to a scale."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class GradeProjection:
    """Grades of every item; label indices point into `scale.labels`, -1 and NaN mean ungraded.

    An anchor's row is its leave-one-out projection: what it would get if its own grade were not known.
    """

    scale: GradeScale
    probabilities: FloatArray  # (n_items, n_labels); rows sum to 1
    grade: IntArray  # (n_items,) posterior median
    range_low: IntArray  # (n_items,) shortest run of labels that holds `range_mass`
    range_high: IntArray
    range_mass: float  # least probability in a range; as low as may be for pupils' ranges to hold 80 % on average
    p_exact: FloatArray  # P(the grade is right)
    p_within_one: FloatArray
    ungraded_reason: list[str | None]
    thresholds: FloatArray  # (n_labels - 1,) cuts on the unshrunk scores, of the component with most anchors
    threshold_standard_errors: FloatArray
    discrepancy: float  # logits: sd between this judge's scale and the anchors' grades, found by leaving one out
    leave_one_out: LeaveOneAnchorOut
    gate: AnchorGate  # of the component with most anchors


def project_grades(fit: ScaleFit, anchors: ArrayLike, anchor_grades: ArrayLike, scale: GradeScale) -> GradeProjection:
    """Project every essay of `fit` onto `scale` through its anchors.

    `anchors` are item indices, `anchor_grades` their grades as indices into `scale.grades`. Each connected
    component stands on its own anchors: at least three with a score, of at least two grades. Raises
    NotGradable when no component has them, ValueError when the arguments do not fit together.
    """
    items, grades = _checked_anchors(fit, np.asarray(anchors), np.asarray(anchor_grades), scale)
    usable = np.isfinite(fit.scores[items])
    calibrations: dict[int, Calibration] = {}
    shortcomings: dict[int, str] = {}
    for component in np.unique(fit.component).tolist():
        here = usable & (fit.component[items] == component)
        shortcoming = _shortcoming(grades[here])
        if shortcoming is None:
            calibrations[component] = _calibrate_component(fit, items[here], grades[here], scale)
        else:
            shortcomings[component] = shortcoming
    if not calibrations:
        raise NotGradable(_nothing_gradable(items.size, int(usable.sum()), shortcomings))

    n_items, n_labels = fit.scores.size, len(scale.labels)
    probabilities = np.full((n_items, n_labels), np.nan)
    reasons: list[str | None] = [None] * n_items
    for item, (component, score) in enumerate(zip(fit.component.tolist(), fit.scores, strict=True)):
        if np.isnan(score):
            reasons[item] = "no comparisons"
        elif component in shortcomings:
            reasons[item] = f"its group of linked essays has {shortcomings[component]}"
    for component, calibration in calibrations.items():
        linked = np.flatnonzero((fit.component == component) & np.isfinite(fit.scores))
        probabilities[linked] = calibration.projected(
            fit.unshrunk_scores[linked], fit.unshrunk_standard_errors[linked] ** 2
        )
    left_out = summarise_left_out(list(calibrations.values()), scale)
    probabilities[left_out.anchors] = left_out.probabilities
    return _projection(scale, probabilities, reasons, calibrations, left_out)


def _projection(
    scale: GradeScale,
    probabilities: FloatArray,
    reasons: list[str | None],
    calibrations: dict[int, Calibration],
    left_out: LeaveOneAnchorOut,
) -> GradeProjection:
    main = max(calibrations.values(), key=lambda calibration: calibration.items.size)
    graded = np.isfinite(probabilities[:, 0])
    grade, low, high = np.full((3, graded.size), -1, dtype=np.int64)
    grade[graded] = median_labels(probabilities[graded])
    mass = _range_mass(probabilities, grade, left_out.anchors)
    low[graded], high[graded] = shortest_ranges(probabilities[graded], grade[graded], mass)
    return GradeProjection(
        scale=scale,
        probabilities=probabilities,
        grade=grade,
        range_low=low,
        range_high=high,
        range_mass=mass,
        p_exact=np.where(graded, held_near(probabilities, grade, 0), np.nan),
        p_within_one=np.where(graded, held_near(probabilities, grade, 1), np.nan),
        ungraded_reason=reasons,
        thresholds=main.thresholds.cuts,
        threshold_standard_errors=np.sqrt(main.thresholds.variances),
        discrepancy=main.discrepancy,
        leave_one_out=left_out,
        gate=judge_anchors(main, scale),
    )


def _range_mass(probabilities: FloatArray, grade: IntArray, anchors: IntArray) -> float:
    """From the pupils that have a grade; without any, from the anchors."""
    graded = np.flatnonzero(grade >= 0)
    pupils = np.setdiff1d(graded, anchors)
    counted = pupils if pupils.size else graded
    return max(LEAST_IN_A_RANGE, least_mass(probabilities[counted], grade[counted], RANGE_PROBABILITY))


def _checked_anchors(fit: ScaleFit, items: IntArray, grades: IntArray, scale: GradeScale) -> tuple[IntArray, IntArray]:
    if items.ndim != 1 or items.shape != grades.shape:
        raise ValueError(f"every anchor needs one grade: {items.shape} anchors, {grades.shape} grades")
    if not items.size:
        raise NotGradable("there are no anchors, so scores cannot be tied to grades")
    if items.min() < 0 or items.max() >= fit.scores.size:
        raise ValueError(f"anchors must be items 0..{fit.scores.size - 1}, not {items.min()}..{items.max()}")
    if np.unique(items).size < items.size:
        raise ValueError("an anchor is listed twice")
    if grades.min() < 0 or grades.max() >= len(scale.grades):
        raise ValueError(f"anchor grades are indices into the {len(scale.grades)} grades of {scale.name!r}")
    return items, grades


def _shortcoming(grades: IntArray) -> str | None:
    """What keeps a component's anchors from carrying grades, in words; None if nothing does."""
    distinct = np.unique(grades).size
    if grades.size < FEWEST_ANCHORS:
        return f"{grades.size} usable anchors; at least {FEWEST_ANCHORS} are needed"
    if distinct < FEWEST_GRADES:
        return f"anchors of {distinct} grade only; at least {FEWEST_GRADES} are needed"
    return None


def _nothing_gradable(n_anchors: int, n_usable: int, shortcomings: dict[int, str]) -> str:
    if n_usable < FEWEST_ANCHORS:
        return f"{n_usable} of {n_anchors} anchors have comparisons; grades need at least {FEWEST_ANCHORS}"
    if len(shortcomings) == 1:
        return f"there are {shortcomings[0]}"
    return (
        f"the essays fall into {len(shortcomings)} groups that never met, and none of them holds "
        f"{FEWEST_ANCHORS} anchors of {FEWEST_GRADES} grades"
    )


def _calibrate_component(fit: ScaleFit, items: IntArray, grades: IntArray, scale: GradeScale) -> Calibration:
    return calibrate(items, grades, fit.unshrunk_scores[items], fit.unshrunk_standard_errors[items] ** 2, scale)
