"""Grades: how probable each is for one essay, how many essays have each, and what anchors were given."""

from collections.abc import Sequence

from markupsafe import Markup

from cj_pipeline.report.charts.frame import (
    WIDE,
    Axis,
    chart,
    dot,
    letters_at,
    name_at,
    path,
    row_step,
    told_apart,
)
from cj_pipeline.report.figures import AnchorFigures

BAR_SLOT, BAR_HEIGHT = 11, 24  # pixels of one grade in a row of grade bars


def grade_bars(probabilities: Sequence[float], inside: tuple[int, int] | None, text: str) -> Markup:
    """One column per grade, worst to the left, as high as it is probable; solid within the 80 % range."""
    low, high = inside if inside is not None else (0, -1)
    solid: list[str] = []
    pale: list[str] = []
    for index, share in enumerate(probabilities):
        tall = round(share * (BAR_HEIGHT - 2), 1)
        if tall >= 0.3:
            column = f"M{index * BAR_SLOT + 1} {BAR_HEIGHT - 1}v{-tall:g}h{BAR_SLOT - 2}v{tall:g}z"
            (solid if low <= index <= high else pale).append(column)
    width = BAR_SLOT * len(probabilities)
    base = Markup('<path class="base" d="M0 {}h{}"/>').format(f"{BAR_HEIGHT - 0.5:g}", width)
    return Markup('<svg class="bars" width="{}" height="{}" role="img" aria-label="{}">{}{}{}</svg>').format(
        width, BAR_HEIGHT, text, path("pale", pale), path("solid", solid), base
    )


def grade_chart(counts: Sequence[int], *, labels: Sequence[str], text: str, y_label: str) -> Markup:
    """How many essays have each grade, worst to the left, the number above each column."""
    axis = Axis(-0.5, len(labels) - 0.5, ())
    height, most = 110.0, max([1, *counts])
    columns = [
        f"M{axis.at(place - 0.3):g} {height:g}V{height * (1 - count / most):g}H{axis.at(place + 0.3):g}V{height:g}z"
        for place, count in enumerate(counts)
        if count
    ]
    letters = [
        letter
        for place, (count, label) in enumerate(zip(counts, labels, strict=True))
        for letter in (
            letters_at(axis.at(place), height * (1 - count / most) - 5, str(count)),
            letters_at(axis.at(place), height + 18, label, css="grade"),
        )
    ]
    base = path("grid", [f"M0 {height:g}H{WIDE:g}"])
    return chart(axis, height, marks=[base, path("column", columns)], letters=letters, text=text, x_label=y_label)


def anchor_chart(rows: Sequence[AnchorFigures], *, labels: Sequence[str], text: str, x_label: str) -> Markup:
    """Known grade (square) and the grade given without it (dot), one row per anchor, joined by the error."""
    place = {label: index for index, label in enumerate(labels)}
    axis = Axis(-0.5, len(labels) - 0.5, ())
    step, named = row_step(len(rows))
    known, given, errors = [], [], []
    for index, row in enumerate(rows):
        y = step * (index + 0.5)
        if row.grade in place:
            known.append(dot(axis.at(place[row.grade]), y))
        if row.projected_grade in place:
            given.append(dot(axis.at(place[row.projected_grade]), y))
        if row.grade in place and row.projected_grade in place:
            errors.append(f"M{axis.at(place[row.grade]):g} {y:g}H{axis.at(place[row.projected_grade]):g}")
    grid = [f"M{axis.at(index):g} 0V{step * len(rows):g}" for index in range(len(labels))]
    short = told_apart([row.essay_id for row in rows]) if named else []
    names = [name_at(name, step * (index + 0.5), anchor=True) for index, name in enumerate(short)]
    return chart(
        axis,
        step * len(rows),
        marks=[path("grid", grid), path("error", errors), path("dot square hollow", known), path("dot", given)],
        letters=[
            *names,
            *(letters_at(axis.at(index), step * len(rows) + 18, label) for index, label in enumerate(labels)),
        ],
        text=text,
        x_label=x_label,
        dense=not named,
    )
