"""The plan of a single wave, from a class to an exam's worth of essays."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.measuring import Budget, Table, figure, peak_megabytes, seconds
from cj_pipeline.pairing import plan_single_wave


@dataclass(frozen=True, slots=True)
class Plan:
    """How many pairs over how many essays, what it takes."""

    n_students: int
    n_anchors: int
    n_pairs: int
    seconds: float
    megabytes: float

    @property
    def name(self) -> str:
        return f"{self.n_pairs:,} pairs over {self.n_students + self.n_anchors:,} essays"


def planned(n_students: int, n_anchors: int, n_pairs: int) -> Plan:
    """Plan once for the memory, and up to three times for the clock."""

    def plan() -> None:
        plan_single_wave(n_students, n_anchors, n_pairs, 1)

    return Plan(n_students, n_anchors, n_pairs, seconds(plan), peak_megabytes(plan))


def plan_table(plans: list[Plan]) -> Table:
    return Table(
        heading="Pair plans",
        about="`plan_single_wave`: unique pairs, connected, seats and degrees balanced.",
        columns=("pupils", "anchors", "pairs", "s", "peak MB"),
        rows=tuple(
            (f"{p.n_students:,}", f"{p.n_anchors:,}", f"{p.n_pairs:,}", figure(p.seconds), figure(p.megabytes))
            for p in plans
        ),
    )


def budgets(plans: list[Plan]) -> Iterator[Budget]:
    """A million pairs in a second."""
    for plan in plans:
        if plan.n_pairs >= 1_000_000:
            yield Budget(plan.name, plan.seconds, 1, "s")
