"""Pictures for the Dagster UI: small SVGs that stand alone, as addresses that hold the whole picture.

The UI shows metadata in markdown, and an image in it may be a data address: up to 1,000 characters beside the other
figures, above that behind a click. So each picture comes twice. An event of Dagster is one row of a database, hence
`LARGEST`; what has too many rows is drawn by every k-th.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TypeVar

from cj_pipeline.report.charts import axis_over
from cj_pipeline.report.figures import Z95

LARGEST = 20_000  # characters of one picture's address
MOST_ROWS, GLANCE_ROWS = 60, 20  # so many that a glance and the markdown around it stay under the UI's 1,000 characters
GLANCE_WIDTH, GLANCE_ROW = 300, 5  # pixels
LEFT, PLOT, RIGHT = 130, 470, 40  # pixels: names, the plot area, room for the last label
ROW, FOOT = 15, 38
_Row = TypeVar("_Row")
BLUE, ORANGE, PALE, GREY = "#0a5c99", "#b04a00", "#a9cbe3", "#dde2e5"
_STYLE = "text{font:11px system-ui,sans-serif;fill:#57626a}.n{text-anchor:end}.m{text-anchor:middle}"


@dataclass(frozen=True, slots=True)
class Picture:
    """The same rows as two image addresses: `large` with names, axis and caption, `glance` with the marks alone."""

    large: str
    glance: str


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """An essay's score and its standard error, in logits."""

    name: str
    score: float
    standard_error: float
    is_anchor: bool


@dataclass(frozen=True, slots=True)
class CostBar:
    """A judge's jobs in USD: the most they can cost, and what is booked so far."""

    name: str
    bound: float
    booked: float


@dataclass(frozen=True, slots=True)
class JobSpan:
    """When a job was planned, accepted by the provider, and ended by it."""

    name: str
    planned: datetime
    submitted: datetime | None
    ended: datetime | None


def score_picture(bars: Sequence[ScoreBar]) -> Picture:
    """Scores with 95 % intervals, best first; anchors in another colour."""
    ordered = sorted(bars, key=lambda bar: -bar.score)
    shown = every_kth(ordered)
    ends = [bar.score + side * Z95 * bar.standard_error for bar in shown for side in (-1, 1)]
    draw = _Drawing(axis_over(ends or [0.0]).ticks, len(shown))
    for row, bar in enumerate(shown):
        reach, colour = Z95 * bar.standard_error, ORANGE if bar.is_anchor else BLUE
        draw.name(row, bar.name)
        draw.line(row, bar.score - reach, bar.score + reach, colour, 2)
        draw.dot(row, bar.score, colour, 7)
    return draw.picture(f"score in logits, 95 % intervals; anchors orange{_left_out(len(shown), len(ordered))}")


def seat_picture(shown_first: Sequence[int], shown_second: Sequence[int]) -> Picture:
    """How many essays stand first more often than second, and by how much; 0 in the middle is even."""
    differences = [first - second for first, second in zip(shown_first, shown_second, strict=True)]
    values = sorted(set(differences)) or [0]
    counts = {value: differences.count(value) for value in every_kth(values)}
    draw = _Drawing(axis_over([0.0, *map(float, counts.values())], 5).ticks, len(counts))
    for row, (value, count) in enumerate(counts.items()):
        draw.name(row, f"{value:+d}" if value else "even")
        draw.line(row, 0.0, float(count), BLUE, 9)
    return draw.picture("essays, by times shown first less times shown second")


def cost_picture(bars: Sequence[CostBar]) -> Picture:
    """The upper bound of each judge's jobs, and what is booked of it."""
    shown = every_kth(sorted(bars, key=lambda bar: -bar.bound))
    draw = _Drawing(axis_over([0.0, *(max(bar.bound, bar.booked) for bar in shown)], 4).ticks, len(shown))
    for row, bar in enumerate(shown):
        draw.name(row, bar.name)
        draw.line(row, 0.0, bar.bound, PALE, 9)
        draw.line(row, 0.0, bar.booked, BLUE, 5)
    return draw.picture(f"USD: pale the upper bound, blue what is booked{_left_out(len(shown), len(bars))}")


def timeline_picture(spans: Sequence[JobSpan], now: datetime) -> Picture:
    """From plan to acceptance (pale) and from there to the end (blue; orange while it is out), first job at 0."""
    ordered = sorted(spans, key=lambda span: (span.planned, span.name))
    shown = every_kth(ordered)
    start = min((span.planned for span in shown), default=now)
    longest = max(((span.ended or now) - start).total_seconds() for span in shown) if shown else 0.0
    seconds, unit = next((size, unit) for size, unit in _UNITS if longest >= size or size == 1)

    def at(moment: datetime) -> float:
        return (moment - start).total_seconds() / seconds

    draw = _Drawing(axis_over([0.0, longest / seconds], 5).ticks, len(shown))
    for row, span in enumerate(shown):
        draw.name(row, span.name)
        draw.line(row, at(span.planned), at(span.submitted or now), PALE, 9)
        if span.submitted is not None:
            draw.line(row, at(span.submitted), at(span.ended or now), BLUE if span.ended else ORANGE, 5)
    return draw.picture(f"{unit} since the first plan; pale planned, blue at the provider, orange still out")


def every_kth(rows: Sequence[_Row], most: int = MOST_ROWS) -> list[_Row]:
    """At most so many rows, evenly spaced, the first among them."""
    return list(rows[:: max(1, math.ceil(len(rows) / most))])


@dataclass(frozen=True, slots=True)
class _Mark:
    row: int
    start: float  # shares of the plot area's width
    end: float
    colour: str
    width: int  # pixels


class _Drawing:
    """Rows of horizontal marks over one axis."""

    def __init__(self, ticks: Sequence[float], rows: int) -> None:
        self._ticks, self._rows = ticks, max(rows, 1)
        self._names: dict[int, str] = {}
        self._marks: list[_Mark] = []

    def name(self, row: int, name: str) -> None:
        plain = "".join(letter if letter.isprintable() else "?" for letter in name)
        self._names[row] = plain if len(plain) <= 20 else f"{plain[:9]}…{plain[-10:]}"

    def line(self, row: int, start: float, end: float, colour: str, width: int) -> None:
        if end > start:
            self._marks.append(_Mark(row, self._share(start), self._share(end), colour, width))

    def dot(self, row: int, value: float, colour: str, width: int) -> None:
        self._marks.append(_Mark(row, self._share(value), self._share(value), colour, width))

    def picture(self, caption: str) -> Picture:
        return Picture(self._large(caption), self._glance())

    def _large(self, caption: str) -> str:
        height = ROW * self._rows
        across = [(round(LEFT + PLOT * self._share(tick), 1), tick) for tick in self._ticks]
        drawn = [f'<path stroke="{GREY}" d="M{x:g} 0v{height}"/>' for x, _ in across]
        drawn += [f'<text class="m" x="{x:g}" y="{height + 14}">{tick:g}</text>' for x, tick in across]
        drawn += [
            f'<text class="n" x="{LEFT - 8}" y="{ROW * row + 12}">{escape(name)}</text>'
            for row, name in self._names.items()
        ]
        for mark in self._marks:
            left, right = _ends(mark, LEFT, PLOT, mark.width)
            place = f"M{left:g} {ROW * mark.row + ROW / 2:g}H{right:g}"
            drawn.append(f'<path stroke="{mark.colour}" stroke-width="{mark.width}" d="{place}"/>')
        drawn.append(f'<text class="m" x="{LEFT + PLOT / 2:g}" y="{height + FOOT - 6}">{escape(caption)}</text>')
        return _address(LEFT + PLOT + RIGHT, height + FOOT, f"<style>{_STYLE}</style>" + "".join(drawn))

    def _glance(self) -> str:
        """The marks of some rows, those of a kind in one path: whole pixels, to be short."""
        place = {row: index for index, row in enumerate(every_kth(range(self._rows), GLANCE_ROWS))}
        kinds: dict[tuple[str, int], list[str]] = {}
        for mark in self._marks:
            if mark.row in place:
                width = 1 if mark.width <= 2 else 3
                left, right = (round(end) for end in _ends(mark, 0, GLANCE_WIDTH, width))
                steps = kinds.setdefault((mark.colour, width), [])
                steps.append(f"M{left} {GLANCE_ROW * place[mark.row] + 3}h{max(right - left, 1)}")
        drawn = [f'<path stroke="{css}" stroke-width="{width}" d="{"".join(d)}"/>' for (css, width), d in kinds.items()]
        return _address(GLANCE_WIDTH, GLANCE_ROW * len(place) + 1, "".join(drawn))

    def _share(self, value: float) -> float:
        return (value - self._ticks[0]) / ((self._ticks[-1] - self._ticks[0]) or 1.0)


def _ends(mark: _Mark, left: float, wide: float, dot: int) -> tuple[float, float]:
    """Where a mark begins and ends in pixels; one without length is as long as it is wide."""
    start, end = left + wide * mark.start, left + wide * mark.end
    return (round(start, 1), round(end, 1)) if end > start else (round(start - dot / 2, 1), round(start + dot / 2, 1))


def _address(width: int, height: int, drawn: str) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _left_out(shown: int, all_of_them: int) -> str:
    return "" if shown == all_of_them else f"; {shown} of {all_of_them}, evenly by rank"


_UNITS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
