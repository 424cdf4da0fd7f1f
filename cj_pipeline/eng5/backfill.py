"""What a scheduled backfill asks for: ENG5 batches every night, scales of an older scoring version, late reports.

Decided from folders, ledger and stored tables; whoever schedules says what was asked for already.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pyarrow as pa

from cj_pipeline.batch import Manifest, batch_folder, read_manifest
from cj_pipeline.deployment import Deployment
from cj_pipeline.due import is_stored, may_be_bought
from cj_pipeline.eng5.profiles import PROFILES
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.progress import Progress, progress_of_all
from cj_pipeline.jobs.spending import latest_approval
from cj_pipeline.scoring.bradley_terry_scores import SCORING_VERSION
from cj_pipeline.store import table_path

ENG5_SCALES = "eng5_np_"
LATE_AFTER = timedelta(hours=26)  # a nightly report with two hours to spare


class Stage(StrEnum):
    """Which part of a batch a run is asked for."""

    BUY = "buy"  # read, plan and buy what is not bought
    SCORE = "score"  # score, grade and report anew


@dataclass(frozen=True, slots=True)
class Wanted:
    """A batch that is due, and for what."""

    batch_id: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Backfill:
    """What is due, in order, and what a person should know of the rest."""

    wanted: tuple[Wanted, ...]
    remarks: tuple[str, ...]


def is_eng5(batch_id: str, manifest: Manifest) -> bool:
    """A batch on one of the two ENG5 scales, or a profile of the predecessor."""
    named = manifest.scale.name if manifest.scale is not None else None
    return batch_id in PROFILES or (named or "").startswith(ENG5_SCALES)


def nightly_backfill(deployment: Deployment, live: Collection[str], asked: Collection[str]) -> Backfill:
    """Every ENG5 batch among the `live` partitions that was not `asked` for this night, by id.

    What is judged is scored and checked anew; what is not is bought, if that is allowed. A batch whose jobs are out
    is the sensors', and one that waits for approval is a remark.
    """
    progress = progress_of_all(deployment.ledger)
    wanted, remarks = [], []
    for batch_id in deployment.batch_ids():
        try:
            manifest = read_manifest(batch_folder(batch_id, deployment.roots))
            if batch_id in asked or not is_eng5(batch_id, manifest):
                continue
            if batch_id not in live:
                remarks.append(f"batch {batch_id}: no partition yet; register_batches makes one")
                continue
            stage = _stage(deployment, batch_id, manifest, progress.get(batch_id, Progress()))
        except CjError as error:
            remarks.append(str(error))
            continue
        if isinstance(stage, Stage):
            wanted.append(Wanted(batch_id, stage))
        else:
            remarks.append(f"batch {batch_id}: {stage}")
    return Backfill(tuple(wanted), tuple(remarks))


def outdated_scales(deployment: Deployment, live: Collection[str], asked: Collection[str]) -> Backfill:
    """Batches whose stored scale another `SCORING_VERSION` made, and whose judgments are up to date; free."""
    wanted, remarks = [], []
    for batch_id in sorted(set(live) - set(asked)):
        if scoring_version_of(deployment, batch_id) in {None, SCORING_VERSION}:
            continue
        if is_stored(deployment, "judgments", batch_id):
            wanted.append(Wanted(batch_id, Stage.SCORE))
        else:
            remarks.append(f"batch {batch_id}: its judgments are not up to date; they come first")
    return Backfill(tuple(wanted), tuple(remarks))


def scoring_version_of(deployment: Deployment, batch_id: str) -> int | None:
    """The version that made a batch's stored scale, 0 from before versions were written; None without a scale."""
    path = table_path("scale_fit", batch_id)
    if not deployment.store.exists(path):
        return None
    table: pa.Table = deployment.store.read_parquet(path)
    return int(table["scoring_version"][0].as_py()) if "scoring_version" in table.column_names else 0


def is_late(reported: datetime | None, asked: datetime | None, now: datetime) -> bool:
    """Whether the last report, or without one the first time it was asked for, is too long ago."""
    since = reported or asked
    return since is not None and now - since > LATE_AFTER


def _stage(deployment: Deployment, batch_id: str, manifest: Manifest, progress: Progress) -> Stage | str:
    """What to ask for, or why nothing."""
    if progress.complete:
        return Stage.SCORE if is_stored(deployment, "judgments", batch_id) else "its answers are to be collected"
    if progress.at_provider or progress.uncertain:
        return f"jobs {progress.sentence()}"
    if not may_be_bought(manifest, approved=_approved(deployment, batch_id)):
        return f"waits for `cj approve {batch_id} --max-usd AMOUNT`"
    return Stage.BUY


def _approved(deployment: Deployment, batch_id: str) -> bool:
    try:
        revision = deployment.ledger.provenance(batch_id).revision
    except CjError:
        return False  # never planned
    return latest_approval(deployment.ledger, batch_id, revision) is not None
