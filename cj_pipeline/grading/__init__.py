"""Grades from scores: scales, calibration on anchors, projection, leave-one-anchor-out, review."""

from cj_pipeline.grading.agreement import Agreement, agreement
from cj_pipeline.grading.anchor_gate import AnchorGate
from cj_pipeline.grading.leave_one_out import LeaveOneAnchorOut
from cj_pipeline.grading.projection import GradeProjection, NotGradable, project_grades
from cj_pipeline.grading.review import review_curve, review_priority
from cj_pipeline.grading.scales import (
    BUILT_IN_SCALES,
    GradeScale,
    UnknownGrade,
    UnknownScale,
    own_scale,
    scale_named,
)

__all__ = [
    "BUILT_IN_SCALES",
    "Agreement",
    "AnchorGate",
    "GradeProjection",
    "GradeScale",
    "LeaveOneAnchorOut",
    "NotGradable",
    "UnknownGrade",
    "UnknownScale",
    "agreement",
    "own_scale",
    "project_grades",
    "review_curve",
    "review_priority",
    "scale_named",
]
