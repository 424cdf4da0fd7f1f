"""A batch as read from its folder: manifest, essays, grades, assignment and rubric, checked against each other."""

import difflib
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from cj_pipeline.batch.erased import ERASED, ErasedEssay, read_erased
from cj_pipeline.batch.human_judgments import read_human_judgments
from cj_pipeline.batch.judged import FROM_BATCH, JudgedBatch, joined_essays, joined_votes
from cj_pipeline.batch.listed_pairs import PAIRS_FILE, ListedPair, read_listed_pairs
from cj_pipeline.batch.manifest import ITERATIVE, MANIFEST, Manifest, ScaleSection, read_manifest
from cj_pipeline.batch.readers import EssayRow, GradeRow, grade_file, read_essays, read_grades
from cj_pipeline.batch.text_files import Notices, read_text
from cj_pipeline.errors import BatchError, UnknownBatch
from cj_pipeline.scales import GradeScale, UnknownScale, own_scale, scale_named
from cj_pipeline.tables import HUMAN_JUDGMENTS, conform

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
    human_judgments: pa.Table = field(default_factory=HUMAN_JUDGMENTS.empty_table)  # people's votes on the essays
    earlier: JudgedBatch | None = None  # the batch that this one tops up; `essays` and votes are then those of both
    listed_pairs: tuple[ListedPair, ...] | None = None  # what to ask, where pairs.csv says it

    @property
    def is_new(self) -> list[bool]:
        """Which essays lie in this batch's own folder: all, unless it tops up another."""
        if self.earlier is None:
            return [True] * self.essays.num_rows
        return [name == self.batch_id for name in self.essays[FROM_BATCH].to_pylist()]

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
    if batch_id == "index":
        raise BatchError("batch id 'index': the page over all batches has this name; rename the folder.")
    folders = [root / batch_id for root in roots if (root / batch_id / MANIFEST).exists()]
    if len(folders) > 1:
        raise BatchError(f"batch {batch_id}: stands in {' and '.join(map(str, folders))}. Rename one of them.")
    if not folders:
        near = difflib.get_close_matches(batch_id, batch_ids(roots), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " `cj new` makes one."
        searched = ", ".join(str(root / batch_id) for root in roots)
        raise UnknownBatch(f"batch {batch_id}: no {MANIFEST} in {searched}.{hint}")
    return folders[0]


def read_batch(folder: Path, earlier: JudgedBatch | None = None) -> Batch:
    """Read and check a whole batch folder. Costs nothing, buys nothing. Raises `BatchError`.

    A batch that tops up another is read beside it (`Deployment.batch` does so): an assignment or rubric that does
    not lie in the folder is the earlier one's.
    """
    notices = Notices()
    manifest = read_manifest(folder)
    if manifest.batch.tops_up != (earlier.batch_id if earlier else None):
        raise BatchError(f"{folder / MANIFEST}: tops up {manifest.batch.tops_up!r}; read it beside that batch.")
    scale = _scale(folder, manifest.scale)
    erased = read_erased(folder)
    essays = read_essays(folder, notices, least=(1 if earlier else 2) - len(erased))
    _refuse_bad_texts(essays, manifest.checks.max_words)
    _refuse_what_came_back(essays, erased)
    ids = {essay.essay_id for essay in essays} | {gone.essay_id for gone in erased}
    anchors = _grades(grade_file(folder, "anchors"), ids, scale, notices)
    known = _grades(grade_file(folder, "known_grades"), ids, scale, notices)
    both = sorted(anchors.keys() & known.keys())
    if both:
        where = grade_file(folder, "known_grades")
        raise BatchError(f"{where}: {both[0]!r} is an anchor. Leave it in one of the two files.")
    own = _essay_table(essays, erased, anchors, known)
    together = joined_essays(own, folder.name, earlier) if earlier else own
    people = read_human_judgments(
        folder, set(together["essay_id"].to_pylist()), {judge.id for judge in manifest.judges}, notices
    )
    listed = read_listed_pairs(folder, ids, notices)
    _refuse_two_plans(folder, manifest, listed)
    return Batch(
        batch_id=folder.name,
        folder=folder,
        manifest=manifest,
        scale=scale,
        essays=together,
        assignment=_prompt_text(folder / "assignment.md", notices, earlier.assignment if earlier else None),
        rubric=_prompt_text(folder / "rubric.md", notices, earlier.rubric if earlier else None),
        notices=tuple(notices.lines),
        human_judgments=joined_votes(people, earlier) if earlier else people,
        earlier=earlier,
        listed_pairs=listed,
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


def _refuse_what_came_back(essays: list[EssayRow], erased: list[ErasedEssay]) -> None:
    gone = {essay.essay_id: essay for essay in erased}
    for essay in essays:
        if essay.essay_id in gone:
            raise BatchError(
                f"{essay.where}: the text of {essay.essay_id!r} was erased on {gone[essay.essay_id].erased_at[:10]} "
                f"(see {ERASED}). Remove it again."
            )


def _refuse_two_plans(folder: Path, manifest: Manifest, listed: tuple[ListedPair, ...] | None) -> None:
    if listed is None:
        return
    iterative = manifest.batch.mode if manifest.batch.mode in ITERATIVE else None
    plans = (("tops_up", manifest.batch.tops_up), ("audit_share", manifest.pairing.audit_share), ("mode", iterative))
    for key, given in plans:
        if given:
            raise BatchError(
                f"{folder / PAIRS_FILE}: the list is the whole plan, and {MANIFEST} plans by {key} = {given}. "
                f"Leave out {key}, or remove the list."
            )


def _grades(path: Path | None, ids: set[str], scale: GradeScale | None, notices: Notices) -> dict[str, str]:
    if path is None:
        return {}
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


def _essay_table(
    essays: list[EssayRow], erased: list[ErasedEssay], anchors: dict[str, str], known: dict[str, str]
) -> pa.Table:
    groups = sorted({name for essay in essays for name in essay.groups})
    rows: list[dict[str, object]] = [
        {
            "essay_id": essay.essay_id,
            "text": essay.text,
            "sha256": hashlib.sha256(essay.text.encode()).hexdigest(),
            "word_count": word_count(essay.text),
            **{name: essay.groups.get(name) for name in groups},
        }
        for essay in essays
    ]
    rows += [
        {"essay_id": gone.essay_id, "text": "", "sha256": gone.sha256, "word_count": gone.word_count} for gone in erased
    ]
    rows.sort(key=lambda row: (row["essay_id"] not in anchors, row["essay_id"]))
    ids = [str(row["essay_id"]) for row in rows]
    columns = {
        **{name: [row[name] for row in rows] for name in ("essay_id", "text", "sha256", "word_count")},
        "is_anchor": [essay_id in anchors for essay_id in ids],
        "anchor_grade": pa.array([anchors.get(essay_id) for essay_id in ids], pa.string()),
        "known_grade": pa.array([known.get(essay_id) for essay_id in ids], pa.string()),
        **{name: pa.array([row.get(name) for row in rows], pa.string()) for name in groups},
    }
    return conform("essays", pa.table(columns))


def _prompt_text(path: Path, notices: Notices, earlier: str | None) -> str:
    if not path.exists():
        if earlier is not None:
            return earlier
        notices.add(f"{path}: not there. The judge is told nothing about it.")
        return ""
    return read_text(path, notices).strip()
