"""Grade scales, always worst to best: the built-in ones and one's own. Part of the shared vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass

from cj_pipeline.errors import CjError


class UnknownScale(CjError):
    """A scale name that is neither built in nor one's own, or a scale that cannot be one."""


class UnknownGrade(CjError):
    """A grade that is not on the scale."""


@dataclass(frozen=True, slots=True)
class GradeScale:
    """Ordered grades, worst to best.

    `below_lowest` is the label of work below the lowest grade that anchors carry; no anchor has it, and its
    cut lies one fitted grade width under the lowest.
    """

    name: str
    grades: tuple[str, ...]
    below_lowest: str | None = None

    def __post_init__(self) -> None:
        if len(self.grades) < 2:
            raise UnknownScale(f"scale {self.name!r} has {len(self.grades)} grade(s); a scale needs at least two")
        for label in self.labels:
            if not label.strip():
                raise UnknownScale(f"scale {self.name!r} has an empty grade; remove it")
            if self.labels.count(label) > 1:
                raise UnknownScale(f"scale {self.name!r} names grade {label!r} twice; keep it once")

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything an essay can be given, worst to best: below_lowest (if any), then the grades."""
        return self.grades if self.below_lowest is None else (self.below_lowest, *self.grades)

    def grade_index(self, grade: str) -> int:
        """Position in `grades`, as anchors use it; UnknownGrade names the grades there are."""
        if grade not in self.grades:
            raise UnknownGrade(f"grade {grade!r} is not on scale {self.name!r}; it has {', '.join(self.grades)}")
        return self.grades.index(grade)

    def label_index(self, label: str) -> int:
        """Position in `labels`, as projections use it; UnknownGrade names the labels there are."""
        if label not in self.labels:
            raise UnknownGrade(f"grade {label!r} is not on scale {self.name!r}; it has {', '.join(self.labels)}")
        return self.labels.index(label)

    @property
    def labels_below(self) -> int:
        """How many labels stand before the first grade: label index = grade index + labels_below."""
        return len(self.labels) - len(self.grades)


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
    """A built-in scale; UnknownScale lists them."""
    if name not in BUILT_IN_SCALES:
        names = ", ".join(sorted(BUILT_IN_SCALES))
        raise UnknownScale(f"there is no built-in scale {name!r}; choose one of {names}, or give your own grades")
    return BUILT_IN_SCALES[name]


def own_scale(grades: Sequence[str], *, name: str = "own", below_lowest: str | None = None) -> GradeScale:
    """A scale of one's own grades, worst to best."""
    return GradeScale(name, tuple(grades), below_lowest)
