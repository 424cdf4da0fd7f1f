"""Grade scales, as the grading room uses them; they live in `cj_pipeline.scales`, since batches know them too."""

from cj_pipeline.scales import BUILT_IN_SCALES, GradeScale, UnknownGrade, UnknownScale, own_scale, scale_named

__all__ = ["BUILT_IN_SCALES", "GradeScale", "UnknownGrade", "UnknownScale", "own_scale", "scale_named"]
