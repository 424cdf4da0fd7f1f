"""What every chart is drawn on: an inline SVG as wide as its column, its axis, and the letters round it.

Marks live in an inner drawing 1,000 units wide that stretches sideways only; letters are placed by percentages and
keep their size on a phone and on paper. Colours are classes of the style sheet; what differs in colour differs in
shape too.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDE = 1000.0  # units across the plot area
GUTTER, PLOT = 24.0, 74.0  # percent of the chart's width: names to the left, then the plot area
HEAD, FOOT = 26.0, 46.0  # pixels above and below the plot area
TALLEST = 820.0  # pixels of plot area that still fit one printed page
NAMED_ROW, WIDEST_ROW = 12.0, 19.0  # pixels; rows closer than the first carry no name
NAME_LENGTH = 11  # characters of a name that fit the gutter of a phone


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


def chart(
    axis: Axis,
    height: float,
    *,
    marks: Iterable[Markup],
    letters: Iterable[Markup],
    text: str,
    x_label: str,
    dense: bool = False,
) -> Markup:
    """The whole drawing; `height` is of the plot area in pixels, `text` is read to who cannot see it.

    In a dense one there is no room for names of rows.
    """
    ticks = path("grid", (f"M{axis.at(tick):g} 0V{height:g}" for tick in axis.ticks))
    tick_names = [letters_at(axis.at(tick), height + 18, axis.named(tick)) for tick in axis.ticks]
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
        Markup("").join([*tick_names, *letters, letters_at(WIDE / 2, height + 40, x_label, css="axis")]),
    )


def path(css: str, pieces: Iterable[str]) -> Markup:
    """All marks of one class as one path; nothing without pieces."""
    drawn = "".join(pieces)
    return Markup('<path class="{}" d="{}"/>').format(css, drawn) if drawn else Markup("")


def dot(x: float, y: float) -> str:
    """A piece of a path: a point at `x` units and `y` pixels."""
    # a line of hardly any length: its round or square cap keeps its shape when stretched, on paper too
    return f"M{x:g} {y:.5g}v.1"


def letters_at(x: float, y: float, content: str, css: str = "") -> Markup:
    """Letters at `x` units and `y` pixels of the plot area, centred unless the class says otherwise."""
    return Markup('<text x="{}%" y="{}"{}>{}</text>').format(
        f"{GUTTER + PLOT * x / WIDE:.4g}", f"{HEAD + y:.5g}", _class(css), content
    )


def name_at(content: str, y: float, *, anchor: bool = False) -> Markup:
    """What stands in the gutter beside `y` pixels of the plot area."""
    return Markup('<text x="{}%" y="{}" class="name{}">{}</text>').format(
        f"{GUTTER - 2:g}", f"{HEAD + y + 4:.5g}", " anchor" if anchor else "", content
    )


def row_step(count: int) -> tuple[float, bool]:
    """Height of a row in pixels, and whether rows are far enough apart to carry a name."""
    step = min(WIDEST_ROW, TALLEST / max(count, 1))
    return (round(step, 3), step >= NAMED_ROW)


def told_apart(names: Sequence[str]) -> list[str]:
    """Names short enough for the gutter: a beginning that all share gives way first, then the middle."""
    excess = max((len(name) for name in names), default=0) - (NAME_LENGTH - 1)
    shared = min(_shared_beginning(names), excess) if len(names) > 1 else 0
    return [cut_middle(f"…{name[shared:]}" if shared > 2 else name) for name in names]


def cut_middle(name: str) -> str:
    """A name that fits the gutter, its beginning and end kept."""
    if len(name) <= NAME_LENGTH:
        return name
    head = (NAME_LENGTH - 1) // 2
    return f"{name[:head]}…{name[len(name) - (NAME_LENGTH - 1 - head) :]}"


def _shared_beginning(names: Sequence[str]) -> int:
    first, last = min(names), max(names)
    differing = (place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return next(differing, min(len(first), len(last)))


def _class(css: str) -> Markup:
    return Markup(' class="{}"').format(css) if css else Markup("")
