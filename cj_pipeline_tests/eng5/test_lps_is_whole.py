"""None of the predecessor's 82 cases is forgotten: each is a test, or is listed with the reason."""

import ast
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/parity-lps.md").read_text("utf-8")


def numbers_tested() -> set[int]:
    """The numbers in names of tests and in ids of their parameters."""
    found = set()
    for path in sorted(Path(__file__).parent.glob("test_lps_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and (named := re.match(r"test_LPS_(\d\d)_", node.name)):
                found.add(int(named[1]))
            if isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant):
                found |= {int(number) for number in re.findall(r"^LPS-(\d\d)$", str(node.value.value))}
    return found


def numbers_listed() -> set[int]:
    part = PAGE.split("<!-- superseded: begin -->")[1].split("<!-- superseded: end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.strip().splitlines()[2:]]
    assert all(len(row) == 3 and all(row) for row in rows)
    return {int(row[0].removeprefix("LPS-")) for row in rows}


def test_every_case_is_a_test_or_is_listed_and_none_is_both() -> None:
    assert numbers_tested() | numbers_listed() == set(range(1, 83))
    assert not numbers_tested() & numbers_listed()
