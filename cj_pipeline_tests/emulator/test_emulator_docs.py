"""docs/emulator.md says what the emulator does: judges, settings, faults and rows are held against the code."""

import re
from dataclasses import fields
from pathlib import Path

from cj_pipeline.emulator.faults import FAULTS, Takes
from cj_pipeline.emulator.judges import JUDGES
from cj_pipeline.emulator.rows import ROWS
from cj_pipeline.emulator.store.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text("utf-8")
APIS = {"openai": "OpenAI", "anthropic": "Anthropic"}


def _table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = re.split(r"^## ", PAGE.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_parameter_of_every_judge_stands_in_the_page_with_its_default() -> None:
    judge, found = "", set()
    for name, parameters, _, default in _table("Judges"):
        judge = name.strip("`") or judge
        found |= {(judge, parameter, float(default)) for parameter in re.findall(r"`(\w+)`", parameters)}
    known = {
        (name, field.name, field.default)
        for name, kind in JUDGES.items()
        if kind.parameters is not None
        for field in fields(kind.parameters)
    }
    assert found == known


def test_every_setting_stands_in_the_page() -> None:
    for setting in fields(Settings):
        assert f"\n| `{setting.name}` | " in PAGE


def test_the_page_lists_the_faults_as_they_are() -> None:
    expected = []
    for name, fault in FAULTS.items():
        takes = "" if fault.takes is Takes.NOTHING else fault.takes.upper()
        only = f" ({APIS[fault.api]} only)" if fault.api else ""
        expected.append([f"`{name}`", takes, fault.meets.value, fault.what + only])
    assert _table("Faults") == expected


def test_the_page_lists_the_44_rows_as_they_are() -> None:
    def told(provocation: str | None) -> str:
        if provocation is None or provocation.startswith("rule: "):
            return (provocation or "").removeprefix("rule: ")
        return f"`{provocation}`"

    expected = [[str(number), row.what, told(row.openai), told(row.anthropic)] for number, row in ROWS.items()]
    assert _table("The 44 hostile responses") == expected
