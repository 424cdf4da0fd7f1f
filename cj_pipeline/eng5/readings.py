"""Two numbers side by side, and what their difference may be: what a parity check is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Figure = float | int | str


class Form(StrEnum):
    """How strictly a claim is held."""

    EXACT = "exact"  # to the unit: what our tables allow and counters did not
    TOLERANCE = "tolerance"  # as the predecessor asserted it


class Relation(StrEnum):
    """What the found figure has to be to the expected one."""

    EQUAL = "="
    NEAR = "within"
    LEAST = "at least"
    MOST = "at most"


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of a run beside what it should be. `allowance` is the largest difference of a NEAR one."""

    quantity: str
    found: Figure
    relation: Relation
    expected: Figure
    allowance: float = 0.0
    form: Form = Form.TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether the two agree as far as they must."""
        if self.relation is Relation.EQUAL:
            return self.found == self.expected
        if isinstance(self.found, str) or isinstance(self.expected, str):
            return False
        if self.relation is Relation.LEAST:
            return self.found >= self.expected
        if self.relation is Relation.MOST:
            return self.found <= self.expected
        return abs(self.found - self.expected) <= self.allowance

    @property
    def sentence(self) -> str:
        """Both figures in words."""
        found, expected = _shown(self.found), _shown(self.expected)
        if self.relation is Relation.NEAR:
            return f"{self.quantity} {found}, expected {expected} +- {_shown(self.allowance)}"
        relation = "" if self.relation is Relation.EQUAL else f"{self.relation} "
        return f"{self.quantity} {found}, expected {relation}{expected}"


def exactly(quantity: str, found: Figure, expected: Figure) -> Reading:
    """Equal to the unit."""
    return Reading(quantity, found, Relation.EQUAL, expected, form=Form.EXACT)


def computed(quantity: str, found: float, expected: float, rounding: float) -> Reading:
    """Equal but for the rounding of a computation done another way."""
    return Reading(quantity, found, Relation.NEAR, expected, rounding, Form.EXACT)


def none_of(quantity: str, found: int) -> Reading:
    """A count of what must not be."""
    return exactly(quantity, found, 0)


def equal(quantity: str, found: Figure, expected: Figure) -> Reading:
    """Equal, as the predecessor asserted it too."""
    return Reading(quantity, found, Relation.EQUAL, expected)


def near(quantity: str, found: float, expected: float, allowance: float) -> Reading:
    """Within a band on both sides."""
    return Reading(quantity, found, Relation.NEAR, expected, allowance)


def least(quantity: str, found: float, expected: float) -> Reading:
    """Not below a bound."""
    return Reading(quantity, found, Relation.LEAST, expected)


def most(quantity: str, found: float, expected: float) -> Reading:
    """Not above a bound."""
    return Reading(quantity, found, Relation.MOST, expected)


def red(readings: Iterable[Reading], form: Form | None = None) -> list[Reading]:
    """Those that do not agree, of one form or of both."""
    return [reading for reading in readings if not reading.passed and form in (None, reading.form)]


def said(readings: Sequence[Reading]) -> str:
    """What disagrees, or how much agrees, in one sentence."""
    wrong = red(readings)
    if wrong:
        return "; ".join(reading.sentence for reading in wrong)
    exact = sum(reading.form is Form.EXACT for reading in readings)
    return f"{len(readings)} figures agree, {exact} of them to the unit"


def _shown(figure: Figure) -> str:
    return f"{figure:.6g}" if isinstance(figure, float) else str(figure)
