"""Essays and grades in Excel and Parquet: ids stay as typed, what a spreadsheet bent is told, and texts are exact."""

import datetime
import tempfile
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cj_pipeline.batch import read_batch
from cj_pipeline.batch.xlsx_sheets import EXCEL_CELL_CHARS
from cj_pipeline.errors import BatchError
from cj_pipeline_tests.batch.batch_folder import ESSAYS, Files, batch_with
from cj_pipeline_tests.batch.office_files import ENCRYPTED, with_part, word_file, workbook, written, zipped

HEADINGS = ["essay_id", "text"]
TWO = [["e1", "One."], ["e2", "Two."]]
NO_TABLES: Files = {"essays.csv": None, "anchors.csv": None}


def in_excel(*rows: list[object], heading: list[object] | None = None) -> Files:
    return {**NO_TABLES, "essays.xlsx": workbook({"Essays": [heading or HEADINGS, *rows]})}


def parquet(folder: Path, table: pa.Table) -> bytes:
    pq.write_table(table, folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def rows_of(folder: Path, *names: str) -> list[tuple[object, ...]]:
    essays = read_batch(folder).essays
    return list(zip(*(essays[name].to_pylist() for name in names), strict=True))


def test_a_folder_may_mix_word_files_and_texts(tmp_path: Path) -> None:
    files: Files = {
        **NO_TABLES,
        "essays/e1.docx": word_file("One."),
        "essays/e2.txt": "Two.",
        "essays/e3.MD": "Three.",
        "essays/e4.DOCX": word_file("Four."),
        "essays/~$e4.docx": b"\x05Anna",
        "essays/.DS_Store": b"\x00",
        "essays/Thumbs.db": b"\x00",
        "essays/desktop.ini": b"[.ShellClassInfo]",
    }
    folder = batch_with(tmp_path / "mixed", files)
    assert rows_of(folder, "essay_id", "text") == [("e1", "One."), ("e2", "Two."), ("e3", "Three."), ("e4", "Four.")]
    (notice,) = read_batch(folder).notices
    assert "~$e4.docx: Word has the essay open, or left this note behind; it was passed over" in notice


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.pdf", "a PDF holds a page, not a text. Save the essay as .docx or .txt"),
        ("a.doc", "Word's format up to 2003. Open it in Word and save it as .docx"),
        ("a.docm", "save it as .docx"),
        ("a.odt", "save it as .docx"),
        ("a.RTF", "save it as .docx"),
        ("a.pages", "Export it as .docx"),
        ("a.jpg", "a picture. Type the essay"),
        ("a.xyz", "save the essay as text"),
        ("a", "save the essay as text"),
    ],
)
def test_what_is_no_text_is_named_with_what_to_do(tmp_path: Path, name: str, remedy: str) -> None:
    files: Files = {**NO_TABLES, "essays/e1.docx": word_file("One."), "essays/e2.txt": "Two.", f"essays/{name}": b"x"}
    with pytest.raises(BatchError) as refusal:
        read_batch(batch_with(tmp_path / "six", files))
    assert f"essays/{name}: not a .docx, .txt or .md file: " in str(refusal.value)
    assert remedy in str(refusal.value)
    assert "or move it out of the folder" in str(refusal.value)


def test_a_word_file_without_words_is_an_essay_without_text(tmp_path: Path) -> None:
    files: Files = {**NO_TABLES, "essays/e1.docx": word_file("One."), "essays/e2.docx": word_file("", " ")}
    with pytest.raises(BatchError, match=r"e2.docx: essay 'e2' has no text"):
        read_batch(batch_with(tmp_path / "six", files))


# --- Excel ------------------------------------------------------------------------------------------------


def test_excel_keeps_ids_as_they_are_shown(tmp_path: Path) -> None:
    rows: list[list[object]] = [["007", "a"], [(8, "000"), "b"], [9, "c"], [10.0, "d"], [" 11 ", "e"], [1.5, "f"]]
    folder = batch_with(tmp_path / "six", in_excel(*rows))
    assert [name for (name,) in rows_of(folder, "essay_id")] == ["007", "008", "1.5", "10", "11", "9"]


def test_groups_texts_and_blank_rows_of_a_sheet(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [],
        ["e1", "One,\n=2+2\r\nthree.", "north", datetime.datetime(2026, 5, 22)],
        [None, " ", None, None],
        ["e2", "Two.", None, True],
    ]
    folder = batch_with(tmp_path / "six", in_excel(*rows, heading=[*HEADINGS, "school", "written"]))
    assert rows_of(folder, "essay_id", "text", "school", "written") == [
        ("e1", "One,\n=2+2\nthree.", "north", "2026-05-22T00:00:00"),
        ("e2", "Two.", "", "TRUE"),
    ]


def test_the_sheet_with_the_columns_is_found_and_hidden_ones_are_not_read(tmp_path: Path) -> None:
    sheets = {"About": [["Class 9B"]], "Texts": [[], HEADINGS, *TWO], "Copy": [HEADINGS, ["e3", "Three."]]}
    folder = batch_with(tmp_path / "six", {**NO_TABLES, "essays.xlsx": workbook(sheets)})
    assert rows_of(folder, "essay_id") == [("e1",), ("e2",)]
    hidden = with_part(
        workbook({"Old": [HEADINGS, ["e0", "No."]], "New": [HEADINGS, *TWO]}),
        "xl/workbook.xml",
        lambda xml: xml.replace(b'name="Old" sheetId="1" state="visible"', b'name="Old" sheetId="1" state="hidden"'),
    )
    folder = batch_with(tmp_path / "hidden", {**NO_TABLES, "essays.xlsx": hidden})
    assert rows_of(folder, "essay_id") == [("e1",), ("e2",)]


def test_a_column_without_a_heading_is_told(tmp_path: Path) -> None:
    folder = batch_with(tmp_path / "six", in_excel(["e1", "One.", None, "?"], ["e2", "Two."]))
    assert [notice.split("xlsx, ")[1] for notice in read_batch(folder).notices if "xlsx" in notice] == [
        "sheet Essays, row 2: what stands in columns without a heading is not read."
    ]


def test_a_text_that_excel_may_have_cut_is_told(tmp_path: Path) -> None:
    long = ("word " * EXCEL_CELL_CHARS)[:EXCEL_CELL_CHARS]
    folder = batch_with(tmp_path / "six", in_excel(["e1", long], ["e2", "Two."]))
    (notice,) = [notice for notice in read_batch(folder).notices if "xlsx" in notice]
    assert "row 2: a cell as long as Excel allows; was its text cut there?" in notice


def test_anchors_and_known_grades_may_be_excel_files(tmp_path: Path) -> None:
    anchors = workbook({"Grades": [["grade", "essay_id"], ["F", "e1"], ["C", "e2"], [" A ", "e3"]]})
    known = workbook({"Grades": [["essay_id", "grade"], ["e4", "E"]]})
    files: Files = {"anchors.csv": None, "anchors.xlsx": anchors, "known_grades.xlsx": known}
    folder = batch_with(tmp_path / "six", files)
    assert rows_of(folder, "essay_id", "anchor_grade", "known_grade")[:4] == [
        ("e1", "F", None),
        ("e2", "C", None),
        ("e3", "A", None),
        ("e4", None, "E"),
    ]
    with pytest.raises(BatchError, match=r"anchors.csv and anchors.xlsx both lie there. Keep one"):
        read_batch(batch_with(tmp_path / "both", {**files, "anchors.csv": "essay_id,grade\ne1,F\n"}))


def test_a_grade_that_is_a_number_is_its_digits(tmp_path: Path) -> None:
    manifest = '[scale]\nname = "eng5_np_national_9_step"\n[[judges]]\nid = "l"\nprovider = "emulator"\nmodel = "l"\n'
    anchors = workbook({"Grades": [["essay_id", "grade"], ["e1", 3], ["e2", 5.0], ["e3", "9"]]})
    files: Files = {"batch.toml": manifest, "anchors.csv": None, "anchors.xlsx": anchors}
    assert [row[0] for row in rows_of(batch_with(tmp_path / "six", files), "anchor_grade")][:3] == ["3", "5", "9"]


DATE = datetime.date(2026, 5, 3)
EXCEL_MISTAKES: dict[str, tuple[bytes, list[str]]] = {
    "a date for an id": (
        workbook({"S": [HEADINGS, *TWO, [DATE, "Three."]]}),
        ["sheet S, row 4, essay_id", "date or time (2026-05-03", "format the column as text and write it again"],
    ),
    "a time for a text": (workbook({"S": [HEADINGS, *TWO, ["e3", datetime.time(9)]]}), ["row 4, text", "date or time"]),
    "true for an id": (workbook({"S": [HEADINGS, *TWO, [True, "x"]]}), ["row 4, essay_id", "true or false"]),
    "a long number": (workbook({"S": [HEADINGS, *TWO, [10**16, "x"]]}), ["row 4", "more digits than a spreadsheet"]),
    "an error": (
        with_part(
            workbook({"S": [HEADINGS, *TWO, [123, "x"]]}),
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b't="n"><v>123</v>', b't="e"><v>#N/A</v>'),
        ),
        ["row 4, essay_id", "an error of a formula", "write the value in"],
    ),
    "no id": (workbook({"S": [HEADINGS, *TWO, [None, "x"]]}), ["row 4", "no essay_id", "Fill it in"]),
    "a NUL spelt out": (workbook({"S": [HEADINGS, *TWO, ["e3", "a_x0000_b"]]}), ["row 4", "\\u0000", "Export"]),
    "no such column": (workbook({"S": [["id", "text"]]}), ["sheet S, row 1", "no column essay_id", "found id, text"]),
    "a heading twice": (workbook({"S": [[*HEADINGS, "text"]]}), ["sheet S, row 1", "'text' stands twice"]),
    "a column of our own": (workbook({"S": [[*HEADINGS, "sha256"]]}), ["sheet S, row 1", "'sha256'", "Rename yours"]),
    "nothing in it": (workbook({"S": []}), ["sheet S, row 1", "found nothing"]),
    "an encrypted file": (ENCRYPTED, ["an encrypted Excel file", "save it without one"]),
    "no zip": (b"essay_id;text", ["not an Excel file, or a broken one"]),
    "a Word file renamed": (word_file("One."), ["not an Excel file, or a broken one", "save it again as .xlsx"]),
    "a sheet that is cut": (
        with_part(workbook({"S": [HEADINGS, *TWO]}), "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2]),
        ["not an Excel file, or a broken one"],
    ),
    "a bomb": (zipped({"xl/sharedStrings.xml": bytes(300 * 2**20)}), ["unpacks to 300 MB", "256 at most"]),
}


@pytest.mark.parametrize("mistake", EXCEL_MISTAKES)
def test_a_mistake_in_a_workbook_is_refused_with_its_place_and_its_remedy(tmp_path: Path, mistake: str) -> None:
    content, says = EXCEL_MISTAKES[mistake]
    with pytest.raises(BatchError) as refusal:
        read_batch(batch_with(tmp_path / "six", {**NO_TABLES, "essays.xlsx": content}))
    assert str(tmp_path / "six" / "essays.xlsx") in str(refusal.value)
    for said in says:
        assert said in str(refusal.value)


def test_a_row_at_the_end_of_the_sheet_costs_nothing(tmp_path: Path) -> None:
    far = with_part(
        workbook({"S": [HEADINGS, *TWO]}),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>',
        ),
    )
    folder = batch_with(tmp_path / "six", {**NO_TABLES, "essays.xlsx": far})
    with pytest.raises(BatchError, match="row 1048576: no essay_id"):
        read_batch(folder)


# --- Parquet ----------------------------------------------------------------------------------------------


def test_parquet_is_read_with_its_groups(tmp_path: Path) -> None:
    table = pa.table(
        {
            "essay_id": pa.array([7, 8], pa.int64()),
            "text": pa.array(["One.\r\n", "Two."], pa.large_string()).dictionary_encode(),
            "school": ["north", None],
            "points": [1.5, 2.0],
        }
    )
    folder = batch_with(tmp_path / "six", {**NO_TABLES, "essays.parquet": parquet(tmp_path, table)})
    assert rows_of(folder, "essay_id", "text", "school", "points") == [
        ("7", "One.\n", "north", "1.5"),
        ("8", "Two.", "", "2.0"),
    ]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"essay_id": ["e1"]}, ["row 1", "no column text"]),
        ({"essay_id": ["e1", None], "text": ["a", "b"]}, ["row 2", "no essay_id"]),
        ({"essay_id": [1.0, 2.0], "text": ["a", "b"]}, ["row 1, essay_id", "a float, not a text"]),
        ({"essay_id": ["e1", "e2"], "text": ["a", None]}, ["row 2", "'e2' has no text"]),
        ({"essay_id": ["e1", "e2"], "text": ["a", "b\x00"]}, ["row 2", "\\u0000"]),
        ({"essay_id": ["e1", "e2"], "text": [[1], [2]]}, ["row 1, text", "a list, not a text"]),
        ({"essay_id": ["e1", "e2"], "text": [b"a", b"b"]}, ["row 1, text", "a bytes, not a text"]),
    ],
)
def test_a_mistake_in_parquet_is_refused_with_its_row(
    tmp_path: Path, table: dict[str, list[object]], says: list[str]
) -> None:
    content = parquet(tmp_path, pa.table(table))
    with pytest.raises(BatchError) as refusal:
        read_batch(batch_with(tmp_path / "six", {**NO_TABLES, "essays.parquet": content}))
    for said in ["essays.parquet", *says]:
        assert said in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 nothing PAR1", ESSAYS.encode()])
def test_a_broken_parquet_file_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BatchError, match=r"essays.parquet: not a Parquet file, or a broken one"):
        read_batch(batch_with(tmp_path / "six", {**NO_TABLES, "essays.parquet": content}))


# --- properties -------------------------------------------------------------------------------------------

LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\ufeff") | st.sampled_from(
    "\t\n=+-@' "
)
TEXTS = st.text(LETTERS, max_size=80).filter(lambda text: text.split())
IDS = (
    st.text(st.characters(categories=["L", "Nd"]) | st.sampled_from("._-+@ "), min_size=1, max_size=20)
    .map(lambda raw: unicodedata.normalize("NFC", raw).strip())
    .filter(lambda name: name[:1].isalnum() and all(char.isalnum() or char in "._-+@ " for char in name))
)
BATCHES = st.dictionaries(IDS, TEXTS, min_size=2, max_size=5)


@settings(max_examples=25, deadline=None)
@given(BATCHES)
@example({"007": "=1+1", "1e5": "_x000D_ is what Excel writes for a carriage return", "3-5": "'quoted"})
def test_any_essays_read_back_as_they_were_from_excel_parquet_and_word(essays: dict[str, str]) -> None:
    rows = [HEADINGS, *([name, text.replace("_x", "_x005F_x")] for name, text in essays.items())]
    table = pa.table({"essay_id": list(essays), "text": list(essays.values())})
    with tempfile.TemporaryDirectory() as folder:
        forms: list[Files] = [
            {"essays.xlsx": workbook({"Essays": rows})},
            {"essays.parquet": parquet(Path(folder), table)},
            {f"essays/{name}.docx": word_file(*text.split("\n")) for name, text in essays.items()},
        ]
        for number, form in enumerate(forms):
            read = rows_of(batch_with(Path(folder, f"form-{number}"), {**NO_TABLES, **form}), "essay_id", "text")
            assert read == sorted(essays.items())


BOOK = workbook({"Essays": [HEADINGS, *TWO]})


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, len(BOOK)))
def test_no_damaged_workbook_ends_in_anything_but_a_message(noise: bytes, place: int) -> None:
    damaged = BOOK[:place] + noise + BOOK[place + len(noise) :]
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder, "six", "essays.xlsx"), damaged)
        said = "essays.xlsx"
        try:
            read_batch(batch_with(Path(folder, "six"), {**NO_TABLES, "essays.xlsx": damaged}))
        except BatchError as refusal:
            said = str(refusal)
    assert "essays.xlsx" in said
