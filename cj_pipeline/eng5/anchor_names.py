"""Anchors by the names of their files, as the predecessor's folders have them: `..._F+1.docx` is graded F+."""

import csv
import io
import re
from pathlib import Path

from cj_pipeline.batch import Batch
from cj_pipeline.errors import BatchError
from cj_pipeline.scales import GradeScale

ANCHORS = "anchors.csv"


def grade_from_file_name(name: str) -> str:
    """What follows the last `_` of the stem, without the number at its end, in capitals.

    Raises `BatchError` where nothing but a number is left.
    """
    token = Path(name).stem.rsplit("_", 1)[-1]
    grade = re.sub(r"\d+$", "", token).strip().upper()
    if not grade:
        raise BatchError(f"{name}: no grade in the name. Name it like …_C+1.docx, or write {ANCHORS} yourself.")
    return grade


def write_anchors(batch: Batch) -> tuple[Path, int]:
    """Write `anchors.csv` for the essays whose names end in a grade of the batch's scale; the others are pupils'.

    Returns where, and how many. Raises `BatchError` without a scale, without such names, or where anchors are listed
    already.
    """
    path = batch.folder / ANCHORS
    if batch.scale is None:
        raise BatchError(f"batch {batch.batch_id}: no [scale] in batch.toml, so no name can be a grade. Add one.")
    if batch.n_anchors:
        raise BatchError(f"batch {batch.batch_id}: has a list of {batch.n_anchors} anchors. Remove it first.")
    graded = [(name, grade) for name in batch.essays["essay_id"].to_pylist() if (grade := _grade(name, batch.scale))]
    if not graded:
        raise BatchError(
            f"batch {batch.batch_id}: no essay's name ends in _ and one of {', '.join(batch.scale.grades)}. "
            f"Write {path} yourself: essay_id,grade."
        )
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows([("essay_id", "grade"), *graded])
    path.write_text(lines.getvalue(), "utf-8", newline="")
    return path, len(graded)


def _grade(essay_id: str, scale: GradeScale) -> str | None:
    """The grade in an essay's name; a name without `_` is a name, even if it is a letter."""
    if "_" not in essay_id:
        return None
    try:
        grade = grade_from_file_name(f"{essay_id}.txt")
    except BatchError:
        return None
    return grade if grade in scale.grades else None
