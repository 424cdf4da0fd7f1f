"""The figures a report states, computed from the evidence: plain values, no words and no markup.

The page, the charts and the command line all read from here, so they cannot disagree.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import pyarrow as pa
from scipy.stats import spearmanr

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.grading.agreement import agreement
from cj_pipeline.report.evidence import Evidence, JudgeCard
from cj_pipeline.report.reasons import told
from cj_pipeline.scoring.findings import MISFIT
from cj_pipeline.tables import CONTRACTS

Z80 = 1.2815515655446004  # normal quantiles of the central 80 and 95 %
Z95 = 1.959963984540054
REVIEW_SHARE = 0.2  # what the review sentence offers; a school chooses its own point on the curve


class Outcome(StrEnum):
    """How a batch stands when its report is made."""

    GRADED = "graded"
    SCORED = "scored"  # no scale or no anchors: scores without grades
    WITHHELD = "withheld"  # a gate is red
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class State:
    """The batch in one value: `gates` are the red checks by name, `reason` says why there are no grades.

    `shared_reason` is what the table gives as the reason of most ungraded pupils; it marks none of them out.
    """

    outcome: Outcome
    pupils: int
    graded: int
    reason: str | None
    shared_reason: str | None
    gates: tuple[str, ...]
    overridden: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Review:
    """What a person should re-read: scripts without a grade, then graded ones, most useful first.

    `expected_wrong[k]` is the expected number of wrong pupils' grades after the first k of `graded` were
    re-read by a person who is right; `first` is the k that `REVIEW_SHARE` buys.
    """

    ungraded: tuple[EssayFigures, ...]
    graded: tuple[EssayFigures, ...]
    first: int
    expected_wrong: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """A judge as introduced, as fitted, and why it has no verdict where it has none (`error_code`: count)."""

    card: JudgeCard
    fit: Mapping[str, Any]
    reported: tuple[str, ...]
    unanswered: Mapping[str, int]


def stored(evidence: Evidence, name: str) -> pa.Table:
    """A table of the batch; an empty one of the same contract when the batch has not come so far."""
    return evidence.tables.get(name, CONTRACTS[name].empty_table())


def only_row(evidence: Evidence, name: str) -> dict[str, Any]:
    """The row of a one-row table; every value None when it has no row yet."""
    rows = stored(evidence, name).slice(0, 1).to_pylist()
    return rows[0] if rows else dict.fromkeys(CONTRACTS[name].names)


def grade_labels(evidence: Evidence) -> tuple[str, ...]:
    """The grades of the scale, worst first; empty for a batch without one."""
    return tuple(only_row(evidence, "grade_fit")["labels"] or ())


def essay_figures(evidence: Evidence) -> list[EssayFigures]:
    """Every essay once: by component and rank, essays without a rank at the end."""
    scores = _by_essay(evidence, "bradley_terry_scores")
    grades = {
        essay_id: {**row, "reason": told(row["reason"], evidence.language)}
        for essay_id, row in _by_essay(evidence, "grade_projections").items()
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


def batch_state(evidence: Evidence, rows: Sequence[EssayFigures]) -> State:
    """Graded, scored without grades, withheld, or not answered at all; and why."""
    pupils = [row for row in rows if not row.is_anchor]
    graded = sum(row.grade is not None for row in pupils)
    red = [finding for finding in evidence.findings if finding.stops_grades]
    reasons = Counter(row.reason for row in pupils if row.grade is None and row.reason)
    shared = reasons.most_common(1)[0][0] if reasons else None
    withheld = "; ".join(finding.summary for finding in red) or told(
        only_row(evidence, "grade_fit")["withheld"], evidence.language
    )
    return State(
        outcome=_outcome(rows, red=bool(red)),
        pupils=len(pupils),
        graded=graded,
        reason=withheld or shared,
        shared_reason=shared,
        gates=tuple(finding.name for finding in red),
        overridden=tuple(finding.name for finding in evidence.findings if is_overridden(finding)),
    )


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
        exact=_finite(found.exact) if found else None,
        adjacent=_finite(found.adjacent) if found else None,
        mae=_finite(found.mae) if found else None,
        qwk=_finite(found.qwk) if found else None,
        spearman_grades=_finite(found.spearman) if found else None,
        spearman_scores=_spearman([float(row.score or 0.0) for row in known], truth),
    )


def review(rows: Sequence[EssayFigures]) -> Review:
    """The re-read list of the pupils' essays and what reading down it prevents."""
    pupils = [row for row in rows if not row.is_anchor]
    graded = sorted(
        (row for row in pupils if row.grade is not None), key=lambda row: (-(row.priority or 0.0), row.essay_id)
    )
    wrong = [1.0 - row.p_exact if row.p_exact is not None else 0.0 for row in graded]
    left = [math.fsum(wrong[read:]) for read in range(len(wrong) + 1)]
    return Review(
        ungraded=tuple(row for row in pupils if row.grade is None),
        graded=tuple(graded),
        first=math.ceil(REVIEW_SHARE * len(graded)),
        expected_wrong=tuple(left),
    )


def seat_differences(evidence: Evidence) -> list[int]:
    """Per essay in the plan: times shown first minus times shown second."""
    pairs = stored(evidence, "comparison_pairs")
    balance = Counter(pairs["essay_a"].to_pylist())
    balance.subtract(pairs["essay_b"].to_pylist())
    return list(balance.values())


def judge_figures(evidence: Evidence) -> list[JudgeFigures]:
    """The judges in the order of the manifest."""
    fits = {row["judge_id"]: row for row in stored(evidence, "judge_fit").to_pylist()}
    answers = stored(evidence, "judgments").select(["judge_id", "outcome", "error_code", "model_reported"])
    reported: dict[str, set[str]] = {}
    unanswered: dict[str, Counter[str]] = {}
    for answer in answers.to_pylist():
        judge = answer["judge_id"]
        if answer["model_reported"]:
            reported.setdefault(judge, set()).add(answer["model_reported"])
        if answer["outcome"] != "success":
            unanswered.setdefault(judge, Counter())[answer["error_code"] or answer["outcome"]] += 1
    nothing = dict.fromkeys(CONTRACTS["judge_fit"].names)
    return [
        JudgeFigures(
            card=card,
            fit=fits.get(card.judge_id, nothing),
            reported=tuple(sorted(reported.get(card.judge_id, ()))),
            unanswered=unanswered.get(card.judge_id, Counter()),
        )
        for card in evidence.judges
    ]


def first_wins(order_effect: float) -> float:
    """Probability that the first of two equally good essays wins, from the order effect in logits."""
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, order_effect))))


def is_overridden(finding: Finding) -> bool:
    """A red gate that a person overrode."""
    return finding.kind is Kind.GATE and not finding.passed and finding.overridden is not None


def _by_essay(evidence: Evidence, name: str) -> dict[str, dict[str, Any]]:
    return {row["essay_id"]: row for row in stored(evidence, name).to_pylist()}


def _essay(
    number: int,
    essay: Mapping[str, Any],
    score: Mapping[str, Any],
    grade: Mapping[str, Any],
    labels: Sequence[str],
) -> EssayFigures:
    shares = dict(grade.get("grade_probabilities") or ())
    infit = _finite(score.get("infit"))
    return EssayFigures(
        number=number,
        essay_id=essay["essay_id"],
        is_anchor=essay["is_anchor"],
        anchor_grade=essay["anchor_grade"],
        known_grade=essay["known_grade"],
        word_count=essay["word_count"],
        component=score.get("component") or 0,
        rank=score.get("rank"),
        score=_finite(score.get("score")),
        standard_error=_finite(score.get("standard_error")),
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


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _outcome(rows: Sequence[EssayFigures], *, red: bool) -> Outcome:
    if all(row.score is None for row in rows):
        return Outcome.UNANSWERED
    if any(row.grade is not None for row in rows):
        return Outcome.GRADED
    return Outcome.WITHHELD if red else Outcome.SCORED


def _spearman(scores: Sequence[float], levels: Sequence[int]) -> float | None:
    if len(set(scores)) < 2 or len(set(levels)) < 2:
        return None
    return float(spearmanr(scores, levels).statistic)
