"""How a batch stands: graded, scored without grades, withheld or not answered, and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures.essays import EssayFigures
from cj_pipeline.report.figures.stored import only_row
from cj_pipeline.report.reasons import told


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


def is_overridden(finding: Finding) -> bool:
    """A red gate that a person overrode."""
    return finding.kind is Kind.GATE and not finding.passed and finding.overridden is not None


def _outcome(rows: Sequence[EssayFigures], *, red: bool) -> Outcome:
    if all(row.score is None for row in rows):
        return Outcome.UNANSWERED
    if any(row.grade is not None for row in rows):
        return Outcome.GRADED
    return Outcome.WITHHELD if red else Outcome.SCORED
