"""A batch as read from its folder: manifest, essays, grades, assignment and rubric, checked against each other."""

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cj_pipeline.batch.manifest import MANIFEST, Manifest, ScaleSection, read_manifest
from cj_pipeline.batch.readers import EssayRow, GradeRow, Notices, read_essays, read_grades, read_text
from cj_pipeline.errors import BatchError, UnknownBatch
from cj_pipeline.scales import GradeScale, UnknownScale, own_scale, scale_named
from cj_pipeline.tables import conform

BATCH_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything a person handed over.

    `essays` follows the contract of that name, anchors first and each part sorted by id, so that the order of
    rows in a file changes nothing. `notices` say what was put right on reading.
    """

    batch_id: str
    folder: Path
    manifest: Manifest
    scale: GradeScale | None
    essays: pa.Table
    assignment: str
    rubric: str
    notices: tuple[str, ...]

    @property
    def title(self) -> str:
        """The manifest's title, or the id."""
        return self.manifest.batch.title or self.batch_id

    @property
    def n_anchors(self) -> int:
        """Essays with a known grade that calibrate the scale."""
        return int(sum(self.essays["is_anchor"].to_pylist()))

    @property
    def n_students(self) -> int:
        """All other essays."""
        return self.essays.num_rows - self.n_anchors


def batch_ids(roots: list[Path]) -> list[str]:
    """Names of all batch folders under the roots, sorted."""
    return sorted({path.parent.name for root in roots for path in root.glob(f"*/{MANIFEST}")})


def batch_folder(batch_id: str, roots: list[Path]) -> Path:
    """The folder of a batch. Raises `BatchError` for a bad id, none, or two folders of that name."""
    if not BATCH_ID.fullmatch(batch_id):
        raise BatchError(f"batch id {batch_id!r}: use 1 to 64 of a-z, 0-9 and - ; rename the folder.")
    folders = [root / batch_id for root in roots if (root / batch_id / MANIFEST).exists()]
    if len(folders) > 1:
        raise BatchError(f"batch {batch_id}: stands in {' and '.join(map(str, folders))}. Rename one of them.")
    if not folders:
        near = difflib.get_close_matches(batch_id, batch_ids(roots), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " `cj new` makes one."
        searched = ", ".join(str(root / batch_id) for root in roots)
        raise UnknownBatch(f"batch {batch_id}: no {MANIFEST} in {searched}.{hint}")
    return folders[0]


def read_batch(folder: Path) -> Batch:
    """Read and check a whole batch folder. Costs nothing, buys nothing. Raises `BatchError`."""
    notices = Notices()
    manifest = read_manifest(folder)
    scale = _scale(folder, manifest.scale)
    essays = read_essays(folder, notices)
    _refuse_bad_texts(essays, manifest.checks.max_words)
    anchors = _grades(folder / "anchors.csv", essays, scale, notices)
    known = _grades(folder / "known_grades.csv", essays, scale, notices)
    both = sorted(anchors.keys() & known.keys())
    if both:
        raise BatchError(f"{folder / 'known_grades.csv'}: {both[0]!r} is an anchor. Leave it in one of the two files.")
    return Batch(
        batch_id=folder.name,
        folder=folder,
        manifest=manifest,
        scale=scale,
        essays=_essay_table(essays, anchors, known),
        assignment=_prompt_text(folder / "assignment.md", notices),
        rubric=_prompt_text(folder / "rubric.md", notices),
        notices=tuple(notices.lines),
    )


def word_count(text: str) -> int:
    """Runs of non-blank characters."""
    return len(text.split())


def _scale(folder: Path, section: ScaleSection | None) -> GradeScale | None:
    if section is None:
        return None
    try:
        return own_scale(section.grades) if section.grades is not None else scale_named(str(section.name))
    except UnknownScale as error:
        raise BatchError(f"{folder / MANIFEST}: {error}. Correct [scale].") from None


def _refuse_bad_texts(essays: list[EssayRow], max_words: int) -> None:
    for essay in essays:
        words = word_count(essay.text)
        if words == 0:
            raise BatchError(f"{essay.where}: essay {essay.essay_id!r} has no text. Add the text or remove the essay.")
        if words > max_words:
            raise BatchError(
                f"{essay.where}: essay {essay.essay_id!r} has {words:,} words; {max_words:,} at most. Is it several "
                f"texts in one? Else raise max_words under [checks] in {MANIFEST}."
            )


def _grades(path: Path, essays: list[EssayRow], scale: GradeScale | None, notices: Notices) -> dict[str, str]:
    if not path.exists():
        return {}
    ids = {essay.essay_id for essay in essays}
    rows = read_grades(path, notices)
    for row in rows:
        if row.essay_id not in ids:
            near = difflib.get_close_matches(row.essay_id, sorted(ids), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " Add its text or remove the row."
            raise BatchError(f"{row.where}: there is no essay {row.essay_id!r}.{hint}")
        _refuse_grade_off_scale(row, scale)
    return {row.essay_id: row.grade for row in rows}


def _refuse_grade_off_scale(row: GradeRow, scale: GradeScale | None) -> None:
    if scale is not None and row.grade not in scale.grades:
        raise BatchError(
            f"{row.where}: the grade {row.grade!r} is not on the scale {scale.name}. "
            f"Use one of: {', '.join(scale.grades)}."
        )


def _essay_table(essays: list[EssayRow], anchors: dict[str, str], known: dict[str, str]) -> pa.Table:
    ordered = sorted(essays, key=lambda essay: (essay.essay_id not in anchors, essay.essay_id))
    groups = sorted({name for essay in ordered for name in essay.groups})
    columns = {
        "essay_id": [essay.essay_id for essay in ordered],
        "text": [essay.text for essay in ordered],
        "sha256": [hashlib.sha256(essay.text.encode()).hexdigest() for essay in ordered],
        "word_count": [word_count(essay.text) for essay in ordered],
        "is_anchor": [essay.essay_id in anchors for essay in ordered],
        "anchor_grade": pa.array([anchors.get(essay.essay_id) for essay in ordered], pa.string()),
        "known_grade": pa.array([known.get(essay.essay_id) for essay in ordered], pa.string()),
        **{name: [essay.groups.get(name) for essay in ordered] for name in groups},
    }
    return conform("essays", pa.table(columns))


def _prompt_text(path: Path, notices: Notices) -> str:
    if not path.exists():
        notices.add(f"{path}: not there. The judge is told nothing about it.")
        return ""
    return read_text(path, notices).strip()
