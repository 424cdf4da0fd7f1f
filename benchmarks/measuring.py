"""One clock and one memory gauge for all benchmarks, and the budgets that figures are held against."""

import multiprocessing
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from pathlib import Path
from typing import Literal

AT_MOST = 5.0  # seconds that repeats of one measurement may take together


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
    chart: str = ""  # an SVG to stand under the table


def seconds(action: Callable[[], object], *, runs: int = 3, at_most: float = AT_MOST) -> float:
    """The shortest of several runs, in seconds; no further run begins once they took `at_most` together."""
    times: list[float] = []
    while len(times) < runs and sum(times) < at_most:
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times, default=inf)


def peak_megabytes(action: Callable[[], object]) -> float:
    """The most memory an action holds at once beyond what it was given, in MB of 10^6 bytes."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def finishes_within(limit: float, action: Callable[[], object]) -> bool:
    """Whether an action ends within so many seconds in a process of its own, which is killed if it does not."""
    process = multiprocessing.get_context("fork").Process(target=action)
    process.start()
    process.join(limit)
    finished = process.exitcode == 0
    process.kill()
    process.join()
    return finished


def seconds_and_megabytes(action: Callable[[], object], *, runs: int = 3) -> tuple[float, float | None]:
    """The shortest of several runs, and the most memory the process gained in the first, native code's included.

    Linux resets a process's peak when 5 is written to clear_refs (proc(5)); None where that is not possible.
    """
    before = None
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        before = status_megabytes("VmRSS")
    first = seconds(action, runs=1)
    gained = None if before is None else max(0.0, status_megabytes("VmHWM") - before)
    return min(first, seconds(action, runs=runs - 1, at_most=AT_MOST - first)), gained


def status_megabytes(name: str) -> float:
    """A memory figure of this process as Linux shows it (proc_pid_status(5)), in MB of 10^6 bytes."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / 1e6


def figure(value: float, *, digits: int = 3, style: Literal["plain", "power"] = "plain") -> str:
    """A number to so many significant digits, thousands set apart; an error in powers of ten."""
    if style == "power":
        return f"{value:.0e}"
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else "–"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    return f"{value:,.{places}f}"
