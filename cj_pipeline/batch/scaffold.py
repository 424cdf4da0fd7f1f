"""A new batch folder: a manifest that explains itself, and the files a person fills in."""

import json
import shutil
from pathlib import Path

from cj_pipeline.batch.batch import BATCH_ID
from cj_pipeline.batch.manifest import MANIFEST, checked_manifest
from cj_pipeline.batch.readers import ESSAY_FILES, ESSAY_FOLDER, TEXT_SUFFIXES
from cj_pipeline.errors import BatchError
from cj_pipeline.scales import scale_named

_MANIFEST = """\
# Every key is explained in docs/batches.md. Nothing is bought before `cj run` or an approval.
[batch]
title = "{title}"
mode = "provider_batch_api"
# max_comparisons = 259      # a cap; default: 7 comparisons per essay and judge, each essay is in 14

{scale}
[[judges]]
id = "{judge_id}"
provider = "{provider}"      # openai | emulator (offline: for trying out, no judge of essays)
model = {model}
max_output_tokens = 600

[spending]
max_usd = 5.00               # no purchase passes it
approval = "manual"          # manual: bought only after `cj approve`; auto: up to max_usd
"""
_NO_SCALE = "# [scale]                    # without it: scores, no grades\n"
_ASSIGNMENT = "Write here what the pupils were asked to do.\n"
_RUBRIC = "Write here what the judge should look for, most important first.\n"


def scaffold(
    root: Path, batch_id: str, *, scale: str | None, judge: str, essays: Path | None, anchors: Path | None
) -> Path:
    """Write a new batch folder and copy essays and anchors into it, if given. Raises `BatchError`.

    `judge` is PROVIDER:MODEL, `scale` a built-in one. Nothing is overwritten, and nothing written that would not
    read back. Raises `UnknownScale` as well.
    """
    if not BATCH_ID.fullmatch(batch_id):
        raise BatchError(f"batch id {batch_id!r}: use 1 to 64 of a-z, 0-9 and - .")
    folder = root / batch_id
    if folder.exists():
        raise BatchError(f"{folder} is there already. Choose another id, or edit that folder.")
    provider, _, model = judge.partition(":")
    if not model:
        raise BatchError(f"judge {judge!r}: write PROVIDER:MODEL, for example emulator:lexical.")
    text = _MANIFEST.format(
        title=batch_id,
        scale=_NO_SCALE if scale is None else f'[scale]\nname = "{scale_named(scale).name}"\n',
        judge_id=provider,
        provider=provider,
        model=json.dumps(model, ensure_ascii=False),
    )
    checked_manifest(text, folder / MANIFEST)
    sources = {} if essays is None else _essay_sources(essays)
    if anchors is not None and not anchors.is_file():
        raise BatchError(f"{anchors}: there is no such file. Name a csv with the columns essay_id and grade.")
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(text, "utf-8")
    (folder / "assignment.md").write_text(_ASSIGNMENT, "utf-8")
    (folder / "rubric.md").write_text(_RUBRIC, "utf-8")
    for name, source in sources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, folder / name)
    if anchors is not None:
        shutil.copyfile(anchors, folder / "anchors.csv")
    return folder


def _essay_sources(essays: Path) -> dict[str, Path]:
    """Where each essay file goes in the new folder: a table as it is, a folder's texts under essays/."""
    table = f"essays{essays.suffix.lower()}"
    if essays.is_file():
        if table not in ESSAY_FILES:
            raise BatchError(f"{essays}: neither .csv nor .jsonl. Name such a file, or a folder of .txt or .md files.")
        return {table: essays}
    if not essays.is_dir():
        raise BatchError(f"{essays}: there is no such file or folder.")
    texts = {
        f"{ESSAY_FOLDER}/{path.name}": path for path in sorted(essays.iterdir()) if path.suffix.lower() in TEXT_SUFFIXES
    }
    if not texts:
        raise BatchError(f"{essays}: no .txt or .md file in it. Save the essays as text, one file each.")
    return texts
