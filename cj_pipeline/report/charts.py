"""The report's charts as inline SVG: small pure functions from figures to markup.

A chart is as wide as its column: marks live in an inner drawing 1,000 units wide that stretches sideways only,
letters are placed by percentages and keep their size on a phone and on paper. Colours are classes of the style
sheet; what differs in colour differs in shape too.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from cj_pipeline.report.figures import Z80, Z95, AnchorFigures, EssayFigures, first_wins

WIDE = 1000.0  # units across the plot area
GUTTER, PLOT = 24.0, 74.0  # percent of the chart's width: names to the left, then the plot area
HEAD, FOOT = 26.0, 46.0  # pixels above and below the plot area
TALLEST = 820.0  # pixels of plot area that still fit one printed page
NAMED_ROW, WIDEST_ROW = 12.0, 19.0  # pixels; rows closer than the first carry no name
NAME_LENGTH = 11  # characters of a name that fit the gutter of a phone
BAR_SLOT, BAR_HEIGHT = 11, 24  # pixels of one grade in a row of grade bars


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis from `low` to `high`, with the values that carry a label."""

    low: float
    high: float
    ticks: tuple[float, ...]
    decimal_mark: str = "."

    def named(self, value: float) -> str:
        """A tick's value as it is written."""
        return f"{value:g}".replace("-", "−").replace(".", self.decimal_mark)

    def at(self, value: float) -> float:
        """Units from the left edge of the plot area; values outside end at its edges."""
        share = (value - self.low) / (self.high - self.low)
        return round(WIDE * min(1.0, max(0.0, share)), 1)


@dataclass(frozen=True, slots=True)
class Preference:
    """A judge's order effect in logits and its standard error."""

    judge: str
    order_effect: float
    standard_error: float


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
    step, named = _row_step(len(rows))
    height = step * len(rows)
    middles = [step * (index + 0.5) for index in range(len(rows))]
    errors = [row.standard_error or 0.0 for row in rows]
    placed = list(zip(scores, middles, rows, strict=True))
    marks = [
        _cut_lines(axis, cuts, height),
        _path("i95", (_bar(axis, s, Z95 * e, y) for s, e, y in zip(scores, errors, middles, strict=True))),
        _path("i80", (_bar(axis, s, Z80 * e, y) for s, e, y in zip(scores, errors, middles, strict=True))),
        _path("dot", (_dot(axis.at(s), y) for s, y, row in placed if not row.is_anchor)),
        _path("dot square", (_dot(axis.at(s), y) for s, y, row in placed if row.is_anchor)),
    ]
    names = (
        [
            _name(name, y, anchor=row.is_anchor)
            for row, name, y in zip(rows, told_apart([row.essay_id for row in rows]), middles, strict=True)
        ]
        if named
        else [_name(str(index + 1), middles[index]) for index in _landmarks(len(rows))]
    )
    return _chart(
        axis,
        height,
        marks=marks,
        letters=[*names, *_cut_names(axis, cuts, labels)],
        text=text,
        x_label=x_label,
        dense=not named,
    )


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
        width, BAR_HEIGHT, text, _path("pale", pale), _path("solid", solid), base
    )


def anchor_chart(rows: Sequence[AnchorFigures], *, labels: Sequence[str], text: str, x_label: str) -> Markup:
    """Known grade (square) and the grade given without it (dot), one row per anchor, joined by the error."""
    place = {label: index for index, label in enumerate(labels)}
    axis = Axis(-0.5, len(labels) - 0.5, ())
    step, named = _row_step(len(rows))
    known, given, errors = [], [], []
    for index, row in enumerate(rows):
        y = step * (index + 0.5)
        if row.grade in place:
            known.append(_dot(axis.at(place[row.grade]), y))
        if row.projected_grade in place:
            given.append(_dot(axis.at(place[row.projected_grade]), y))
        if row.grade in place and row.projected_grade in place:
            errors.append(f"M{axis.at(place[row.grade]):g} {y:g}H{axis.at(place[row.projected_grade]):g}")
    grid = [f"M{axis.at(index):g} 0V{step * len(rows):g}" for index in range(len(labels))]
    short = told_apart([row.essay_id for row in rows]) if named else []
    names = [_name(name, step * (index + 0.5), anchor=True) for index, name in enumerate(short)]
    return _chart(
        axis,
        step * len(rows),
        marks=[_path("grid", grid), _path("error", errors), _path("dot square hollow", known), _path("dot", given)],
        letters=[
            *names,
            *(_letters(axis.at(index), step * len(rows) + 18, label) for index, label in enumerate(labels)),
        ],
        text=text,
        x_label=x_label,
        dense=not named,
    )


def review_chart(
    expected_wrong: Sequence[float], first: int, *, text: str, x_label: str, y_label: str, decimal_mark: str = "."
) -> Markup:
    """Expected wrong grades left after re-reading 0 to 100 % of the list; dashed, in an arbitrary order."""
    scripts = len(expected_wrong) - 1
    axis = Axis(0.0, 100.0, (0.0, 20.0, 40.0, 60.0, 80.0, 100.0))
    height = 220.0
    top = axis_over([0.0, max(expected_wrong[0], 0.1)], decimal_mark=decimal_mark)

    def y(value: float) -> float:
        return round(height * (1 - value / top.high), 1)

    points = [(axis.at(100 * read / scripts), y(left)) for read, left in enumerate(expected_wrong)]
    chosen, left = points[first]
    marks = [
        _path("grid", (f"M0 {y(tick):g}H{WIDE:g}" for tick in top.ticks)),
        _path("chance", [f"M0 {points[0][1]:g}L{WIDE:g} {y(0):g}"]),
        _path("curve", ["M" + "L".join(f"{across:g} {down:g}" for across, down in points)]),
        _path("mark", [f"M{chosen:g} {height:g}V{left:g}"]),
        _path("dot", [_dot(chosen, left)]),
    ]
    letters = [_name(top.named(tick), y(tick)) for tick in top.ticks]
    letters.append(_letters(0, -12, y_label, css="axis start"))
    return _chart(axis, height, marks=marks, letters=letters, text=text, x_label=x_label)


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
    height = 220.0
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

    def points(values: Sequence[float]) -> str:
        places = zip(per_essay, values, strict=True)
        return "M" + "L".join(f"{axis.at(across):g} {height * (1 - value):g}" for across, value in places)

    met, reliability = reached
    marks = [
        _path("grid", (f"M0 {height * (1 - tick):g}H{WIDE:g}" for tick in ticks)),
        _path("curve", [points(ordinary)]),
        _path("curve second", [points(sharp)]),
        _path("mark", [f"M{axis.at(met):g} {height:g}V{height * (1 - reliability):g}"]),
        _path("dot", [_dot(axis.at(met), height * (1 - reliability))]),
    ]
    letters = [_name(axis.named(tick), height * (1 - tick)) for tick in ticks]
    letters.append(_letters(0, -12, y_label, css="axis start"))
    return _chart(axis, height, marks=marks, letters=letters, text=text, x_label=x_label)


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
            _letters(axis.at(place), height * (1 - count / most) - 5, str(count)),
            _letters(axis.at(place), height + 18, label, css="grade"),
        )
    ]
    base = _path("grid", [f"M0 {height:g}H{WIDE:g}"])
    return _chart(axis, height, marks=[base, _path("column", columns)], letters=letters, text=text, x_label=y_label)


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
        dots.append(_dot(middle, y))
        names.append(_name(_cut_middle(judge.judge), y))
    height = step * len(judges)
    even = _path("even", [f"M{axis.at(50):g} 0V{height:g}"])
    marks = [even, _path("i80", intervals), _path("dot", dots)]
    return _chart(axis, height, marks=marks, letters=names, text=text, x_label=x_label)


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
    letters = [_name(str(most), 0.0), _name("0", height), _letters(0, -12, y_label, css="axis start")]
    return _chart(axis, height, marks=[_path("column", bars)], letters=letters, text=text, x_label=x_label)


def axis_over(values: Sequence[float], wanted: int = 6, decimal_mark: str = ".") -> Axis:
    """An axis that holds all values, with ticks at multiples of 1, 2 or 5."""
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(round(index * step, 10) for index in range(first, last + 1))
    return Axis(first * step, last * step, ticks, decimal_mark)


def told_apart(names: Sequence[str]) -> list[str]:
    """Names short enough for the gutter: a beginning that all share gives way first, then the middle."""
    excess = max((len(name) for name in names), default=0) - (NAME_LENGTH - 1)
    shared = min(_shared_beginning(names), excess) if len(names) > 1 else 0
    return [_cut_middle(f"…{name[shared:]}" if shared > 2 else name) for name in names]


def _shared_beginning(names: Sequence[str]) -> int:
    first, last = min(names), max(names)
    differing = (place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return next(differing, min(len(first), len(last)))


def _cut_middle(name: str) -> str:
    if len(name) <= NAME_LENGTH:
        return name
    head = (NAME_LENGTH - 1) // 2
    return f"{name[:head]}…{name[len(name) - (NAME_LENGTH - 1 - head) :]}"


def _chart(
    axis: Axis,
    height: float,
    *,
    marks: Iterable[Markup],
    letters: Iterable[Markup],
    text: str,
    x_label: str,
    dense: bool = False,
) -> Markup:
    ticks = _path("grid", (f"M{axis.at(tick):g} 0V{height:g}" for tick in axis.ticks))
    tick_names = [_letters(axis.at(tick), height + 18, axis.named(tick)) for tick in axis.ticks]
    return Markup(
        '<svg class="chart{}" width="100%" height="{}" role="img" aria-label="{}">'
        '<svg x="{}%" y="{}" width="{}%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>{}</svg>'
    ).format(
        " dense" if dense else "",
        f"{HEAD + height + FOOT:g}",
        text,
        f"{GUTTER:g}",
        f"{HEAD:g}",
        f"{PLOT:g}",
        f"{height:g}",
        f"{WIDE:g}",
        f"{height:g}",
        Markup("").join([ticks, *marks]),
        Markup("").join([*tick_names, *letters, _letters(WIDE / 2, height + 40, x_label, css="axis")]),
    )


def _path(css: str, pieces: Iterable[str]) -> Markup:
    drawn = "".join(pieces)
    return Markup('<path class="{}" d="{}"/>').format(css, drawn) if drawn else Markup("")


def _bar(axis: Axis, middle: float, reach: float, y: float) -> str:
    return f"M{axis.at(middle - reach):g} {y:.5g}H{axis.at(middle + reach):g}"


def _dot(x: float, y: float) -> str:
    # a line of hardly any length: its round or square cap keeps its shape when stretched, on paper too
    return f"M{x:g} {y:.5g}v.1"


def _letters(x: float, y: float, content: str, css: str = "") -> Markup:
    """Letters at `x` units and `y` pixels of the plot area, centred unless the class says otherwise."""
    return Markup('<text x="{}%" y="{}"{}>{}</text>').format(
        f"{GUTTER + PLOT * x / WIDE:.4g}", f"{HEAD + y:.5g}", _class(css), content
    )


def _name(content: str, y: float, *, anchor: bool = False) -> Markup:
    return Markup('<text x="{}%" y="{}" class="name{}">{}</text>').format(
        f"{GUTTER - 2:g}", f"{HEAD + y + 4:.5g}", " anchor" if anchor else "", content
    )


def _class(css: str) -> Markup:
    return Markup(' class="{}"').format(css) if css else Markup("")


def _cut_lines(axis: Axis, cuts: Sequence[float], height: float) -> Markup:
    return _path("cut", (f"M{axis.at(cut):g} 0V{height:g}" for cut in cuts))


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
            names.append(_letters(middle, -5.0 - 12.0 * line, label, css="grade"))
    return names


def _row_step(count: int) -> tuple[float, bool]:
    """Height of a row in pixels, and whether rows are far enough apart to carry a name."""
    step = min(WIDEST_ROW, TALLEST / max(count, 1))
    return (round(step, 3), step >= NAMED_ROW)


def _landmarks(count: int) -> list[int]:
    """Places that carry their number where there is no room for names: the first, then every round one."""
    step = int(axis_over([0.0, float(count)], 10).ticks[1])
    return [0, *range(step - 1, count, step)]


def _whole_ticks(reach: int) -> tuple[float, ...]:
    return tuple(
        tick for tick in axis_over([-float(reach), float(reach)], 5).ticks if tick == int(tick) and abs(tick) <= reach
    )
