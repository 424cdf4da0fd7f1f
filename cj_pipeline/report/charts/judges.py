"""Judges: their preference for a seat, and how evenly the plan fills the seats."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cj_pipeline.report.charts.frame import Axis, axis_over, chart, cut_middle, dot, letters_at, name_at, path
from cj_pipeline.report.figures import Z95, first_wins


@dataclass(frozen=True, slots=True)
class Preference:
    """A judge's order effect in logits and its standard error."""

    judge: str
    order_effect: float
    standard_error: float


def preference_chart(judges: Sequence[Preference], *, text: str, x_label: str) -> Markup:
    """How often the first of two equal essays wins, with a 95 % interval, one row per judge; 50 % is even."""
    axis = Axis(0.0, 100.0, (0.0, 25.0, 50.0, 75.0, 100.0))
    step = 30.0
    intervals, dots, names = [], [], []
    for index, judge in enumerate(judges):
        y = step * (index + 0.5)
        low, middle, high = (
            axis.at(100 * first_wins(judge.order_effect + z * judge.standard_error)) for z in (-Z95, 0.0, Z95)
        )
        intervals.append(f"M{low:g} {y:g}H{high:g}")
        dots.append(dot(middle, y))
        names.append(name_at(cut_middle(judge.judge), y))
    height = step * len(judges)
    even = path("even", [f"M{axis.at(50):g} 0V{height:g}"])
    marks = [even, path("i80", intervals), path("dot", dots)]
    return chart(axis, height, marks=marks, letters=names, text=text, x_label=x_label)


def seat_chart(differences: Sequence[int], *, text: str, x_label: str, y_label: str) -> Markup:
    """How many essays were shown first more often than second, and by how much."""
    counts = Counter(differences)
    reach = max(2, *(abs(value) for value in counts))
    width = max(1, math.ceil((2 * reach + 1) / 21))  # values per column, so that a bad plan still fits
    columns: Counter[int] = Counter()
    for value, count in counts.items():
        columns[round(value / width) * width] += count
    axis = Axis(-reach - width / 2 - 0.5, reach + width / 2 + 0.5, _whole_ticks(reach))
    height, most = 110.0, max(columns.values())
    half = 0.38 * width
    bars = [
        f"M{axis.at(value - half):g} {height:g}V{height * (1 - count / most):g}H{axis.at(value + half):g}V{height:g}z"
        for value, count in sorted(columns.items())
    ]
    letters = [name_at(str(most), 0.0), name_at("0", height), letters_at(0, -12, y_label, css="axis start")]
    return chart(axis, height, marks=[path("column", bars)], letters=letters, text=text, x_label=x_label)


def _whole_ticks(reach: int) -> tuple[float, ...]:
    return tuple(
        tick for tick in axis_over([-float(reach), float(reach)], 5).ticks if tick == int(tick) and abs(tick) <= reach
    )
