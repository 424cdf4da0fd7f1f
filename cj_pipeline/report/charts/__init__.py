"""The report's charts as inline SVG: small pure functions from figures to markup."""

from cj_pipeline.report.charts.curves import budget_chart, path_chart, review_chart
from cj_pipeline.report.charts.frame import WIDE, Axis, axis_over, told_apart
from cj_pipeline.report.charts.grades import anchor_chart, grade_bars, grade_chart
from cj_pipeline.report.charts.judges import Preference, preference_chart, seat_chart
from cj_pipeline.report.charts.ranking import ranking_chart

__all__ = [
    "WIDE", "Axis", "Preference", "anchor_chart", "axis_over", "budget_chart", "grade_bars", "grade_chart",
    "path_chart", "preference_chart", "ranking_chart", "review_chart", "seat_chart", "told_apart",
]  # fmt: skip
