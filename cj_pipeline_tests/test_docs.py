"""The pages under docs/ say what the code does: keys, defaults, settings and tables are held against it."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cj_pipeline.batch.manifest import (
    BatchSection,
    ChecksSection,
    JudgeSection,
    Manifest,
    PairingSection,
    ScaleSection,
    ScoringSection,
    SpendingSection,
    StoppingSection,
    checked_manifest,
)
from cj_pipeline.scales import BUILT_IN_SCALES
from cj_pipeline.settings import Settings
from cj_pipeline.tables import CONTRACTS

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / "docs"
BATCHES = (DOCS / "batches.md").read_text("utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "batch": BatchSection,
    "scale": ScaleSection,
    "judges": JudgeSection,
    "pairing": PairingSection,
    "scoring": ScoringSection,
    "stopping": StoppingSection,
    "spending": SpendingSection,
    "checks": ChecksSection,
}
SOME_JUDGE = {"id": "some", "provider": "emulator", "model": "lexical"}
TOML_BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in sorted(DOCS.rglob("*.md"))
    for number, block in enumerate(
        re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S), start=1
    )
]


def rows_below(heading: str, first_column: str) -> dict[str, tuple[str, str]]:
    """The rows of the table of that first column under a heading: name to (meaning, default)."""
    part = re.split(r"^#{2,3} ", BATCHES.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    table = part.split(f"| {first_column} | meaning | default |\n", 1)[1].split("\n\n", 1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[1:]]
    return {name.strip("`"): (meaning, default) for name, meaning, default in cells}


def section_heading(name: str) -> str:
    return f"### `[[{name}]]`" if name == "judges" else f"### `[{name}]`"


def as_toml(value: object) -> str:
    """A default as a person would write it in batch.toml."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def default_of(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def test_every_section_of_the_manifest_is_explained() -> None:
    assert set(SECTIONS) == set(Manifest.model_fields)
    headings = re.findall(r"^### `\[+(\w+)\]+`$", BATCHES, re.M)
    assert headings == list(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_names_every_key_of_a_section_and_no_other(section: str) -> None:
    assert list(rows_below(section_heading(section), "key")) == list(SECTIONS[section].model_fields)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_states_the_default_of_every_key(section: str) -> None:
    told = rows_below(section_heading(section), "key")
    for name, field in SECTIONS[section].model_fields.items():
        _, default = told[name]
        value = default_of(field)
        if value is PydanticUndefined:
            assert default == "required", name
        elif value in (None, ""):
            assert default, f"{name}: what it means to leave it out"
        else:
            assert default == f"`{as_toml(value)}`", name


def test_the_built_in_scales_are_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \| .* \|$", BATCHES.split("| built-in scale |", 1)[1].split("\n\n", 1)[0], re.M)
    assert sorted(listed) == sorted(BUILT_IN_SCALES)


def test_every_environment_variable_is_listed_with_its_meaning_and_default() -> None:
    told = rows_below("## Environment", "variable")
    assert told == {
        f"CJ_{name.upper()}": (field.description, "none" if field.default is None else f"`{field.default}`")
        for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("block", TOML_BLOCKS)
def test_a_toml_example_is_a_manifest_or_a_part_of_one(block: str) -> None:
    content = tomllib.loads(block)
    Manifest.model_validate({"judges": [SOME_JUDGE], **content})
    if "judges" in content:
        checked_manifest(block, Path("batch.toml"))


def test_the_page_of_the_tables_is_what_the_contracts_write() -> None:
    write = runpy.run_path(str(REPO / ".ci/write_tables_doc.py"))
    assert set(write["ABOUT"]) == set(CONTRACTS)
    assert (DOCS / "tables.md").read_text("utf-8") == write["tables_page"]()
