"""Grade scales: the grades of an exam from worst to best, built in or one's own.

Part of the shared vocabulary: a batch is checked against its scale long before anything is graded.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GradeScale:
    """Grades from worst to best; `below_lowest` is given to essays below the lowest anchored grade, if any."""

    name: str
    grades: tuple[str, ...]
    below_lowest: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Every grade that can be given, worst to best."""
        return self.grades if self.below_lowest is None else (self.below_lowest, *self.grades)

    def index(self, grade: str) -> int:
        """Position of an anchor's grade in `grades`. Raises `ValueError` naming the scale's grades."""
        if grade not in self.grades:
            raise ValueError(f"grade {grade!r} is not on the scale {self.name}: {', '.join(self.grades)}")
        return self.grades.index(grade)


# The first three are the predecessor's scales, orders and below-lowest grades; cefr is the Council of Europe's.
BUILT_IN_SCALES: dict[str, GradeScale] = {
    scale.name: scale
    for scale in (
        GradeScale("swedish_8_anchor", ("F", "E", "D", "D+", "C", "C+", "B", "A")),
        GradeScale("eng5_np_legacy_9_step", ("F+", "E-", "E+", "D-", "D+", "C-", "C+", "B", "A"), "F"),
        GradeScale("eng5_np_national_9_step", ("1", "2", "3", "4", "5", "6", "7", "8", "9"), "0"),
        GradeScale("cefr", ("A1", "A2", "B1", "B2", "C1", "C2")),
    )
}


def scale_named(name: str) -> GradeScale:
    """A built-in scale. Raises `ValueError` naming the nearest."""
    if name not in BUILT_IN_SCALES:
        near = difflib.get_close_matches(name, BUILT_IN_SCALES, n=1)
        raise ValueError(f"no built-in scale {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
    return BUILT_IN_SCALES[name]


def own_scale(grades: Sequence[str]) -> GradeScale:
    """A scale of one's own grades, worst to best. Raises `ValueError` for fewer than two, blanks or repeats."""
    kept = tuple(grade.strip() for grade in grades)
    if len(kept) < 2:
        raise ValueError("a scale needs two grades at least.")
    if not all(kept):
        raise ValueError("a grade is empty.")
    repeated = sorted({grade for grade in kept if kept.count(grade) > 1})
    if repeated:
        raise ValueError(f"the grade {repeated[0]!r} stands twice.")
    return GradeScale("own scale", kept)
