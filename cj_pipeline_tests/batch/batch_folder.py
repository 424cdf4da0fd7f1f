"""A small batch folder in order, and how these tests spoil it."""

from collections.abc import Mapping
from pathlib import Path

MANIFEST = """\
[batch]
title = "Six essays"
[scale]
grades = ["F", "E", "C", "A"]
[[judges]]
id = "luna"
provider = "emulator"
model = "lexical"
"""
ESSAYS = "essay_id,text,school\n" + "".join(f"e{i},Text number {i} says something.,north\n" for i in range(1, 7))
ANCHORS = "essay_id,grade\ne1,F\ne2,C\ne3,A\n"

Files = Mapping[str, str | bytes | None]
IN_ORDER: Files = {
    "batch.toml": MANIFEST,
    "essays.csv": ESSAYS,
    "anchors.csv": ANCHORS,
    "assignment.md": "Write a letter.\n",
    "rubric.md": "Clarity.\n",
}


def write_files(folder: Path, files: Files) -> Path:
    """Write the files; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if content is None:
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def batch_with(folder: Path, changes: Files) -> Path:
    """The folder in order, but for the changes."""
    return write_files(folder, {**IN_ORDER, **changes})
