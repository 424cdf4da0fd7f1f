"""Simulate judges of known worth and write docs/validity.md.

python -m benchmarks.validity                 the page: a quarter of an hour on two cores (also: make validity)
python -m benchmarks.validity --batches 10    a minute or two, to the screen; nothing is written
"""

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.validity import runs
from benchmarks.validity.page import Simulated, page

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "validity.md"
BATCHES = 200


def simulated(batches: int, processes: int) -> Simulated:
    """Everything, telling on stderr what is under way; sizes get a quarter of the batches, since they are pooled."""
    told("every gate on an exam's batch")
    gates = runs.all_gates(batches, processes)
    told("the anchor gate by size")
    by_size = runs.anchor_gates(max(1, batches // 4), processes)
    told("grades of pupils")
    qualities = runs.qualities(batches, processes)
    told("reliability")
    reliabilities = runs.reliabilities(batches, processes)
    told("drift")
    drift = [("nothing, 3 anchors", runs.drift_alarms(batches, 0.0, 3)), ("nothing", runs.drift_alarms(batches, 0.0))]
    drift += [(f"one anchor of twelve, {moved:g} logits", runs.drift_alarms(batches, moved)) for moved in (2.0, 4.0)]
    return Simulated(gates, by_size, qualities, reliabilities, drift)


def told(what: str) -> None:
    print(f"simulating {what}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, default=BATCHES, help="per cell; with less than 100 nothing is written")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    begin = time.perf_counter()
    found = simulated(chosen.batches, chosen.processes)
    text = page(found, batches=chosen.batches, minutes=(time.perf_counter() - begin) / 60)
    if chosen.batches < 100:
        print(text)
        return
    PAGE.write_text(text, "utf-8")
    print(f"written: {PAGE.relative_to(PAGE.parent.parent)}")


if __name__ == "__main__":
    main()
