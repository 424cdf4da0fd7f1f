"""Measure the budgets of this project on this machine, beside other libraries, and write docs/benchmarks.md.

    python -m benchmarks            the page: some minutes, two cores (also: make bench)
    python -m benchmarks --quick    smaller sizes, about half a minute, to the screen; nothing is written
    python -m benchmarks --full     as the page, and choix at 10,000 essays to its end: ten minutes more

arena-rank is measured where it is installed. It pins an older numpy, so it is not among our own packages: install it,
then the lock's versions over it (pip install arena-rank, and the last lines of the Makefile).

The figures are the shortest of a few runs. Close what else keeps the processor busy: ratios bear a loaded machine,
seconds do not.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import designs, flow, pairing, purchase, scoring
from benchmarks.measuring import Table
from benchmarks.page import chart_name, page
from benchmarks.problems import drawn

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What one run measures. Purchases are (essays, comparisons): a small one, and the one that is reported."""

    fits: tuple[tuple[int, int], ...]  # essays, comparisons
    plans: tuple[tuple[int, int, int], ...]  # pupils, anchors, pairs
    purchases: tuple[tuple[int, int], tuple[int, int]]
    flows: tuple[int, int]  # comparisons of whole purchases
    replays: tuple[int, int]  # topics of recorded votes, repeats of each


STANDARD = Sizes(
    fits=((37, 259), (1_000, 20_000), (10_000, 500_000), (100_000, 1_000_000), (100_000, 5_000_000)),
    plans=((25, 12, 260), (1_000, 12, 10_000), (99_988, 12, 1_000_000)),
    purchases=((2_000, 7_000), (2_000, 28_000)),
    flows=(25_000, 100_000),
    replays=(32, 3),
)
QUICK = Sizes(
    fits=((37, 259), (1_000, 20_000)),
    plans=((25, 12, 260), (99_988, 12, 1_000_000)),
    purchases=((500, 3_500), (500, 7_000)),
    flows=(2_500, 5_000),
    replays=(32, 1),
)


def measured(sizes: Sizes, *, full: bool = False) -> tuple[str, list[Table]]:
    """Measure everything, telling on stderr what is under way: the page, and the tables it was laid out from."""
    begin = time.perf_counter()
    problems = [drawn(*size) for size in sizes.fits]
    fits: list[scoring.Fit] = []
    for problem in problems:
        told(f"fits of {problem.name} essays / comparisons")
        fits += scoring.fits(problem, full=full)
    told("refits and gradient passes")
    budgets = [*scoring.budgets(problems, fits)]
    told("pair plans")
    plans = [pairing.planned(*size) for size in sizes.plans]
    told("request and result files")
    smaller, larger = (purchase.purchased(*size) for size in sizes.purchases)
    budgets += [*pairing.budgets(plans), *purchase.budgets(larger, smaller)]
    told("purchases from plan to judgments")
    flows = [flow.flowed(comparisons) for comparisons in sizes.flows]
    budgets += flow.budgets(*flows)
    told("designs on recorded votes")
    curves = [designs.curve(name, n_topics=sizes.replays[0], repeats=sizes.replays[1]) for name in designs.DESIGNS]
    tables = [
        scoring.fit_table(fits, full=full),
        pairing.plan_table(plans),
        designs.design_table(curves),
        purchase.purchase_table(larger),
        flow.flow_table(flows),
    ]
    return page(budgets, tables, (time.perf_counter() - begin) / 60), tables


def told(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="smaller sizes, to the screen, nothing written")
    which.add_argument("--full", action="store_true", help="other libraries also where they take minutes")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        print(measured(QUICK)[0])
        return
    text, tables = measured(STANDARD, full=chosen.full)
    PAGE.write_text(text, "utf-8")
    for table in tables:
        if table.chart:
            (PAGE.parent / "images" / chart_name(table.heading)).write_text(table.chart, "utf-8")
    print(f"written: {PAGE.relative_to(PAGE.parent.parent)}")


if __name__ == "__main__":
    main()
