"""Drift: do anchors that two batches share stand to each other as they did before?

Only their order and distances can be compared, since each batch has an origin of its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from cj_pipeline.batch import Batch
from cj_pipeline.pairing.arrays import BoolArray, FloatArray
from cj_pipeline.scoring import ScaleFit

FEWEST_SHARED = 3  # anchors; the common shift takes one of them
FALSE_ALARM = 0.025  # of each of the two statements, when nothing has moved; what follows is a warning
NORMAL_MAD = 0.6744897501960817  # median absolute deviation of a standard normal: its third quartile
SIMULATIONS = 4_000
SEED = 20_260_523


@dataclass(frozen=True, slots=True)
class EarlierBatch:
    """What drift is measured from: the tables of a batch that was scored before."""

    batch_id: str
    essays: pa.Table
    scores: pa.Table


@dataclass(frozen=True, slots=True)
class Drift:
    """Shifts of shared anchors in standard errors, against what errors alone give."""

    shifts: FloatArray  # (n,) in standard errors
    spread: float  # median absolute shift over that of a standard normal: 1 is expected, one anchor cannot move it
    spread_limit: float  # its 97.5 % quantile when nothing has moved
    shift_limit: float  # beyond it an anchor has moved: 97.5 % of batches have none such when nothing has

    @property
    def moved(self) -> BoolArray:
        """Which anchors have moved, (n,) of bool."""
        return np.abs(self.shifts) > self.shift_limit

    @property
    def drifted(self) -> bool:
        """Whether the anchors as a whole, or one of them, stand elsewhere than errors explain."""
        return self.spread > self.spread_limit or bool(self.moved.any())


def aligned_shifts(scores: FloatArray, earlier: FloatArray, errors: FloatArray) -> FloatArray:
    """Score less earlier score of each anchor (..., n), less the weighted median of these: origins are not comparable.

    `errors` (n,) are the standard errors of the differences, in logits.
    """
    difference = scores - earlier
    order = np.argsort(difference, axis=-1)
    weight = np.cumsum(errors[order] ** -2, axis=-1)
    middle = (weight >= weight[..., [-1]] / 2).argmax(axis=-1)[..., None]
    return difference - np.take_along_axis(difference, np.take_along_axis(order, middle, axis=-1), axis=-1)


def judge_drift(shifts: FloatArray, errors: FloatArray) -> Drift:
    """Compare aligned shifts (n,) with their standard errors (n,). ValueError below three anchors."""
    if shifts.size < FEWEST_SHARED:
        raise ValueError(f"{shifts.size} shared anchors; drift needs at least {FEWEST_SHARED}")
    rng = np.random.default_rng(SEED)
    drawn = errors * rng.standard_normal((SIMULATIONS, shifts.size))
    unmoved = aligned_shifts(drawn, np.zeros(shifts.size), errors) / errors
    return Drift(
        shifts=shifts / errors,
        spread=float(_spread(shifts / errors)),
        spread_limit=float(np.quantile(_spread(unmoved), 1 - FALSE_ALARM)),
        shift_limit=float(ndtri(1 - FALSE_ALARM / (2 * shifts.size))),
    )


def drift_rows(batch: Batch, fit: ScaleFit, earlier: EarlierBatch | None) -> list[dict[str, Any]]:
    """Rows of the table `anchor_drift`: anchors of both batches with the same text, each scored in both."""
    if earlier is None:
        return []
    then = _scored_anchors(earlier)
    shared = []
    for item, essay in enumerate(batch.essays.slice(0, batch.n_anchors).to_pylist()):
        before = then.get(essay["sha256"])
        if before is not None and np.isfinite(fit.unshrunk_scores[item]):
            shared.append((item, essay, before))
    if not shared:
        return []
    main = np.bincount([fit.component[item] for item, _, _ in shared]).argmax()
    shared = [(item, essay, before) for item, essay, before in shared if fit.component[item] == main]
    items = [item for item, _, _ in shared]
    was = np.array([before["unshrunk_score"] for _, _, before in shared])
    errors = np.hypot(
        fit.unshrunk_standard_errors[items], [before["unshrunk_standard_error"] for _, _, before in shared]
    )
    shifts = aligned_shifts(fit.unshrunk_scores[items], was, errors)
    return [
        {
            "essay_id": essay["essay_id"],
            "earlier_batch": earlier.batch_id,
            "earlier_essay_id": before["essay_id"],
            "grade": essay["anchor_grade"],
            "earlier_grade": before["anchor_grade"],
            "shift": float(shift),
            "standard_error": float(error),
        }
        for (_, essay, before), shift, error in zip(shared, shifts, errors, strict=True)
    ]


def drift_of(rows: pa.Table) -> Drift | None:
    """What the table `anchor_drift` says; None when it holds fewer than three anchors."""
    if rows.num_rows < FEWEST_SHARED:
        return None
    return judge_drift(*(rows[name].to_numpy() for name in ("shift", "standard_error")))


def _scored_anchors(earlier: EarlierBatch) -> dict[str, dict[str, Any]]:
    """Anchors of the earlier batch's largest set of linked essays, by the hash of their text."""
    by_id = {row["essay_id"]: row for row in earlier.scores.to_pylist()}
    anchors = [row | by_id[row["essay_id"]] for row in earlier.essays.to_pylist() if row["is_anchor"]]
    return {row["sha256"]: row for row in anchors if row["component"] == 0 and row["unshrunk_score"] is not None}


def _spread(shifts: FloatArray) -> FloatArray:
    return np.asarray(np.median(np.abs(shifts), axis=-1) / NORMAL_MAD)
