"""Every essay with its score and its grade."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures.stored import by_essay, finite, grade_labels, stored
from cj_pipeline.report.reasons import told
from cj_pipeline.scoring.findings import MISFIT


@dataclass(frozen=True, slots=True)
class EssayFigures:
    """One essay in the ranking. `number` counts from 1 in the order of the essays table and names its script.

    `probabilities` follow the labels of the scale, worst first; empty when there are none.
    """

    number: int
    essay_id: str
    is_anchor: bool
    anchor_grade: str | None
    known_grade: str | None
    word_count: int
    component: int
    rank: int | None
    score: float | None
    standard_error: float | None
    comparisons: int
    infit: float | None
    misfit: bool
    grade: str | None
    grade_low: str | None
    grade_high: str | None
    probabilities: tuple[float, ...]
    p_exact: float | None
    priority: float | None
    reason: str | None


def essay_figures(evidence: Evidence) -> list[EssayFigures]:
    """Every essay once: by component and rank, essays without a rank at the end."""
    scores = by_essay(evidence, "bradley_terry_scores")
    grades = {
        essay_id: {**row, "reason": told(row["reason"], evidence.language)}
        for essay_id, row in by_essay(evidence, "grade_projections").items()
    }
    labels = grade_labels(evidence)
    essays = stored(evidence, "essays").drop_columns(["text", "sha256"]).to_pylist()
    rows = [
        _essay(number, essay, scores.get(essay["essay_id"], {}), grades.get(essay["essay_id"], {}), labels)
        for number, essay in enumerate(essays, start=1)
    ]
    return sorted(rows, key=lambda row: (row.rank is None, row.component, row.rank or 0, row.essay_id))


def calibrated_component(rows: Sequence[EssayFigures]) -> int | None:
    """The component whose cuts the grade fit states, the one with most anchors; None without grades."""
    if not any(row.grade is not None for row in rows):
        return None
    anchors = Counter(row.component for row in rows if row.is_anchor and row.score is not None)
    return min(anchors, key=lambda component: (-anchors[component], component), default=None)


def _essay(
    number: int,
    essay: Mapping[str, Any],
    score: Mapping[str, Any],
    grade: Mapping[str, Any],
    labels: Sequence[str],
) -> EssayFigures:
    shares = dict(grade.get("grade_probabilities") or ())
    infit = finite(score.get("infit"))
    return EssayFigures(
        number=number,
        essay_id=essay["essay_id"],
        is_anchor=essay["is_anchor"],
        anchor_grade=essay["anchor_grade"],
        known_grade=essay["known_grade"],
        word_count=essay["word_count"],
        component=score.get("component") or 0,
        rank=score.get("rank"),
        score=finite(score.get("score")),
        standard_error=finite(score.get("standard_error")),
        comparisons=score.get("comparisons") or 0,
        infit=infit,
        misfit=infit is not None and infit > MISFIT,
        grade=grade.get("grade"),
        grade_low=grade.get("grade_low"),
        grade_high=grade.get("grade_high"),
        probabilities=tuple(shares.get(label) or 0.0 for label in labels) if shares else (),
        p_exact=grade.get("p_exact"),
        priority=grade.get("review_priority"),
        reason=grade.get("reason"),
    )
