"""The grades here against grades that people gave: of anchors, each with its own left out, and of pupils."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from scipy.stats import spearmanr

from cj_pipeline.grading.agreement import agreement
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures.essays import EssayFigures
from cj_pipeline.report.figures.stored import finite, grade_labels, only_row, stored


@dataclass(frozen=True, slots=True)
class AnchorFigures:
    """One anchor, projected with its own grade left out; the residual is projected minus known, in grades."""

    essay_id: str
    grade: str
    projected_grade: str | None
    p_grade: float | None
    residual: float | None


@dataclass(frozen=True, slots=True)
class AnchorAccuracy:
    """Leave-one-anchor-out over the `n` anchors that could be projected."""

    n: int
    exact: int
    adjacent: int
    unprojected: int
    mae: float | None
    qwk: float | None


@dataclass(frozen=True, slots=True)
class KnownAgreement:
    """Pupils' grades here against their known grades; `graded` is 0 when there are only scores."""

    n: int
    graded: int
    exact: float | None
    adjacent: float | None
    mae: float | None
    qwk: float | None
    spearman_grades: float | None
    spearman_scores: float | None


def anchor_figures(evidence: Evidence) -> list[AnchorFigures]:
    """The anchors, best grade first."""
    place = {label: index for index, label in enumerate(grade_labels(evidence))}
    table = stored(evidence, "anchor_projections").select([field.name for field in fields(AnchorFigures)])
    rows = [AnchorFigures(**row) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (-place.get(row.grade, -1), row.essay_id))


def anchor_accuracy(evidence: Evidence) -> AnchorAccuracy | None:
    """Leave-one-anchor-out counts from the projections themselves; None when no anchor was projected."""
    place = {label: index for index, label in enumerate(grade_labels(evidence))}
    rows = anchor_figures(evidence)
    distances = [
        abs(place[row.projected_grade] - place[row.grade])
        for row in rows
        if row.projected_grade in place and row.grade in place
    ]
    if not distances:
        return None
    fit = only_row(evidence, "grade_fit")
    return AnchorAccuracy(
        n=len(distances),
        exact=distances.count(0),
        adjacent=sum(distance <= 1 for distance in distances),
        unprojected=len(rows) - len(distances),
        mae=fit["mae"],
        qwk=fit["qwk"],
    )


def known_agreement(evidence: Evidence, rows: Sequence[EssayFigures]) -> KnownAgreement | None:
    """How far scores and grades agree with pupils' known grades; None with fewer than two to compare."""
    labels = grade_labels(evidence)
    place = {label: index for index, label in enumerate(labels)}
    known = [row for row in rows if not row.is_anchor and row.known_grade in place and row.score is not None]
    if len(known) < 2:
        return None
    truth = [place[str(row.known_grade)] for row in known]
    graded = [(place[row.grade], level) for row, level in zip(known, truth, strict=True) if row.grade in place]
    found = agreement([mine for mine, _ in graded], [level for _, level in graded], len(labels)) if graded else None
    return KnownAgreement(
        n=len(known),
        graded=len(graded),
        exact=finite(found.exact) if found else None,
        adjacent=finite(found.adjacent) if found else None,
        mae=finite(found.mae) if found else None,
        qwk=finite(found.qwk) if found else None,
        spearman_grades=finite(found.spearman) if found else None,
        spearman_scores=_spearman([float(row.score or 0.0) for row in known], truth),
    )


def _spearman(scores: Sequence[float], levels: Sequence[int]) -> float | None:
    if len(set(scores)) < 2 or len(set(levels)) < 2:
        return None
    return float(spearmanr(scores, levels).statistic)
