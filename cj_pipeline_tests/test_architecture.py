"""The rules of the house: arrows go forward along the flow, Dagster stays in its room, nothing loads at import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cj_pipeline_tests.installation import REPO

PACKAGE = REPO / "cj_pipeline"

# What each room may import of the project. A room imports itself, the shared vocabulary, and what stands before it.
VOCABULARY = {"errors", "findings", "tables", "scales", "settings", "store"}
ROOMS: dict[str, set[str]] = {
    "batch": set(),
    "pairing": set(),
    "judging": {"batch"},
    "providers": {"batch", "judging"},
    "jobs": {"batch", "pairing", "judging", "providers", "waves"},
    "scoring": {"pairing"},
    "waves": {"pairing", "scoring"},
    "grading": {"batch", "pairing", "judging", "scoring"},
    "deployment": {"batch", "judging", "jobs", "waves"},
    "report": {
        *("batch", "pairing", "judging", "providers", "jobs", "scoring", "grading"),
        *("deployment", "status", "notices"),
    },
    "status": {"batch", "jobs", "providers", "deployment"},
    "due": {"batch", "jobs", "deployment"},
    "continuation": {"batch", "scoring", "waves", "jobs", "deployment", "due"},
    "metrics": {"jobs", "judging", "providers", "deployment"},
    "notices": {"due", "jobs", "status", "deployment"},
    "notifications": {"notices"},
    "doctor": {"batch", "jobs", "providers", "emulator"},
    "erase": {"batch", "jobs", "providers", "deployment"},
    "emulator": {"batch", "judging"},
    "local_emulator": {"batch", "emulator"},
    "eng5": {"batch", "judging", "pairing", "providers", "jobs", "scoring", "report", "deployment", "due", "emulator"},
}
PURE = {"pairing", "scoring", "grading", "waves"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        yield inside.parts[0].removesuffix(".py"), path


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("cj_pipeline.")}


def test_every_room_imports_only_what_stands_before_it() -> None:
    wrong = [
        f"{path.relative_to(REPO)} imports {sorted(extra)}"
        for room, path in modules()
        if room in ROOMS and (extra := rooms_imported(path) - ROOMS[room] - VOCABULARY - {room})
    ]
    assert wrong == []


def test_the_shared_vocabulary_knows_no_room() -> None:
    wrong = [
        f"{name}: {sorted(extra)}"
        for name in VOCABULARY
        if (extra := rooms_imported(PACKAGE / f"{name}.py") - VOCABULARY)
    ]
    assert wrong == []


def test_every_room_has_its_rule() -> None:
    known = {*ROOMS, *VOCABULARY, "defs", "definitions", "cli", "__init__"}
    assert {room for room, _ in modules()} == known


def test_only_the_dagster_room_imports_dagster() -> None:
    wrong = [
        str(path.relative_to(REPO))
        for room, path in modules()
        if room not in {"defs", "definitions"} and any(name.split(".")[0] == "dagster" for name in imports(path))
    ]
    assert wrong == []


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "genai_prices", "dagster_postgres"])
def test_no_sdk_is_imported_before_it_is_needed(sdk: str) -> None:
    wrong = [
        str(path.relative_to(REPO))
        for _, path in modules()
        if any(name.split(".")[0] == sdk for name in imports(path, top_level_only=True))
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted(PURE))
def test_the_numeric_rooms_are_a_library_of_their_own(room: str) -> None:
    """Importing one loads no Dagster, no database, no HTTP client and no web server."""
    heavy = ["dagster", "sqlalchemy", "openai", "httpx2", "starlette", "uvicorn", "typer"]
    script = f"import sys, cj_pipeline.{room}; print([name for name in {heavy} if name in sys.modules])"
    child = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


def test_every_file_of_the_package_says_what_it_is() -> None:
    mute = [
        str(path.relative_to(REPO))
        for _, path in modules()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert mute == []


def test_the_map_in_the_docs_names_every_room() -> None:
    page = (REPO / "docs/architecture.md").read_text("utf-8")
    missing = [room for room in {*ROOMS, *VOCABULARY, "defs"} if f"`{room}" not in page]
    assert missing == []
