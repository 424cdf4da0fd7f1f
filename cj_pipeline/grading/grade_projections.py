"""From scores to grades: `grade_projections`, `anchor_projections`, `grade_fit` and `anchor_drift`.

A red gate withholds every grade with its reason; the scores stand. An essay that cannot be graded never stops
the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.findings import Finding, red_gates, with_overrides
from cj_pipeline.grading.drift import EarlierBatch, drift_rows
from cj_pipeline.grading.findings import gate_findings
from cj_pipeline.grading.projection import GradeProjection, NotGradable, project_grades
from cj_pipeline.grading.review import review_priority
from cj_pipeline.judging.findings import unanswered_essays
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit
from cj_pipeline.scoring.bradley_terry_scores import fit_judgments
from cj_pipeline.scoring.findings import MISFIT
from cj_pipeline.tables import GRADE_FIT, table_of_rows

ALL_ALIKE = 1e-9  # logits between the best and the worst: nothing to lay a line through
REVIEW_BELOW = 0.5  # a grade that is rather wrong than right goes to a person


@dataclass(frozen=True, slots=True)
class _Ungraded:
    """Scores without grades, for all essays alike."""

    reason: str


def grade_tables(
    batch: Batch,
    judgments: pa.Table,
    upstream: Sequence[Finding],
    human_judgments: pa.Table | None = None,
    earlier: EarlierBatch | None = None,
) -> dict[str, pa.Table]:
    """The four tables of the grades, by name; `upstream` are the findings of the stages before.

    `earlier` is the batch that drift is measured from.

    No scale, no anchors or too few of them give scores without grades, never an error.
    """
    judge_ids = [judge.id for judge in batch.manifest.judges]
    weighs = batch.manifest.scoring.discrimination
    fit = fit_judgments(batch.essays, judgments, judge_ids, human_judgments, discrimination=weighs)
    projection = _project(batch, fit)
    drift = table_of_rows("anchor_drift", drift_rows(batch, fit, earlier))
    if isinstance(projection, _Ungraded):
        return {
            "grade_projections": _ungraded_rows(batch, projection.reason),
            "anchor_projections": table_of_rows("anchor_projections", []),
            "grade_fit": _fit_row(batch, fit, None, projection.reason),
            "anchor_drift": drift,
        }
    reasons = _reasons(batch, judgments, projection)
    fit_row = _fit_row(batch, fit, projection, None)
    ungraded = sum(reason is not None for reason in reasons[batch.n_anchors :])
    gates = gate_findings(fit_row, ungraded, batch.n_students, batch.manifest.checks.max_ungraded_share)
    red = red_gates(with_overrides([*upstream, *gates], batch.manifest.checks.override))
    withheld = "; ".join(f"{gate.name}: {gate.summary}" for gate in red) or None
    rows = _graded_rows(batch, fit, projection, reasons)
    return {
        "grade_projections": rows if withheld is None else _withheld_rows(rows, withheld),
        "anchor_projections": _anchor_rows(batch, projection),
        "grade_fit": _fit_row(batch, fit, projection, withheld),
        "anchor_drift": drift,
    }


def _project(batch: Batch, fit: ScaleFit) -> GradeProjection | _Ungraded:
    if batch.scale is None:
        return _Ungraded("the batch names no scale")
    scale = batch.scale
    known = [scale.grade_index(grade) for grade in batch.essays["anchor_grade"].to_pylist()[: batch.n_anchors]]
    try:
        return project_grades(fit, np.arange(batch.n_anchors), np.array(known, dtype=np.int64), scale)
    except NotGradable as error:
        return _Ungraded(str(error))


def _reasons(batch: Batch, judgments: pa.Table, projection: GradeProjection) -> list[str | None]:
    unanswered = unanswered_essays(batch, judgments)
    ids = batch.essays["essay_id"].to_pylist()
    return [unanswered.get(essay) or reason for essay, reason in zip(ids, projection.ungraded_reason, strict=True)]


def _graded_rows(batch: Batch, fit: ScaleFit, projection: GradeProjection, reasons: list[str | None]) -> pa.Table:
    labels = projection.scale.labels
    priority = review_priority(projection.probabilities, projection.grade)
    rows: list[dict[str, Any]] = []
    for item, (essay, anchor, reason) in enumerate(_essays(batch, reasons)):
        row = {"essay_id": essay, "is_anchor": anchor, "reason": reason, **dict.fromkeys(_GRADE_COLUMNS)}
        if reason is None and projection.grade[item] >= 0:
            row |= {
                "grade": labels[projection.grade[item]],
                "grade_probabilities": list(zip(labels, projection.probabilities[item].tolist(), strict=True)),
                "grade_low": labels[projection.range_low[item]],
                "grade_high": labels[projection.range_high[item]],
                "p_exact": float(projection.p_exact[item]),
                "p_within_one": float(projection.p_within_one[item]),
                "review_priority": float(priority[item]),
                "reason": _why_read(projection, fit, item),
            }
        else:
            row["review_priority"] = 1.0
        rows.append(row)
    return table_of_rows("grade_projections", rows)


_GRADE_COLUMNS = (
    "grade", "grade_probabilities", "grade_low", "grade_high", "p_exact", "p_within_one", "review_priority",
)  # fmt: skip


def _why_read(projection: GradeProjection, fit: ScaleFit, item: int) -> str | None:
    labels, probabilities, grade = projection.scale.labels, projection.probabilities[item], projection.grade[item]
    why = []
    if projection.p_exact[item] < REVIEW_BELOW:
        rival = int(np.where(np.arange(len(labels)) == grade, -1, probabilities).argmax())
        why.append(f"{labels[grade]} {probabilities[grade]:.0%}, {labels[rival]} {probabilities[rival]:.0%} probable")
    if fit.infit[item] > MISFIT:
        why.append(f"judged inconsistently (infit {fit.infit[item]:.1f})")
    return "; ".join(why) or None


def _ungraded_rows(batch: Batch, reason: str) -> pa.Table:
    rows = [
        {"essay_id": essay, "is_anchor": anchor, "reason": reason, **dict.fromkeys(_GRADE_COLUMNS)}
        for essay, anchor, _ in _essays(batch, [None] * batch.essays.num_rows)
    ]
    return table_of_rows("grade_projections", rows)


def _withheld_rows(rows: pa.Table, withheld: str) -> pa.Table:
    kept = [{**row, **dict.fromkeys(_GRADE_COLUMNS), "reason": f"withheld. {withheld}"} for row in rows.to_pylist()]
    return table_of_rows("grade_projections", kept)


def _anchor_rows(batch: Batch, projection: GradeProjection) -> pa.Table:
    left_out, labels = projection.leave_one_out, projection.scale.labels
    ids = batch.essays["essay_id"].to_pylist()
    rows = [
        {
            "essay_id": ids[item],
            "grade": labels[left_out.given[row]],
            "projected_grade": labels[left_out.projected[row]],
            "p_grade": float(left_out.probabilities[row, left_out.given[row]]),
            "residual": float(left_out.residual[row]),
        }
        for row, item in enumerate(left_out.anchors.tolist())
    ]
    return table_of_rows("anchor_projections", rows)


def _fit_row(batch: Batch, fit: ScaleFit, projection: GradeProjection | None, withheld: str | None) -> pa.Table:
    row: dict[str, Any] = dict.fromkeys(GRADE_FIT.names)
    row |= {
        "scale": batch.scale.name if batch.scale else None,
        "labels": list(batch.scale.labels) if batch.scale else [],
        "thresholds": [],
        "thresholds_on_scores": [],
        "threshold_standard_errors": [],
        "anchors": 0,
        "withheld": withheld,
    }
    if projection is not None:
        left_out, gate = projection.leave_one_out, projection.gate
        row |= {
            "thresholds": projection.thresholds.tolist(),
            "thresholds_on_scores": _beside_shrunken(projection.thresholds, fit, left_out.anchors).tolist(),
            "threshold_standard_errors": projection.threshold_standard_errors.tolist(),
            "anchors": left_out.n,
            **{name: _number(getattr(left_out, name)) for name in ("exact", "adjacent", "mae", "qwk", "spearman")},
            "anchor_tau": _number(gate.kendall_tau),
            "anchor_tau_limit": _number(gate.kendall_tau_quantile),
            "anchor_chance": gate.chance,
            "anchor_signal": _number(gate.signal),
            "largest_deviation": _number(gate.largest_deviation),
            "largest_deviation_anchor": batch.essays["essay_id"][gate.largest_deviation_anchor].as_py(),
            "anchor_fault": gate.reason,
            "discrepancy": projection.discrepancy,
            "range_mass": projection.range_mass,
        }
    return table_of_rows("grade_fit", [row])


def _beside_shrunken(cuts: FloatArray, fit: ScaleFit, anchors: IntArray) -> FloatArray:
    """Where cuts on the unshrunk scores fall beside the shrunken ones: by a line through the essays on that scale."""
    component = np.bincount(fit.component[anchors]).argmax()
    members = (fit.component == component) & np.isfinite(fit.unshrunk_scores)
    unshrunk, shrunken = fit.unshrunk_scores[members], fit.scores[members]
    if np.ptp(unshrunk) < ALL_ALIKE:
        return cuts
    slope, intercept = np.polyfit(unshrunk, shrunken, 1)
    return slope * cuts + intercept


def _essays(batch: Batch, reasons: list[str | None]) -> Iterator[tuple[str, bool, str | None]]:
    return zip(batch.essays["essay_id"].to_pylist(), batch.essays["is_anchor"].to_pylist(), reasons, strict=True)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
