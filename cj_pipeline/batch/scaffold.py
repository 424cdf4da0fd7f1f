"""A new batch folder: a manifest that explains itself, and the files a person fills in."""

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from cj_pipeline.batch.batch import BATCH_ID, read_batch
from cj_pipeline.batch.default_texts import ASSIGNMENT, RUBRIC
from cj_pipeline.batch.human_judgments import COLUMNS, HUMAN_JUDGMENTS_FILE
from cj_pipeline.batch.intake import Intake
from cj_pipeline.batch.listed_pairs import PAIRS_FILE, TIMES
from cj_pipeline.batch.manifest import MANIFEST, BatchSection, checked_manifest
from cj_pipeline.batch.readers import ESSAY_FILES, ESSAY_FOLDER, GRADE_SUFFIXES, TEXT_SUFFIXES, files_in
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError
from cj_pipeline.scales import BUILT_IN_SCALES, GradeScale, scale_named

_MANIFEST = """\
# Every key is explained in docs/batches.md. Nothing is bought before `cj run` or an approval.
[batch]
title = "{title}"
mode = "provider_batch_api"
language = "{language}"              # of the report
# max_comparisons = 259      # a cap; default: 7 comparisons per essay and judge, each essay is in 14

{scale}
[[judges]]
id = "{judge_id}"
provider = "{provider}"      # openai | anthropic | vllm | emulator (offline: for trying out)
model = {model}
max_output_tokens = 600

[spending]
max_usd = 5.00               # no purchase passes it
approval = "manual"          # manual: bought only after `cj approve`; auto: up to max_usd
"""
_NO_SCALE = "# [scale]                    # without it: scores, no grades\n"
_TO_FILL_IN = {
    "assignment.md": "Write here what the pupils were asked to do.\n",
    "rubric.md": "Write here what the judge should look for, most important first.\n",
}
REPORT_LANGUAGES: tuple[str, ...] = get_args(BatchSection.model_fields["language"].annotation)


def scaffold(
    root: Path, batch_id: str, *, scale: str | None, judge: str, essays: Path | None, anchors: Path | None
) -> Path:
    """Write a new batch folder and copy essays and anchors into it as they are, if given. Raises `BatchError`.

    `judge` is PROVIDER:MODEL, `scale` a built-in one. Nothing is overwritten, and nothing written that would not
    read back. Raises `UnknownScale` as well.
    """
    folder = new_folder(root, batch_id)
    manifest = manifest_text(folder, scale=scale_named(scale) if scale else None, judge=judge)
    sources = {} if essays is None else _essay_sources(essays)
    if anchors is not None:
        sources[_anchor_name(anchors)] = anchors
    _write(folder, manifest, _TO_FILL_IN, sources)
    return folder


def scaffold_intake(root: Path, batch_id: str, intake: Intake, *, scale: GradeScale | None, judge: str) -> Path:
    """Write a batch folder from what was recognised: files copied under their ids, tables as csv.

    Where no assignment or rubric was found a general one is written in the texts' language. Raises `BatchError`,
    also for what does not read back, and then leaves nothing behind.
    """
    folder = new_folder(root, batch_id)
    manifest = manifest_text(folder, scale=scale, judge=judge, language=report_language(intake))
    language = intake.language or "en"
    contents = {
        "assignment.md": prompt_text(intake, intake.assignment, ASSIGNMENT[language]),
        "rubric.md": prompt_text(intake, intake.rubric, RUBRIC[language]),
    }
    for name, grades in (("anchors.csv", intake.anchors), ("known_grades.csv", intake.known)):
        if grades is not None:
            contents[name] = _as_csv([("essay_id", "grade"), *grades.grades.items()])
    if intake.pairs is not None:
        rows = [(pair.essay_a, pair.essay_b, str(pair.times)) for pair in intake.pairs.pairs]
        contents[PAIRS_FILE] = _as_csv([("essay_a", "essay_b", TIMES), *rows])
    if intake.votes is not None:
        votes = [
            (vote["judge_id"], vote["essay_a"], vote["essay_b"], vote.get(vote["winner"], "tie"))
            for vote in intake.votes.votes
        ]
        contents[HUMAN_JUDGMENTS_FILE] = _as_csv([COLUMNS, *votes])
    sources = {
        f"{ESSAY_FOLDER}/{essay.essay_id}{essay.file.suffix.lower()}": essay.file
        for essay in intake.essays
        if essay.file
    }
    if not sources:
        groups = sorted({name for essay in intake.essays for name in essay.groups})
        texts = [
            (essay.essay_id, essay.text, *(essay.groups.get(name, "") for name in groups)) for essay in intake.essays
        ]
        contents["essays.csv"] = _as_csv([("essay_id", "text", *groups), *texts])
    _write(folder, manifest, contents, sources)
    try:
        read_batch(folder)
    except BatchError:
        shutil.rmtree(folder)
        raise
    return folder


def new_folder(root: Path, batch_id: str) -> Path:
    """Where a new batch goes. Raises `BatchError` for a bad id and for one that is there."""
    if not BATCH_ID.fullmatch(batch_id):
        raise BatchError(f"batch id {batch_id!r}: use 1 to 64 of a-z, 0-9 and - .")
    folder = root / batch_id
    if folder.exists():
        raise BatchError(f"{folder} is there already. Choose another id, or edit that folder.")
    return folder


def manifest_text(folder: Path, *, scale: GradeScale | None, judge: str, language: str = "en") -> str:
    """The manifest, checked. Raises `BatchError` for a judge that is none."""
    provider, _, model = judge.partition(":")
    if not model:
        raise BatchError(f"judge {judge!r}: write PROVIDER:MODEL, for example emulator:lexical.")
    text = _MANIFEST.format(
        title=folder.name,
        language=language,
        scale=_scale_section(scale),
        judge_id=provider,
        provider=provider,
        model=json.dumps(model, ensure_ascii=False),
    )
    checked_manifest(text, folder / MANIFEST)
    return text


def report_language(intake: Intake) -> str:
    """The texts' language where reports are written in it, else English."""
    return intake.language if intake.language in REPORT_LANGUAGES else "en"


def prompt_text(intake: Intake, path: Path | None, general: str) -> str:
    """What the judge is told: the file's text, or the general one."""
    return f"{intake.prompt_texts[path]}\n" if path is not None else general


def _scale_section(scale: GradeScale | None) -> str:
    if scale is None:
        return _NO_SCALE
    if scale == BUILT_IN_SCALES.get(scale.name):
        return f'[scale]\nname = "{scale.name}"\n'
    return f"[scale]\ngrades = {json.dumps(list(scale.grades), ensure_ascii=False)}   # worst to best\n"


def _write(folder: Path, manifest: str, contents: Mapping[str, str], sources: Mapping[str, Path]) -> None:
    """The manifest last: a folder is a batch once it has one."""
    folder.mkdir(parents=True)
    for name, source in sources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, folder / name)
    for name, content in {**contents, MANIFEST: manifest}.items():
        (folder / name).write_text(content, "utf-8", newline="")


def _as_csv(rows: Iterable[Iterable[str]]) -> str:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def _anchor_name(anchors: Path) -> str:
    if not anchors.is_file():
        raise BatchError(f"{anchors}: there is no such file. Name a csv with the columns essay_id and grade.")
    suffix = anchors.suffix.lower()
    return f"anchors{suffix if suffix in GRADE_SUFFIXES else '.csv'}"


def _essay_sources(essays: Path) -> dict[str, Path]:
    """Where each essay file goes in the new folder: a table as it is, a folder's texts under essays/."""
    table = f"essays{essays.suffix.lower()}"
    if essays.is_file():
        if table not in ESSAY_FILES:
            raise BatchError(
                f"{essays}: none of .csv, .jsonl, .parquet and .xlsx. Name such a file, or a folder of texts."
            )
        return {table: essays}
    if not essays.is_dir():
        raise BatchError(f"{essays}: there is no such file or folder.")
    texts = {
        f"{ESSAY_FOLDER}/{path.name}": path
        for path in files_in(essays, Notices())
        if path.suffix.lower() in TEXT_SUFFIXES
    }
    if not texts:
        raise BatchError(f"{essays}: no .docx, .txt or .md file in it. Save the essays as such, one file each.")
    return texts
