"""Curves: what re-reading prevents, what other budgets would give, and what each wave gave."""

from collections.abc import Sequence

from markupsafe import Markup

from cj_pipeline.report.charts.frame import WIDE, Axis, axis_over, chart, dot, letters_at, name_at, path

CURVE_HEIGHT = 220.0  # pixels of plot area


def review_chart(
    expected_wrong: Sequence[float], first: int, *, text: str, x_label: str, y_label: str, decimal_mark: str = "."
) -> Markup:
    """Expected wrong grades left after re-reading 0 to 100 % of the list; dashed, in an arbitrary order."""
    scripts = len(expected_wrong) - 1
    axis = Axis(0.0, 100.0, (0.0, 20.0, 40.0, 60.0, 80.0, 100.0))
    height = CURVE_HEIGHT
    top = axis_over([0.0, max(expected_wrong[0], 0.1)], decimal_mark=decimal_mark)

    def y(value: float) -> float:
        return round(height * (1 - value / top.high), 1)

    points = [(axis.at(100 * read / scripts), y(left)) for read, left in enumerate(expected_wrong)]
    chosen, left = points[first]
    marks = [
        path("grid", (f"M0 {y(tick):g}H{WIDE:g}" for tick in top.ticks)),
        path("chance", [f"M0 {points[0][1]:g}L{WIDE:g} {y(0):g}"]),
        path("curve", ["M" + "L".join(f"{across:g} {down:g}" for across, down in points)]),
        path("mark", [f"M{chosen:g} {height:g}V{left:g}"]),
        path("dot", [dot(chosen, left)]),
    ]
    letters = [name_at(top.named(tick), y(tick)) for tick in top.ticks]
    letters.append(letters_at(0, -12, y_label, css="axis start"))
    return chart(axis, height, marks=marks, letters=letters, text=text, x_label=x_label)


def budget_chart(
    per_essay: Sequence[float],
    ordinary: Sequence[float],
    sharp: Sequence[float],
    *,
    reached: tuple[float, float],
    text: str,
    x_label: str,
    y_label: str,
    decimal_mark: str = ".",
) -> Markup:
    """Expected reliability by comparisons per essay, solid and dashed, and the point that was reached."""
    axis = axis_over([0.0, *per_essay], decimal_mark=decimal_mark)
    height = CURVE_HEIGHT
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

    def points(values: Sequence[float]) -> str:
        places = zip(per_essay, values, strict=True)
        return "M" + "L".join(f"{axis.at(across):g} {height * (1 - value):g}" for across, value in places)

    met, reliability = reached
    marks = [
        path("grid", (f"M0 {height * (1 - tick):g}H{WIDE:g}" for tick in ticks)),
        path("curve", [points(ordinary)]),
        path("curve second", [points(sharp)]),
        path("mark", [f"M{axis.at(met):g} {height:g}V{height * (1 - reliability):g}"]),
        path("dot", [dot(axis.at(met), height * (1 - reliability))]),
    ]
    letters = [name_at(axis.named(tick), height * (1 - tick)) for tick in ticks]
    letters.append(letters_at(0, -12, y_label, css="axis start"))
    return chart(axis, height, marks=marks, letters=letters, text=text, x_label=x_label)


def path_chart(
    errors: Sequence[float | None],
    reliabilities: Sequence[float | None],
    changes: Sequence[float | None],
    *,
    text: str,
    x_label: str,
    decimal_mark: str = ".",
) -> Markup:
    """By wave: mean standard errors solid, reliabilities dashed, largest changes as dots; on one scale from 0."""
    waves = len(errors)
    step = max(1, -(-waves // 10))
    axis = Axis(0.0, waves + 1.0, tuple(float(wave) for wave in range(step, waves + 1, step)), decimal_mark)
    known_values = [value for value in (*errors, *changes) if value is not None]
    upward = axis_over([0.0, 1.0, *known_values], 4, decimal_mark)
    top = upward.high
    height = CURVE_HEIGHT

    def places(values: Sequence[float | None]) -> list[tuple[float, float]]:
        return [
            (axis.at(wave), height * (1 - max(0.0, value) / top))
            for wave, value in enumerate(values, start=1)
            if value is not None
        ]

    def line(values: Sequence[float | None]) -> list[str]:
        known = places(values)
        return ["M" + "L".join(f"{x:g} {y:g}" for x, y in known)] if known else []

    marks = [
        path("grid", (f"M0 {height * (1 - tick / top):g}H{WIDE:g}" for tick in upward.ticks)),
        path("curve", line(errors)),
        path("curve second", line(reliabilities)),
        path("dot", (dot(x, y) for x, y in places(changes))),
    ]
    letters = [name_at(upward.named(tick), height * (1 - tick / top)) for tick in upward.ticks]
    return chart(axis, height, marks=marks, letters=letters, text=text, x_label=x_label)
