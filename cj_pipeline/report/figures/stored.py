"""The tables of a batch as the figures read them, and the numbers that several figures share."""

import math
from typing import Any

import pyarrow as pa

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.tables import CONTRACTS

Z80 = 1.2815515655446004  # normal quantiles of the central 80 and 95 %
Z95 = 1.959963984540054


def stored(evidence: Evidence, name: str) -> pa.Table:
    """A table of the batch; an empty one of the same contract when the batch has not come so far."""
    return evidence.tables.get(name, CONTRACTS[name].empty_table())


def only_row(evidence: Evidence, name: str) -> dict[str, Any]:
    """The row of a one-row table; every value None when it has no row yet."""
    rows = stored(evidence, name).slice(0, 1).to_pylist()
    return rows[0] if rows else dict.fromkeys(CONTRACTS[name].names)


def grade_labels(evidence: Evidence) -> tuple[str, ...]:
    """The grades of the scale, worst first; empty for a batch without one."""
    return tuple(only_row(evidence, "grade_fit")["labels"] or ())


def by_essay(evidence: Evidence, name: str) -> dict[str, dict[str, Any]]:
    """The rows of a table that has one for each essay, by its id."""
    return {row["essay_id"]: row for row in stored(evidence, name).to_pylist()}


def finite(value: float | None) -> float | None:
    """The value, or None for what is no finite number."""
    return value if value is not None and math.isfinite(value) else None
