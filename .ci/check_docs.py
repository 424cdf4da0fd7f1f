"""Docs check: every relative link resolves, and every cj, make and dagster command in the docs exists.

Commands are looked up where they are defined: the `cj` application, the Makefile, the Dagster definitions.
"""

import itertools
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from cj_pipeline.cli import app
from cj_pipeline.definitions import ASSETS, defs

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "data/samples").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:cj|make|dagster) [^`]+)`")


def main() -> int:
    """Print every fault; the exit code says whether there was one."""
    faults = [fault for page in PAGES for fault in [*broken_links(page), *unknown_commands(page)]]
    for fault in faults:
        print(fault)
    print(f"docs: {len(PAGES)} pages, {len(faults)} faults")
    return 1 if faults else 0


def broken_links(page: Path) -> Iterator[str]:
    """Relative links to files or headings that are not there."""
    for target in LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{page.relative_to(ROOT)}: link to {target}, which is not there"
        elif heading and heading not in headings(file):
            yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as repository hosts make them."""
    lines = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def unknown_commands(page: Path) -> Iterator[str]:
    """Commands that would not be understood."""
    text = page.read_text("utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *INLINE.findall(text)]:
        command = line.removeprefix("$ ").strip()
        command = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", command).removeprefix(".venv/bin/")
        program, _, rest = command.partition(" ")
        check = {"cj": wrong_cj, "make": wrong_make, "dagster": wrong_dagster}.get(program)
        fault = check(shlex.split(rest, comments=True)) if check else None
        if fault:
            yield f"{page.relative_to(ROOT)}: `{command}`: {fault}"


def wrong_cj(words: list[str]) -> str | None:
    """An unknown subcommand or option of `cj`."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    if not words or words[0].startswith("-"):
        return None
    command = group.commands.get(words[0])
    said = f"cj {words.pop(0)}"
    if isinstance(command, typer.core.TyperGroup):
        if not words or words[0].startswith("-"):
            return None
        command = command.commands.get(words[0])
        said += f" {words.pop(0)}"
    if command is None:
        return f"there is no command {said!r}"
    options = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    given = [word.partition("=")[0] for word in words if word.startswith("--")]
    unknown = [word for word in given if word not in {*options, "--help"}]
    return f"{said} has no option {unknown[0]}" if unknown else None


def wrong_make(words: list[str]) -> str | None:
    """An unknown make target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    unknown = [word for word in words if "=" not in word and word not in targets]
    return f"no target {unknown[0]!r}" if unknown else None


def wrong_dagster(words: list[str]) -> str | None:
    """A job or asset that the definitions do not hold."""
    known_jobs = {job.name for job in defs.resolve_all_job_defs()}
    known_assets = {asset.key.to_user_string() for asset in ASSETS}
    given = dict(itertools.pairwise(words))
    job = given.get("-j") or given.get("--job")
    if job and job not in known_jobs:
        return f"no job {job!r}"
    chosen = re.findall(r"[a-z_]+", given.get("--select", ""))
    unknown = [name for name in chosen if name not in known_assets and name not in {"key", "or", "and", "group"}]
    return f"no asset {unknown[0]!r}" if unknown else None


if __name__ == "__main__":
    sys.exit(main())
