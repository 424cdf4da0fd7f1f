"""Batches of anchors only: what a judge makes of essays whose grades are known, and of the same ones last time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import fsum
from typing import Any

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.alignment import UNKNOWN_GRADE, Alignment, Met, align
from cj_pipeline.scales import GradeScale

TABLES = ("essays", "judgments", "bradley_terry_scores", "scale_fit")
NO_CONFIDENCE = 0.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AnchorRun:
    """One alignment run.

    `ranked` holds the anchors with a score, best first; `grades`, `scores` and `hashes` (of the texts) are by anchor.
    `asked` counts comparisons, `alignment.comparisons` those of them with a winner.
    """

    batch_id: str
    revision: str
    ended_at: datetime | None
    ranked: tuple[str, ...]
    grades: Mapping[str, str]
    scores: Mapping[str, float]
    hashes: Mapping[str, str]
    met: tuple[Met, ...]
    scale: GradeScale
    alignment: Alignment
    asked: int
    order_effect: float
    order_effect_standard_error: float | None
    reliability: float | None
    cost_usd: float

    def among(self, hashes: Collection[str]) -> "AnchorRun":
        """The same run, of some of the texts only: places and comparisons of the others are left out."""
        kept = tuple(anchor for anchor in self.ranked if self.hashes[anchor] in hashes)
        met = tuple(one for one in self.met if one.winner in kept and one.loser in kept)
        return replace(self, ranked=kept, met=met, alignment=_aligned(kept, self.grades, met, self.scale))


def is_alignment_batch(batch: Batch) -> bool:
    """A batch with a scale and no pupil: its anchors meet each other, and nobody is graded by it."""
    return batch.scale is not None and batch.n_students == 0


def gather_anchor_run(deployment: Deployment, batch: Batch) -> AnchorRun:
    """The run of the batch's current revision. Raises `StaleTable` before it was scored."""
    tables = {name: deployment.read_table(name, batch.batch_id) for name in TABLES}
    return anchor_run(batch, deployment.ledger.provenance(batch.batch_id).revision, tables)


def earlier_run(deployment: Deployment, batch: Batch) -> AnchorRun | None:
    """The last run of the same anchors: of the batch that the manifest names, or the newest earlier revision.

    Raises `BatchError` for a name that no folder has, `StaleTable` when that batch was not scored.
    """
    named = batch.manifest.checks.regression_from
    if named is not None:
        return gather_anchor_run(deployment, deployment.batch(named))
    runs = [anchor_run(batch, revision, tables) for revision, tables in _kept_revisions(deployment, batch.batch_id)]
    return max(runs, key=lambda run: run.ended_at or _NEVER, default=None)


def anchor_run(batch: Batch, revision: str, tables: Mapping[str, pa.Table]) -> AnchorRun:
    """An alignment run from its tables; `batch` has the scale, the tables the grades as they were then."""
    assert batch.scale is not None
    essays = tables["essays"].to_pylist()
    grades = {row["essay_id"]: row["anchor_grade"] for row in essays if row["anchor_grade"] is not None}
    scores = {
        row["essay_id"]: row["score"]
        for row in tables["bradley_terry_scores"].to_pylist()
        if row["score"] is not None and row["essay_id"] in grades
    }
    ranked = tuple(sorted(scores, key=lambda anchor: (-scores[anchor], anchor)))
    judgments = tables["judgments"].to_pylist()
    met = tuple(one for row in judgments if (one := _met(row)) is not None)
    fit: dict[str, Any] = tables["scale_fit"].to_pylist()[0]
    return AnchorRun(
        batch_id=batch.batch_id,
        revision=revision,
        ended_at=max((row["completed_at"] for row in judgments if row["completed_at"] is not None), default=None),
        ranked=ranked,
        grades=grades,
        scores=scores,
        hashes={row["essay_id"]: row["sha256"] for row in essays},
        met=met,
        scale=batch.scale,
        alignment=_aligned(ranked, grades, met, batch.scale),
        asked=len(judgments),
        order_effect=fit["order_effect"],
        order_effect_standard_error=fit["order_effect_standard_error"],
        reliability=fit["reliability"],
        cost_usd=fsum(row["cost_usd"] or 0.0 for row in judgments),
    )


def rank_on(scale: GradeScale, grade: str) -> int:
    """0 for the best grade of the scale; worse than all for one that is not on it."""
    return len(scale.labels) - 1 - scale.label_index(grade) if grade in scale.labels else UNKNOWN_GRADE


def _aligned(ranked: tuple[str, ...], grades: Mapping[str, str], met: tuple[Met, ...], scale: GradeScale) -> Alignment:
    return align(ranked, grades, met, rank=lambda grade: rank_on(scale, grade))


def _met(row: Mapping[str, Any]) -> Met | None:
    """A judgment as a meeting with a winner; None for a tie or where there is no verdict."""
    if row["winner"] not in {"essay_a", "essay_b"}:
        return None
    loser = "essay_b" if row["winner"] == "essay_a" else "essay_a"
    confidence = NO_CONFIDENCE if row["confidence"] is None else float(row["confidence"])
    return Met(row[row["winner"]], row[loser], confidence, row["justification"] or "")


def _kept_revisions(deployment: Deployment, batch_id: str) -> list[tuple[str, dict[str, pa.Table]]]:
    """Earlier revisions whose tables were kept whole, by the name of their folder."""
    store, kept = deployment.store, []
    for path in store.paths(f"revisions/{batch_id}/*/scale_fit.parquet"):
        folder = path.rsplit("/", 1)[0]
        if all(store.exists(f"{folder}/{name}.parquet") for name in TABLES):
            tables = {name: store.read_parquet(f"{folder}/{name}.parquet") for name in TABLES}
            kept.append((folder.rsplit("/", 1)[1], tables))
    return kept
