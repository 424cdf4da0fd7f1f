"""One clock and one memory gauge for all benchmarks, and the budgets that figures are held against."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log10
from typing import Literal


@dataclass(frozen=True, slots=True)
class Budget:
    """A figure and its target; `limit` is the most, or with `at_least` the least, that passes."""

    what: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def passed(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class Table:
    """A section of the page: heading, what was done, column names and rows of finished cells."""

    heading: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def seconds(action: Callable[[], object], *, runs: int = 3, at_most: float = 5.0) -> float:
    """The shortest of several runs, in seconds; no further run begins once they took `at_most` together."""
    times: list[float] = []
    while len(times) < runs and sum(times) < at_most:
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def peak_megabytes(action: Callable[[], object]) -> float:
    """The most memory an action holds at once beyond what it was given, in MB of 10^6 bytes."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def figure(value: float, *, digits: int = 3, style: Literal["plain", "power"] = "plain") -> str:
    """A number to so many significant digits, thousands set apart; an error in powers of ten."""
    if style == "power":
        return f"{value:.0e}"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    return f"{value:,.{places}f}"
