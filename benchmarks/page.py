"""The page: what it ran on, budgets with pass or miss, then every table."""

import os
import platform
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measuring import Budget, Table, figure

LIBRARIES = ("numpy", "scipy", "pyarrow", "choix", "evalica", "arena-rank", "scikit-learn")

HEAD = """\
# Benchmarks

`make bench` measures and writes this page: one run, everything side by side on one machine, so that ratios mean
something even where seconds do not carry over. The targets are the project's own; a missed one is shown as missed.
"""


def page(budgets: Sequence[Budget], tables: Sequence[Table], minutes: float) -> str:
    """The whole page in Markdown."""
    passed = sum(budget.passed for budget in budgets)
    parts = [
        HEAD,
        f"{_wrapped(machine())}\n\n{datetime.now(UTC):%Y-%m-%d}, {minutes:.1f} minutes.\n",
        f"## Budgets\n\n{passed} of {len(budgets)} met.\n",
        grid(("what", "measured", "target", ""), [_cells(budget) for budget in budgets]),
        *(_section(table) for table in tables),
    ]
    return "\n".join(parts)


def chart_name(heading: str) -> str:
    """The file that a table's chart is kept in, beside the page in images/."""
    return f"benchmarks-{heading.lower().replace(' ', '-')}.svg"


def _section(table: Table) -> str:
    parts = [f"## {table.heading}\n\n{_wrapped(table.about)}\n\n{grid(table.columns, table.rows)}"]
    if table.chart:
        parts.append(f"![{table.heading}](images/{chart_name(table.heading)})\n")
    return "\n".join(parts)


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine() -> str:
    """Processor, cores, system, Python and libraries; nothing that names the host or its folders."""
    libraries = ", ".join(f"{name} {found}" for name in LIBRARIES if (found := _version(name)))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"{platform.python_implementation()} {platform.python_version()}; {libraries}."
    )


def _cells(budget: Budget) -> tuple[str, ...]:
    sign = "≥" if budget.at_least else "≤"
    limit = f"{sign} {budget.limit:,g} {budget.unit}"
    return budget.what, f"{figure(budget.measured)} {budget.unit}", limit, "pass" if budget.passed else "**miss**"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _processor() -> str:
    """The model as the system names it; `platform` knows it on some systems only."""
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        told = ""
    models = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unnamed processor"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
