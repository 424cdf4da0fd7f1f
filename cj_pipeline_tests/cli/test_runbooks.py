"""The runbooks are true: every `sh` block in them is run, in order, in an installation of its own, and ends with 0."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cj_pipeline_tests.installation import REPO

RUNBOOKS = ("eng5-runbook.md", "cj-assessment-runbook.md", "operations.md")
PATIENCE_SECONDS = 300


def blocks(page: str) -> list[str]:
    """The commands of a page that can be run offline."""
    text = (REPO / "docs" / page).read_text("utf-8")
    return re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)


@contextmanager
def clone(folder: Path) -> Iterator[dict[str, str]]:
    """A folder that looks like a fresh clone to the commands; yields the environment to run them in."""
    (folder / "data/batches").mkdir(parents=True)
    (folder / "data/samples").symlink_to(REPO / "data/samples")
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPO / name, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CJ_", "DAGSTER_"))}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    try:
        yield {**kept, "PATH": programs, "CJ_EMULATOR_URL": f"http://127.0.0.1:{port}"}
    finally:
        noted = folder / "data/emulator/emulator.json"
        if noted.exists():
            os.kill(json.loads(noted.read_text("utf-8"))["pid"], signal.SIGTERM)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.heavy if page == "cj-assessment-runbook.md" else pytest.mark.endurance)
        for page in RUNBOOKS
    ],
)
def test_every_command_of_a_runbook_that_needs_no_key_and_no_person_does_what_it_says(
    page: str, tmp_path: Path
) -> None:
    commands = blocks(page)
    assert commands
    with clone(tmp_path) as environment:
        for block in commands:
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
            )  # fmt: skip
            assert ran.returncode == 0, f"{page}:\n{block}\n{ran.stdout[-1500:]}\n{ran.stderr[-1500:]}"


def test_what_a_runbook_does_not_run_is_marked_so() -> None:
    for page in RUNBOOKS[:2]:
        text = (REPO / "docs" / page).read_text("utf-8")
        marks = set(re.findall(r"^```(\w*)\n(?:.|\n)*?^```$", text, re.M))
        assert marks <= {"sh", "bash", "toml", ""}
        assert "Blocks marked `sh` are run by a test" in text
