"""What leaves for a school or another tool: numbers are numbers, texts are texts, and nothing is ever a formula."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from cj_pipeline.errors import CjError
from cj_pipeline.findings import Finding, Kind
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.export import export_batch, inert
from cj_pipeline.report.export_words import HEADINGS, MEANINGS, WORDS
from cj_pipeline.report.workbook import ACTIVE, EXCEL_CELL_CHARS
from cj_pipeline_tests.report.evidence_factory import GATE, OFFLINE, make_evidence
from cj_pipeline_tests.report.panels import with_panel

FORMULA = '=HYPERLINK("http://x","y")'


def workbook_of(evidence: Evidence, folder: Path, *, with_texts: bool = False) -> Any:
    (path,) = export_batch(evidence, folder, "xlsx", with_texts=with_texts)
    assert path.name == f"{evidence.batch_id}.xlsx"
    return openpyxl.load_workbook(path)


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    heading, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def with_groups(evidence: Evidence, **groups: Sequence[str | None]) -> Evidence:
    essays = evidence.tables["essays"]
    for name, values in groups.items():
        essays = essays.append_column(name, pa.array(values, pa.string()))
    return replace(evidence, tables={**evidence.tables, "essays": essays})


def test_a_school_opens_one_row_per_essay_with_names_grade_range_doubt_and_what_to_read(tmp_path: Path) -> None:
    plain = make_evidence()
    names = [f"Pupil {number}" for number in range(37)]
    book = workbook_of(with_groups(plain, name=names), tmp_path)
    assert book.sheetnames == ["essays", "anchors", "about"]
    sheet = book["essays"]
    rows = rows_of(sheet)
    assert list(rows[0]) == [
        "essay", "name", "kind", "grade", "likely range", "sure", "re-read?", "why", "rank",
    ]  # fmt: skip
    assert sorted(row["essay"] for row in rows) == sorted(plain.tables["essays"]["essay_id"].to_pylist())
    assert {row["essay"]: row["name"] for row in rows} == dict(
        zip(plain.tables["essays"]["essay_id"].to_pylist(), names, strict=True)
    )
    ranks = [row["rank"] for row in rows if row["rank"] is not None]
    assert ranks == sorted(ranks)
    assert all(isinstance(rank, int) for rank in ranks)
    graded = [row for row in rows if row["grade"]]
    assert len(graded) == 36
    assert all(0 < row["sure"] <= 1 for row in graded)
    assert [row["re-read?"] for row in rows].count("yes") == 6  # a fifth of 24, and the one without a grade
    assert all(row["why"] for row in rows if row["re-read?"] == "yes")
    assert all(row["re-read?"] is None for row in rows if row["kind"] == "anchor")
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:I38"
    assert {cell.number_format for cell in sheet["F"][1:]} == {"0%"}
    assert sheet.column_dimensions["B"].width > len("Pupil 36")


def test_the_second_sheet_sets_known_grades_beside_projected_ones(tmp_path: Path) -> None:
    evidence = make_evidence()
    rows = rows_of(workbook_of(evidence, tmp_path)["anchors"])
    known = dict(
        zip(*(evidence.tables["anchor_projections"][name].to_pylist() for name in ("essay_id", "grade")), strict=True)
    )
    assert {row["essay"]: row["known grade"] for row in rows} == known
    assert all(row["grade as if unknown"] in set("FEDCBA") for row in rows)
    assert all(isinstance(row["difference in steps"], int | float) for row in rows)


def test_the_third_sheet_says_where_the_figures_come_from_and_what_they_mean(tmp_path: Path) -> None:
    evidence = replace(make_evidence(judges=[OFFLINE]), title="Spring [5B]")
    lines = list(workbook_of(evidence, tmp_path)["about"].iter_rows(values_only=True))
    said = {line[0]: line[1] for line in lines if line[1]}
    assert said["title"] == "Spring [5B]"
    assert said["made"].startswith("2026-05-22 14:05")
    assert "no grade here may be used for a pupil" in said["judge"]
    assert said["sure"].startswith("chance that the grade is exactly right")
    assert [(line[0], line[1]) for line in lines][-4:] == [
        ("ids unique", "passed"),
        ("seats balanced", "passed"),
        ("success rate", "passed"),
        ("judge noise", "look at it"),
    ]


def test_where_people_judged_two_sheets_show_how_they_differ_from_the_models(tmp_path: Path) -> None:
    evidence = with_panel()
    book = workbook_of(evidence, tmp_path)
    assert book.sheetnames == ["essays", "anchors", "essays, people and models", "pairs, people and models", "about"]
    stored = evidence.tables["disagreements"].to_pylist()
    essays, pairs = (rows_of(book[name]) for name in book.sheetnames[2:4])
    assert [row["essay"] for row in essays] == [row["essay_a"] for row in stored if row["kind"] == "essay"]
    assert len(pairs) == sum(row["kind"] == "pair" for row in stored)
    assert sum(row["people’s votes"] for row in pairs) == 120
    gaps = [abs(row["difference in standard errors"]) for row in pairs]
    assert gaps == sorted(gaps, reverse=True)
    assert {row["look at it?"] for row in pairs if abs(row["difference in standard errors"]) > 2} == {"yes"}
    assert all((row["people place it"] == "higher") == (row["difference in standard errors"] > 0) for row in essays)
    ranks = {row["essay"]: (row["grade"], row["rank"]) for row in rows_of(book["essays"])}
    assert {row["essay"]: (row["grade"], row["rank"]) for row in essays} == {
        row["essay"]: ranks[row["essay"]] for row in essays
    }
    assert {row["people for the first"] for row in pairs} <= {0, 0.5, 1}
    assert all(0 < row["models for the first"] < 1 for row in pairs)
    formats = {cell.value: below.number_format for cell, below in zip(*book[book.sheetnames[3]]["A1:G2"], strict=True)}
    assert formats["people for the first"] == formats["models for the first"] == "0%"
    meanings = {line[0] for line in book["about"].iter_rows(values_only=True)}
    assert {"people place it", "look at it?", "people’s votes"} <= meanings


def test_no_column_is_explained_that_is_not_there(tmp_path: Path) -> None:
    said = {line[0] for line in workbook_of(make_evidence(), tmp_path)["about"].iter_rows(values_only=True)}
    assert "re-read?" in said
    assert not {"set", "people place it", "look at it?"} & said


def test_withheld_grades_stay_out_of_the_workbook(tmp_path: Path) -> None:
    overridden = Finding("grade_projections", "ungraded_share", Kind.GATE, False, "Many.", {}, overridden="by hand")
    evidence = make_evidence(findings=(GATE, overridden), withheld=GATE.summary)
    book = workbook_of(evidence, tmp_path)
    assert {row["grade"] for row in rows_of(book["essays"])} == {None}
    assert all("withheld" in row["why"] for row in rows_of(book["essays"]) if row["kind"] == "pupil")
    colours = {line[0]: line[1] for line in book["about"].iter_rows(values_only=True)}
    assert colours["anchors in order"] == "red: grades are withheld"
    assert colours["ungraded share"] == "red, overridden by a person"


def test_essays_that_were_never_compared_stand_in_sets(tmp_path: Path) -> None:
    rows = rows_of(workbook_of(make_evidence(components=2), tmp_path)["essays"])
    assert {row["set"] for row in rows} == {1, 2, None}


def test_a_batch_without_an_answer_is_exported_all_the_same(tmp_path: Path) -> None:
    book = workbook_of(make_evidence(answered=False), tmp_path)
    assert {row["rank"] for row in rows_of(book["essays"])} == {None}
    assert book["anchors"].max_row == 1


def test_headings_follow_the_language_of_the_manifest(tmp_path: Path) -> None:
    book = workbook_of(replace(make_evidence(), language="sv"), tmp_path)
    assert book.sheetnames == ["uppsatser", "ankaruppsatser", "om"]
    assert [cell.value for cell in book["uppsatser"][1]] == [
        "uppsats", "typ", "betyg", "troligt intervall", "säkerhet", "läs om?", "varför", "rang",
    ]  # fmt: skip
    assert {row["läs om?"] for row in rows_of(book["uppsatser"])} == {"ja", "nej", None}


@pytest.mark.parametrize("table", [HEADINGS, MEANINGS, WORDS])
def test_every_language_has_the_same_words(table: dict[str, dict[str, str]]) -> None:
    assert {tuple(words) for words in table.values()} == {tuple(table["en"])}
    assert all(all(words.values()) for words in table.values())
    assert set(table) == {"en", "sv"}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_a_sheets_name_is_one_that_excel_takes(language: str) -> None:
    sheets = ("essays", "anchors", "differing_essays", "differing_pairs", "about", "texts")
    names = [WORDS[language][sheet] for sheet in sheets]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_headings_are_told_apart(language: str) -> None:
    assert len(set(HEADINGS[language].values())) == len(HEADINGS[language])


def test_texts_are_exported_only_when_asked_for_and_in_full(tmp_path: Path) -> None:
    long = "å" * (EXCEL_CELL_CHARS + 5)
    evidence = make_evidence(texts=lambda index: long if index == 0 else f"Text {index}")
    rows = rows_of(workbook_of(evidence, tmp_path, with_texts=True)["texts"])
    joined: dict[str, str] = {}
    for row in rows:
        joined[row["essay"]] = joined.get(row["essay"], "") + row["text"]
    essays = evidence.tables["essays"]
    assert joined == dict(zip(essays["essay_id"].to_pylist(), essays["text"].to_pylist(), strict=True))
    for form in ("csv", "parquet"):
        export_batch(evidence, tmp_path, form, with_texts=False)
    assert "text" not in pd.read_csv(tmp_path / "essays.csv").columns
    assert "text" not in pq.read_table(tmp_path / "essays.parquet").column_names


@pytest.mark.parametrize("begin", ACTIVE)
def test_no_pupils_words_become_a_formula(tmp_path: Path, begin: str) -> None:
    hostile = f"{begin}cmd|'/c calc'!A0"
    evidence = with_groups(
        make_evidence(texts=lambda _: hostile, name=lambda index: f"e{index}"), school=[hostile] * 37
    )
    book = workbook_of(evidence, tmp_path, with_texts=True)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert all(cell.quotePrefix for cell in cells if isinstance(cell.value, str) and cell.value.startswith(ACTIVE))
    for path in export_batch(evidence, tmp_path, "csv", with_texts=True):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        texts = [value for name in ("school", "text", "essay", "why") if name in table for value in table[name]]
        assert not any(value.startswith(ACTIVE) for value in texts)
    assert pd.read_csv(tmp_path / "grades.csv")["school"][0] == f"'{hostile}".replace("\r", "\n")
    export_batch(evidence, tmp_path, "parquet", with_texts=True)
    assert set(pq.read_table(tmp_path / "essays.parquet")["text"].to_pylist()) == {hostile}


def test_a_group_that_is_called_like_a_formula_or_like_one_of_our_columns_is_only_a_name(tmp_path: Path) -> None:
    evidence = with_groups(make_evidence(), **{FORMULA: ["a"] * 37, "grade": ["b"] * 37})
    heading = [cell for cell in workbook_of(evidence, tmp_path)["essays"][1] if cell.value in (FORMULA, "grade")]
    assert [cell.data_type for cell in heading] == ["s", "s", "s"]
    export_batch(evidence, tmp_path, "csv", with_texts=False)
    table = pd.read_csv(tmp_path / "grades.csv")
    assert list(table.columns[:4]) == ["essay", f"'{FORMULA}", "group:grade", "kind"]
    assert set(table["group:grade"]) == {"b"}


def test_negative_numbers_in_csv_stay_numbers(tmp_path: Path) -> None:
    evidence = make_evidence()
    export_batch(evidence, tmp_path, "csv", with_texts=False)
    scores = pd.read_csv(tmp_path / "results.csv")["score"]
    assert scores.dtype == "float64"
    assert (scores < 0).any()


def test_every_table_of_the_batch_is_written(tmp_path: Path) -> None:
    evidence = make_evidence()
    for form in ("csv", "parquet"):
        written = export_batch(evidence, tmp_path / form, form, with_texts=False)
        assert [path.stem for path in written] == ["grades", "results", *evidence.tables]
        assert all(path.suffix == f".{form}" and path.exists() for path in written)


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CjError, match="'ods': use one of csv, parquet, xlsx"):
        export_batch(make_evidence(), tmp_path / "out", "ods", with_texts=False)
    assert not (tmp_path / "out").exists()


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
@example("a\x00b\x0bc_x000D_ \ud800".encode("utf-8", "replace").decode())
@example("_x005F_x000D_")
@example("a\r\nb\rc")
def test_any_group_comes_out_of_the_workbook_as_it_went_in_but_for_what_xml_cannot_hold(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    shown = value.encode("utf-8", "replace").decode()
    evidence = with_groups(make_evidence(pupils=3, anchors=0), school=[shown] * 3)
    book = workbook_of(evidence, tmp_path_factory.mktemp("book"))
    (read,) = {row["school"] for row in rows_of(book["essays"])}
    wanted = "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\r") or c in "\ufffe\uffff" else c for c in shown)
    assert unescape(read or "") == wanted.replace("\r\n", "\n").replace("\r", "\n")


@given(st.text(max_size=20))
def test_a_text_is_made_inert_by_nothing_but_an_apostrophe(value: str) -> None:
    made = inert(value)
    assert made is not None
    assert not made.startswith(ACTIVE)
    assert made in {
        value.replace("\r\n", "\n").replace("\r", "\n"),
        "'" + value.replace("\r\n", "\n").replace("\r", "\n"),
    }
