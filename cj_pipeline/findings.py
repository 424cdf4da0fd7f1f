"""What a check found. Each stage states its claims as functions that return findings with their numbers.

The same findings feed the asset checks, the command line and the report, so the three can never disagree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cj_pipeline.errors import StructuralFault


class Kind(StrEnum):
    """What follows from a red finding."""

    STRUCTURAL = "structural"  # can never be right: raised before the table is written
    GATE = "gate"  # withholds the grades and turns the batch's last check red
    ADVICE = "advice"  # warns
    PARITY = "parity"  # a profile unlike the predecessor, anchors below their targets: fails the run, withholds nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim about one batch.

    `asset` and `name` are the check's address. `summary` is a sentence with the figures in it; `numbers` are
    the figures for machines.
    """

    asset: str
    name: str
    kind: Kind
    passed: bool
    summary: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    overridden: str | None = None  # the written reason of the person who overrode a red gate

    @property
    def stops_grades(self) -> bool:
        """A red gate that nobody overrode."""
        return self.kind is Kind.GATE and not self.passed and self.overridden is None


def red_gates(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that withhold the grades, in the order given."""
    return [finding for finding in findings if finding.stops_grades]


def with_overrides(findings: Iterable[Finding], reasons: Mapping[str, str]) -> list[Finding]:
    """Mark red gates that a person overrode by name, with the written reason."""
    return [
        replace(finding, overridden=reasons[finding.name])
        if finding.kind is Kind.GATE and not finding.passed and reasons.get(finding.name, "").strip()
        else finding
        for finding in findings
    ]


def refuse_structural(batch_id: str, findings: Iterable[Finding]) -> None:
    """Raise `StructuralFault` naming every structural finding that is red; called before a table is written."""
    faults = [finding for finding in findings if finding.kind is Kind.STRUCTURAL and not finding.passed]
    if faults:
        said = "; ".join(f"{fault.name}: {fault.summary}" for fault in faults)
        raise StructuralFault(f"batch {batch_id}, {faults[0].asset}: {said}. Nothing was written.")
