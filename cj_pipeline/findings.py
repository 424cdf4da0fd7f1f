"""What a check found. Each stage states its claims as functions that return findings with their numbers.

The same findings feed the asset checks, the command line and the report, so the three can never disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What follows from a red finding."""

    STRUCTURAL = "structural"  # can never be right: raised before the table is written
    GATE = "gate"  # withholds the grades and turns the batch's last check red
    ADVICE = "advice"  # warns


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


def red_gates(findings: list[Finding]) -> list[Finding]:
    """The findings that withhold the grades, in the order given."""
    return [finding for finding in findings if finding.stops_grades]
