"""Essays by score: intervals, best first, and the cuts between grades."""

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from cj_pipeline.report.charts.frame import (
    Axis,
    axis_over,
    chart,
    dot,
    letters_at,
    name_at,
    path,
    row_step,
    told_apart,
)
from cj_pipeline.report.figures import Z80, Z95, EssayFigures


def ranking_chart(
    rows: Sequence[EssayFigures],
    *,
    cuts: Sequence[float],
    labels: Sequence[str],
    text: str,
    x_label: str,
    decimal_mark: str = ".",
) -> Markup:
    """Scores with 80 and 95 % intervals, best first, and the cuts between grades. Rows need a score."""
    reach = [Z95 * (row.standard_error or 0.0) for row in rows]
    scores = [float(row.score or 0.0) for row in rows]
    ends = [*(s - r for s, r in zip(scores, reach, strict=True)), *(s + r for s, r in zip(scores, reach, strict=True))]
    axis = axis_over([*ends, *cuts], decimal_mark=decimal_mark)
    step, named = row_step(len(rows))
    height = step * len(rows)
    middles = [step * (index + 0.5) for index in range(len(rows))]
    errors = [row.standard_error or 0.0 for row in rows]
    placed = list(zip(scores, middles, rows, strict=True))
    marks = [
        _cut_lines(axis, cuts, height),
        path("i95", (_bar(axis, s, Z95 * e, y) for s, e, y in zip(scores, errors, middles, strict=True))),
        path("i80", (_bar(axis, s, Z80 * e, y) for s, e, y in zip(scores, errors, middles, strict=True))),
        path("dot", (dot(axis.at(s), y) for s, y, row in placed if not row.is_anchor)),
        path("dot square", (dot(axis.at(s), y) for s, y, row in placed if row.is_anchor)),
    ]
    names = (
        [
            name_at(name, y, anchor=row.is_anchor)
            for row, name, y in zip(rows, told_apart([row.essay_id for row in rows]), middles, strict=True)
        ]
        if named
        else [name_at(str(index + 1), middles[index]) for index in _landmarks(len(rows))]
    )
    return chart(
        axis,
        height,
        marks=marks,
        letters=[*names, *_cut_names(axis, cuts, labels)],
        text=text,
        x_label=x_label,
        dense=not named,
    )


def _bar(axis: Axis, middle: float, reach: float, y: float) -> str:
    return f"M{axis.at(middle - reach):g} {y:.5g}H{axis.at(middle + reach):g}"


def _cut_lines(axis: Axis, cuts: Sequence[float], height: float) -> Markup:
    return path("cut", (f"M{axis.at(cut):g} 0V{height:g}" for cut in cuts))


def _cut_names(axis: Axis, cuts: Sequence[float], labels: Sequence[str]) -> list[Markup]:
    """Each grade over the middle of its band, on a second line where the first is taken, else left out."""
    if len(labels) != len(cuts) + 1:
        return []
    edges = [axis.low, *cuts, axis.high]
    taken = [-math.inf, -math.inf]
    names = []
    for label, (left, right) in zip(labels, pairwise(edges), strict=True):
        middle = (axis.at(left) + axis.at(right)) / 2
        width = 26.0 + 20.0 * len(label)  # units a label needs on a phone, where the plot is some 260 pixels
        line = next((line for line in (0, 1) if middle - width / 2 > taken[line]), None)
        if line is not None:
            taken[line] = middle + width / 2
            names.append(letters_at(middle, -5.0 - 12.0 * line, label, css="grade"))
    return names


def _landmarks(count: int) -> list[int]:
    """Places that carry their number where there is no room for names: the first, then every round one."""
    step = int(axis_over([0.0, float(count)], 10).ticks[1])
    return [0, *range(step - 1, count, step)]
