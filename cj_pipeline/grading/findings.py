"""Claims about the grades of a batch; its gates decide whether grades are given at all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.grading.drift import drift_of

PROBABILITY_TOLERANCE = 1e-9
LEAST_ADJACENT = 0.8  # of the anchors within one grade when left out; advice, since a batch has a dozen of them
MOST_MOVED_NAMED = 3

CHECKS = {
    "probabilities_sum_to_one": (Kind.STRUCTURAL, "Every graded essay's probabilities sum to one."),
    "one_row_per_essay": (Kind.STRUCTURAL, "Every essay has one row, with a grade or the reason why not."),
    "anchors_in_order": (Kind.GATE, "The anchors stand where their grades say, as far as chance allows."),
    "ungraded_share": (Kind.GATE, "Few pupils are left without a grade."),
    "leave_one_anchor_out": (Kind.ADVICE, "Anchors get their own grade back when it is left out."),
    "drift": (Kind.ADVICE, "Anchors shared with an earlier batch stand to each other as they did there."),
}


def grade_findings(tables: Mapping[str, pa.Table], *, max_ungraded_share: float) -> list[Finding]:
    """All claims about the table `grade_projections`, in the order of `CHECKS`."""
    rows = tables["grade_projections"].to_pylist()
    fit_row = tables["grade_fit"]
    withheld = fit_row["withheld"][0].as_py() is not None
    pupils = [row for row in rows if not row["is_anchor"]]
    ungraded = 0 if withheld else sum(row["grade"] is None for row in pupils)
    return [
        _sums(rows),
        _rows(rows, tables["essays"].num_rows),
        *gate_findings(fit_row, ungraded, len(pupils), max_ungraded_share),
        _left_out(fit_row.to_pylist()[0]),
        _drift(tables["anchor_drift"]),
    ]


def gate_findings(fit_row: pa.Table, ungraded: int, pupils: int, max_ungraded_share: float) -> list[Finding]:
    """The gates that withhold grades. With no scale or no usable anchors there are no grades to withhold."""
    fit: dict[str, Any] = fit_row.to_pylist()[0]
    return [_anchors(fit), _ungraded(ungraded, pupils, max_ungraded_share)]


def _sums(rows: list[dict[str, Any]]) -> Finding:
    sums = [sum(p for _, p in row["grade_probabilities"]) for row in rows if row["grade_probabilities"]]
    worst = max((abs(total - 1) for total in sums), default=0.0)
    return _finding(
        "probabilities_sum_to_one",
        worst <= PROBABILITY_TOLERANCE,
        f"{len(sums)} graded essays, furthest from one by {worst:.1e}",
        graded=len(sums),
        worst=worst,
    )


def _rows(rows: list[dict[str, Any]], essays: int) -> Finding:
    distinct = len({row["essay_id"] for row in rows})
    mute = sum(row["grade"] is None and row["reason"] is None for row in rows)
    return _finding(
        "one_row_per_essay",
        distinct == len(rows) == essays and not mute,
        f"{len(rows)} rows for {essays} essays, {mute} without grade and without reason",
        rows=len(rows),
        mute=mute,
    )


def _anchors(fit: dict[str, Any]) -> Finding:
    if fit["anchor_tau"] is None:
        return _finding("anchors_in_order", True, f"no anchors to examine: {fit['withheld']}")
    summary = (
        f"Kendall's tau {fit['anchor_tau']:.2f} (1 % quantile {fit['anchor_tau_limit']:.2f}); shuffled grades do as "
        f"well in {fit['anchor_chance']:.1%}; {fit['largest_deviation_anchor']} is furthest from its band, "
        f"{fit['largest_deviation']:.1f} SE"
    )
    if fit["anchor_fault"]:
        summary = f"{fit['anchor_fault']}; {fit['largest_deviation_anchor']} is furthest from its band"
    numbers = ("anchor_tau", "anchor_tau_limit", "anchor_chance", "anchor_signal", "largest_deviation")
    return _finding("anchors_in_order", fit["anchor_fault"] is None, summary, **{name: fit[name] for name in numbers})


def _ungraded(ungraded: int, pupils: int, most: float) -> Finding:
    share = ungraded / max(1, pupils)
    return _finding(
        "ungraded_share",
        share <= most,
        f"{ungraded} of {pupils} pupils' essays cannot be graded ({share:.0%}, at most {most:.0%})",
        ungraded=ungraded,
        share=share,
        most=most,
    )


def _left_out(fit: dict[str, Any]) -> Finding:
    if fit["exact"] is None:
        return _finding("leave_one_anchor_out", True, f"no anchors to leave out: {fit['withheld']}")
    return _finding(
        "leave_one_anchor_out",
        fit["adjacent"] >= LEAST_ADJACENT,
        f"{fit['anchors']} anchors, each projected without its label: {fit['exact']:.0%} exact, "
        f"{fit['adjacent']:.0%} within one grade, mean error {fit['mae']:.2f} grades",
        **{name: fit[name] for name in ("exact", "adjacent", "mae", "qwk", "spearman") if fit[name] is not None},
    )


def _drift(rows: pa.Table) -> Finding:
    drift = drift_of(rows)
    if drift is None:
        return _finding("drift", True, f"{rows.num_rows} anchors shared with an earlier batch; drift is not measured")
    furthest = np.argsort(-np.abs(drift.shifts))[:MOST_MOVED_NAMED]
    ids, shifts = rows["essay_id"].to_pylist(), rows["shift"].to_pylist()
    named = ", ".join(f"{ids[row]} {shifts[row]:+.2f} logits ({drift.shifts[row]:+.1f} SE)" for row in furthest)
    return _finding(
        "drift",
        not drift.drifted,
        f"{rows.num_rows} anchors shared with {rows['earlier_batch'][0].as_py()}; their shifts spread "
        f"{drift.spread:.2f} times as far as errors alone (at most {drift.spread_limit:.2f}); furthest: {named}",
        shared=rows.num_rows,
        spread=drift.spread,
        spread_limit=drift.spread_limit,
        moved=int(drift.moved.sum()),
    )


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("grade_projections", name, CHECKS[name][0], bool(passed), summary, numbers)
