"""`make bench` at toy size: what the page promises stands in it. No figure is judged here."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.designs import DESIGNS
from benchmarks.measuring import Budget, Table, figure
from benchmarks.page import chart_name

pytestmark = pytest.mark.heavy
TOY = command.Sizes(
    fits=((8, 28), (120, 1_200)), plans=((20, 4, 60),), purchases=((8, 12), (8, 24)), flows=(40, 80), replays=(2, 1)
)


def tables(page: str) -> dict[str, list[list[str]]]:
    """The rows of each section's table, head first, by heading."""
    sections = re.split(r"^## (.+)$", page, flags=re.M)[1:]
    return {
        heading: [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines()
            if line.startswith("| ") and not line.startswith("| ---")
        ]
        for heading, text in zip(sections[::2], sections[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def measured() -> tuple[str, list[Table]]:
    return command.measured(TOY)


@pytest.fixture(scope="module")
def toy_page(measured: tuple[str, list[Table]]) -> str:
    return measured[0]


def test_every_budget_shows_its_figure_its_target_and_whether_it_is_met(toy_page: str) -> None:
    head, *rows = tables(toy_page)["Budgets"]
    assert head[:3] == ["what", "measured", "target"]
    assert len(rows) >= 6
    for what, measured, target, verdict in rows:
        assert what
        assert re.fullmatch(r"[\d.,e-]+ \S+", measured), measured
        assert re.fullmatch(r"[≤≥] [\d.,]+ \S+", target), target
        assert verdict in {"pass", "**miss**"}


def test_every_library_stands_beside_ours_on_the_same_data_and_agrees(toy_page: str) -> None:
    head, *rows = tables(toy_page)["Bradley-Terry fits"]
    for problem in ("8 / 28", "120 / 1,200"):
        here = [dict(zip(head, row, strict=True)) for row in rows if row[0] == problem]
        assert {row["method"].split()[0] for row in here} >= {"cj_pipeline", "choix", "evalica", "scipy"}
        assert here[0]["gives"] == "scores and SE"
        assert here[0]["times ours"] == "1.0"
        solved = [row for row in here if row["gives"] == "scores"]
        differences = [float(row["difference"]) for row in solved]
        assert len(solved) >= 5
        assert {row["gives"] for row in here} <= {"scores and SE", "scores", "not installed"}
        assert max(differences) < 1e-4


def test_charts_are_named_beside_their_tables_and_are_well_formed(
    measured: tuple[str, list[Table]],
) -> None:
    page, found = measured
    charted = [table for table in found if table.chart]
    assert len(charted) == 2
    for table in charted:
        assert f"](images/{chart_name(table.heading)})" in page
        assert ElementTree.fromstring(table.chart).tag.endswith("svg")


def test_designs_say_how_many_comparisons_an_accuracy_takes(toy_page: str) -> None:
    head, *rows = tables(toy_page)["Comparisons for an accuracy"]
    assert [row[0] for row in rows] == list(DESIGNS)
    assert head[-1] == "ours = 1"
    assert rows[0][-1] == "1.0"


def test_plans_and_files_have_their_rows(toy_page: str) -> None:
    found = tables(toy_page)
    assert found["Pair plans"][1][:3] == ["20", "4", "60"]
    assert [row[3].split()[-1] for row in found["Request and result files"][1:]] == ["MB/s", "lines/s", "1,000"]


def test_the_page_names_processor_and_libraries_but_no_host_or_folder(toy_page: str) -> None:
    assert "CPython" in toy_page
    assert "numpy" in toy_page
    assert str(Path.home()) not in toy_page
    assert not re.search(r"(?<!\w)/(home|root|tmp|work)/", toy_page)


def test_a_missed_target_is_a_miss_in_either_direction() -> None:
    assert Budget("s", 1.0, 1.0, "s").passed
    assert not Budget("s", 1.01, 1.0, "s").passed
    assert Budget("rate", 150.0, 150.0, "MB/s", at_least=True).passed
    assert not Budget("rate", 149.0, 150.0, "MB/s", at_least=True).passed


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.000712, "0.000712"), (0.3, "0.300"), (1.0, "1.00"), (26.885, "26.9"), (54_076.3, "54,076"), (0.0, "0")],
)
def test_figures_are_shown_to_three_digits(value: float, shown: str) -> None:
    assert figure(value) == shown


def test_quick_prints_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "benchmarks.md"
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "measured", lambda sizes, **_: (f"measured {sizes is command.QUICK}", []))
    command.main(["--quick"])
    assert capsys.readouterr().out == "measured True\n"
    assert not page.exists()


def test_without_a_flag_the_page_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "benchmarks.md"
    (page.parent / "images").mkdir(parents=True)
    charted = Table("Two words", "about", ("a",), (("1",),), chart="<svg/>")
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "measured", lambda sizes, **_: (f"measured {sizes is command.STANDARD}", [charted]))
    command.main([])
    assert page.read_text("utf-8") == "measured True"
    assert (page.parent / "images" / "benchmarks-two-words.svg").read_text("utf-8") == "<svg/>"
