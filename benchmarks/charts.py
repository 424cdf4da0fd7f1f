"""Line charts for the page, as small SVG files that read on light and on dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 40, 50  # pixels around the plot area
COLOURS = ("#0b5fa5", "#c4450c", "#2e7d32", "#7b3fa0", "#8a6d00", "#b0225f", "#546e7a", "#00838f")
DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True, slots=True)
class Line:
    """A named series of (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels; logarithmic with ticks at powers of ten, or linear at the ticks given."""

    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool

    def at(self, value: float) -> float:
        one, low, high = (log10(v) if self.logarithmic else v for v in (value, self.low, self.high))
        return round(self.begin + (one - low) / (high - low) * (self.end - self.begin), 1)


def powers(values: Sequence[float], begin: float, end: float) -> Scale:
    """A logarithmic scale over the values, out to whole powers of ten."""
    low, high = floor(log10(min(values))), floor(log10(max(values)) - 1e-9) + 1
    ticks = tuple(10.0**power for power in range(low, high + 1))
    return Scale(ticks[0], ticks[-1], begin, end, ticks, logarithmic=True)


def even(ticks: tuple[float, ...], begin: float, end: float) -> Scale:
    """A linear scale between the first and the last tick."""
    return Scale(ticks[0], ticks[-1], begin, end, ticks, logarithmic=False)


def line_chart(title: str, lines: Sequence[Line], x: Scale, y: Scale, x_label: str, y_label: str) -> str:
    """The whole SVG; names stand right of where their lines end, set apart where they would meet."""
    right = WIDTH - RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="600">{escape(title)}</text>',
        *(_tick(f"M{LEFT} {y.at(v)}H{right}", LEFT - 8, y.at(v) + 4, "end", v) for v in y.ticks),
        *(_tick(f"M{x.at(v)} {TOP}V{HEIGHT - BOTTOM}", x.at(v), HEIGHT - BOTTOM + 18, "middle", v) for v in x.ticks),
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    lowest = TOP - 10.0
    for number, line in sorted(enumerate(lines), key=lambda pair: y.at(pair[1].points[-1][1])):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        path = "L".join(f"{x.at(a)} {y.at(b)}" for a, b in line.points)
        dots = "".join(f'<circle cx="{x.at(a)}" cy="{y.at(b)}" r="3" fill="{colour}"/>' for a, b in line.points)
        lowest = max(lowest + 15, y.at(line.points[-1][1]) + 4)
        parts += [
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>{dots}',
            f'<text x="{right + 10}" y="{lowest}" fill="{colour}">{escape(line.name)}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def _tick(path: str, x: float, y: float, anchor: str, value: float) -> str:
    label = f"{value:,g}" if value < 1e6 else f"{value / 1e6:g} M"
    return f'<path d="{path}" stroke="#ddd"/><text x="{x}" y="{y}" text-anchor="{anchor}" fill="#444">{label}</text>'
