"""The figures a report states, computed from the evidence: plain values, no words and no markup.

The page, the charts and the command line all read from here, so they cannot disagree.
"""

from cj_pipeline.report.figures.essays import EssayFigures, calibrated_component, essay_figures
from cj_pipeline.report.figures.judges import JudgeFigures, first_wins, judge_figures, seat_differences
from cj_pipeline.report.figures.rereading import REVIEW_SHARE, Review, review
from cj_pipeline.report.figures.state import Outcome, State, batch_state, is_overridden
from cj_pipeline.report.figures.stored import Z80, Z95, grade_labels, only_row, stored
from cj_pipeline.report.figures.truth import (
    AnchorAccuracy,
    AnchorFigures,
    KnownAgreement,
    anchor_accuracy,
    anchor_figures,
    known_agreement,
)

__all__ = [
    "REVIEW_SHARE", "Z80", "Z95", "AnchorAccuracy", "AnchorFigures", "EssayFigures", "JudgeFigures", "KnownAgreement",
    "Outcome", "Review", "State", "anchor_accuracy", "anchor_figures", "batch_state", "calibrated_component",
    "essay_figures", "first_wins", "grade_labels", "is_overridden", "judge_figures", "known_agreement", "only_row",
    "review", "seat_differences", "stored",
]  # fmt: skip
