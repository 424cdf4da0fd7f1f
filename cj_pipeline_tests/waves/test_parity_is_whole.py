"""Every parity case of the predecessor is a test of its number, or stands in docs/parity.md as superseded."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cj_pipeline_tests.installation import REPO

CASES = {f"CJ-P{number:02d}" for number in range(1, 110)}
PROJECTION = {f"CJ-P{number}" for number in (88, 89, 90, 91, 92, 94, 95, 96)}
HERE = Path(__file__).parent


def parity_tests() -> Iterator[tuple[set[str], str]]:
    """The cases of each parity test, and its docstring."""
    for path in HERE.glob("test_parity_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named = "".join(ast.unparse(mark) for mark in node.decorator_list)
                yield set(re.findall(r"case\('(CJ-P\d+)", named)), ast.get_docstring(node) or ""


def listed_under(heading: str) -> set[str]:
    """The first column of the table under a heading of docs/parity.md."""
    page = (REPO / "docs/parity.md").read_text("utf-8")
    part = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| (CJ-P\d+) ", part, re.MULTILINE))


def test_no_case_is_missing_and_none_is_both() -> None:
    cases = set().union(*(cases for cases, _ in parity_tests()))
    assert cases | PROJECTION == CASES
    assert cases & PROJECTION == set()


def test_the_old_projection_alone_is_superseded() -> None:
    assert listed_under("Superseded") == PROJECTION


def test_the_page_names_every_case_that_was_corrected() -> None:
    corrected = set().union(*(cases for cases, reason in parity_tests() if "Corrected" in reason))
    assert corrected <= listed_under("Corrected")
