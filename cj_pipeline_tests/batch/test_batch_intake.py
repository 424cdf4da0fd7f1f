"""A folder as a school has it becomes a batch: what each thing is taken for, and what a person is asked or told."""

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cj_pipeline.batch import read_batch
from cj_pipeline.batch.guesses import language_of, loose_key, scales_that_fit, speaks_of
from cj_pipeline.errors import BatchError
from cj_pipeline_tests.batch.batch_folder import Files, write_files
from cj_pipeline_tests.batch.office_files import ENCRYPTED, word_file, workbook
from cj_pipeline_tests.batch.school_folders import ESSAYS, GRADES, SWEDISH, school, taken, written

ENGLISH = "I think that the school is a good place to be, and it was with my friends that I have learned the most."
GERMAN = "Ich finde die Schule gut, weil man dort viele Freunde trifft und etwas lernt, das man später braucht."


def test_a_folder_of_word_files_and_a_list_of_grades_becomes_a_batch(tmp_path: Path) -> None:
    prompts: Files = {"Uppgift.docx": word_file("Skriv om skolan."), "Bedömningsmatris.docx": word_file("Innehåll.")}
    intake = taken(school(tmp_path, {"betyg.csv": GRADES}, prompts))
    (scale,) = scales_that_fit(intake.anchors.grades.values()) if intake.anchors else [None]
    batch = read_batch(written(tmp_path, intake, scale))
    assert batch.essays["essay_id"].to_pylist() == ["Anna Berg", "Bo Ek", "Cia Dal", "007"]
    assert batch.essays["anchor_grade"].to_pylist() == ["F", "C", "A", None]
    assert batch.essays["text"][3].as_py() == f"{SWEDISH}\n007"
    assert (batch.assignment, batch.rubric) == ("Skriv om skolan.", "Innehåll.")
    assert batch.scale is not None
    assert batch.scale.grades == ("F", "E", "D", "C", "B", "A")
    assert (intake.language, batch.notices) == ("sv", ())
    assert {path.name for path in (batch.folder / "essays").iterdir()} == {*ESSAYS}


def test_without_assignment_and_rubric_general_ones_are_written_in_the_texts_language(tmp_path: Path) -> None:
    for language, text in (("sv", SWEDISH), ("en", ENGLISH), (None, GERMAN)):
        essays: Files = {"a.txt": text, "b.txt": text + " 2"}
        folder = school(tmp_path / str(language), essays=essays)
        intake = taken(folder)
        batch = read_batch(written(tmp_path / str(language), intake))
        assert intake.language == language
        assert ("Skrivuppgiften" in batch.assignment) == (language == "sv")
        assert "språk" in batch.rubric.lower() if language == "sv" else "Language" in batch.rubric


@pytest.mark.parametrize(
    "content",
    [
        "Elev;Betyg\nAnna Berg;F\nBo Ek;C\n",
        "namn,betyg\nAnna Berg,F\nBo Ek,C\n",
        "Student ID\tGrade\nanna_berg.docx\tF\nBO EK\tC\n",
        "Betyg,Elev\nf,Anna Berg\nc,Bo Ek\n",
        '"Nr","Namn","Klass","Betyg"\n1,"Berg, Anna",9B,F\n2,"Ek, Bo",9B,C\n3,"Utan Betyg",9B,\n',
        "Förnamn;Efternamn;Slutbetyg\nAnna;Berg;F\nBo;Ek;C\n",
        "who;Grade\nAnna Berg;F\nBo Ek;C\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_list_of_grades_is_known_by_its_headings_in_english_and_swedish(
    tmp_path: Path, content: str, encoding: str
) -> None:
    intake = taken(school(tmp_path, {"lista.csv": content.encode(encoding)}))
    assert intake.anchors is not None
    assert intake.anchors.grades == {"Anna Berg": "F", "Bo Ek": "C"}


def test_a_list_in_excel_is_found_on_whichever_sheet_it_stands(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Nr", "Elev", "Nivå"], [1, "Bo Ek", "B1"], [2, 7, "C2"]]
    book = workbook({"Info": [["Klass 9B"]], "Blad2": [[], *rows]})
    intake = taken(school(tmp_path, {"klass.xlsx": book}))
    assert intake.anchors is not None
    assert intake.anchors.grades == {"Bo Ek": "B1", "007": "C2"}
    assert intake.anchors.headings == ("Elev", "Nivå")


def test_known_grades_are_a_second_list_by_its_name(tmp_path: Path) -> None:
    known = "id,grade\n007,B\n"
    intake = taken(school(tmp_path, {"anchors.csv": GRADES, "known_grades.csv": known}))
    (scale,) = scales_that_fit(["F", "C", "A", "B"])
    assert read_batch(written(tmp_path, intake, scale)).essays["known_grade"].to_pylist()[3] == "B"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Elev,Betyg\nAnna Bergh,F\n", ["row 2", "there is no essay 'Anna Bergh'", "Did you mean 'Anna Berg'?"]),
        ("Elev,Betyg\nX,F\nY,C\n", ["column 'Elev'", "is that of an essay", "what the files are called"]),
        ("Elev,Betyg\nBo Ek,F\nbo ek,C\n", ["row 3", "has a grade already"]),
    ],
)
def test_a_list_that_does_not_fit_is_told(tmp_path: Path, content: str, says: list[str]) -> None:
    with pytest.raises(BatchError) as refusal:
        taken(school(tmp_path, {"betyg.csv": content}))
    for said in ["betyg.csv", *says]:
        assert said in str(refusal.value)


def test_names_of_a_class_list_without_an_essay_are_left_out_and_told(tmp_path: Path) -> None:
    intake = taken(school(tmp_path, {"betyg.csv": GRADES + "Doris Eng;B\n"}))
    assert any("no essay lies there of Doris Eng; left out" in notice for notice in intake.notices)


def test_a_grade_that_a_spreadsheet_made_a_date_is_refused_with_its_row(tmp_path: Path) -> None:
    book = workbook({"S": [["Elev", "Betyg"], ["Bo Ek", datetime.date(2026, 3, 4)]]})
    with pytest.raises(BatchError, match="row 2: the cell holds a date"):
        taken(school(tmp_path, {"betyg.xlsx": book}))


def test_two_lists_are_asked_about(tmp_path: Path) -> None:
    folder = school(tmp_path, {"a.csv": GRADES, "b.csv": GRADES})
    with pytest.raises(BatchError, match=r"a.csv and b.csv: both hold anchors. Say by --anchors"):
        taken(folder)
    assert taken(folder, anchors=folder / "a.csv").anchors is not None


def test_every_essay_with_a_grade_is_an_anchor_and_told(tmp_path: Path) -> None:
    intake = taken(school(tmp_path, {"betyg.csv": GRADES + "007;B\n"}))
    assert any("every essay is an anchor and none is graded" in notice for notice in intake.notices)


# --- where the essays lie ---------------------------------------------------------------------------------


def test_essays_may_lie_in_one_folder_inside(tmp_path: Path) -> None:
    inside: Files = {f"Elevtexter/{name}": content for name, content in ESSAYS.items()}
    intake = taken(school(tmp_path, {"uppgift.md": "Skriv.", "betyg.csv": GRADES}, essays=inside))
    assert (intake.essay_place.name, len(intake.essays)) == ("Elevtexter", 4)
    assert intake.assignment is not None
    assert intake.prompt_texts[intake.assignment] == "Skriv."


def test_essays_in_two_folders_are_asked_about(tmp_path: Path) -> None:
    folder = school(tmp_path, {"9C/a.txt": "One.", "9C/b.txt": "Two."})
    with pytest.raises(BatchError, match=r"texts lie in .*school and .*9C. Say by --essays"):
        taken(folder)
    assert [essay.essay_id for essay in taken(folder, essays=folder / "9C").essays] == ["a", "b"]


def test_a_table_of_texts_with_its_grades_and_groups_is_one_source_of_all(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Elev", "Text", "Betyg", "Skola"],
        ["a/1", ENGLISH, "A", "north"],
        ["b", "=1", None, ""],
    ]
    rows += [["c", "- Hej\n- Hopp", "E", "south"]]
    forms: dict[str, bytes] = {
        "klass.xlsx": workbook({"S": rows}),
        "klass.csv": "\n".join(";".join(f'"{cell or ""}"' for cell in row) for row in rows).encode("cp1252"),
    }
    table = pa.table({str(row[0]): pa.array(row[1:], pa.string()) for row in zip(*rows, strict=True)})
    pq.write_table(table, tmp_path / "klass.parquet")
    forms["klass.parquet"] = (tmp_path / "klass.parquet").read_bytes()
    for name, content in forms.items():
        intake = taken(write_files(tmp_path / f"school {name}", {name: content}))
        batch = read_batch(written(tmp_path / f"school {name}", intake))
        assert batch.essays.select(["essay_id", "text", "anchor_grade", "Skola"]).to_pylist() == [
            {"essay_id": "a_1", "text": ENGLISH, "anchor_grade": "A", "Skola": "north"},
            {"essay_id": "c", "text": "- Hej\n- Hopp", "anchor_grade": "E", "Skola": "south"},
            {"essay_id": "b", "text": "=1", "anchor_grade": None, "Skola": ""},
        ]
        assert any("called 'a_1' here" in notice for notice in intake.notices)


def test_json_lines_are_taken(tmp_path: Path) -> None:
    lines = '{"essay_id": "a", "text": "One."}\n{"essay_id": "b", "text": "Two.", "school": "north"}\n'
    batch = read_batch(written(tmp_path, taken(write_files(tmp_path / "s", {"texts.jsonl": lines}))))
    assert batch.essays["school"].to_pylist() == ["", "north"]


@pytest.mark.parametrize("files", [{}, {"a.txt": "One."}, {"notes.csv": "a,b\n1,2\n"}])
def test_a_folder_without_essays_is_told(tmp_path: Path, files: Files) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(BatchError, match=r"fewer than two essays. Put one .docx"):
        taken(write_files(tmp_path / "s", files))


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="there is no such folder"):
        taken(tmp_path / "nowhere")


# --- what cannot be taken ---------------------------------------------------------------------------------


def test_what_cannot_be_read_stops_it_unless_it_is_left_out(tmp_path: Path) -> None:
    bad: Files = {"e.pdf": b"%PDF", "f.docx": ENCRYPTED, "g.docx": word_file(" "), "~$h.docx": b"", ".DS_Store": b""}
    folder = school(tmp_path, bad)
    with pytest.raises(BatchError) as refusal:
        taken(folder)
    for said in ("3 things there cannot be taken", "--leave-out", "e.pdf: not a .docx", "an encrypted Word", "no text"):
        assert said in str(refusal.value)
    intake = taken(folder, leave_out=True)
    assert len(intake.essays) == 4
    assert sum(notice.startswith("left out. ") for notice in intake.notices) == 3
    assert any("~$h.docx: Word has the essay open" in notice for notice in intake.notices)


def test_an_assignment_that_cannot_be_read_is_no_essay_and_told(tmp_path: Path) -> None:
    intake = taken(school(tmp_path, {"Uppgift.pdf": b"%PDF", "extra/x.txt": "x"}))
    assert intake.assignment is None
    assert any("not taken: Uppgift.pdf, extra" in notice for notice in intake.notices)


def test_file_names_that_no_id_can_hold_are_changed_and_told(tmp_path: Path) -> None:
    intake = taken(
        school(tmp_path, essays={"Anna (final).docx": word_file("One."), "(1) Bo's.docx": word_file("Two.")})
    )
    batch = read_batch(written(tmp_path, intake))
    assert batch.essays["essay_id"].to_pylist() == ["Anna _final_", "_1_ Bo_s"]
    assert sum("letters, digits, blank" in notice for notice in intake.notices) == 2


def test_two_files_that_would_be_one_essay_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="stands already in"):
        taken(school(tmp_path, essays={"a(1).txt": "One.", "a_1_.txt": "Two."}))


def test_a_batch_that_would_not_read_back_leaves_nothing_behind(tmp_path: Path) -> None:
    intake = taken(school(tmp_path, essays={"a.txt": "word " * 10_001, "b.txt": "Two."}))
    with pytest.raises(BatchError, match="10,001 words"):
        written(tmp_path, intake)
    assert not (tmp_path / "batches" / "x").exists()


def test_pupils_texts_called_after_their_assignment_are_essays(tmp_path: Path) -> None:
    essays: Files = {f"Uppgift 1 elev {number}.docx": word_file(f"Text {number}") for number in range(6)}
    intake = taken(school(tmp_path, essays=essays))
    assert (len(intake.essays), intake.assignment) == (6, None)
    intake = taken(school(tmp_path, {"uppgift.docx": word_file("Skriv.")}, essays=essays))
    assert intake.assignment is not None
    assert (len(intake.essays), intake.assignment.name) == (6, "uppgift.docx")


def test_two_files_that_may_be_the_assignment_are_asked_about(tmp_path: Path) -> None:
    folder = school(tmp_path, {"Uppgift A.docx": word_file("A"), "Uppgift B.docx": word_file("B")})
    with pytest.raises(BatchError, match=r"Uppgift A.docx, Uppgift B.docx\? Say so by --assignment FILE"):
        taken(folder)
    assert len(taken(folder, assignment=folder / "Uppgift A.docx").essays) == 5


# --- the guesses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grades", "scales"),
    [
        (["A2", "B1", "C1"], ["cefr"]),
        (["1", "5", "9"], ["eng5_np_national_9_step"]),
        (["D+", "A", "F"], ["swedish_8_anchor"]),
        (["E-", "A"], ["eng5_np_legacy_9_step"]),
        (["A", "C", "F"], ["own"]),
        (["A", "B"], ["own"]),
        (["D+", "A"], ["swedish_8_anchor", "eng5_np_legacy_9_step"]),
        (["G", "VG"], []),
    ],
)
def test_a_scale_is_taken_only_where_one_fits(grades: list[str], scales: list[str]) -> None:
    assert [scale.name for scale in scales_that_fit(grades)] == scales


def test_the_language_is_told_by_its_commonest_words() -> None:
    assert [language_of([text]) for text in (ENGLISH, SWEDISH, GERMAN, "", ENGLISH + SWEDISH)] == [
        "en", "sv", None, None, None,
    ]  # fmt: skip


def test_spellings_of_one_pupil_have_one_key() -> None:
    keys = {loose_key(name) for name in ("Svensson, Anna", "anna_svensson.docx", "ANNA  SVENSSON", "Anna-Svensson")}
    assert keys == {("anna", "svensson")}
    assert loose_key("007") == loose_key("7") != loose_key("70")
    assert loose_key("000") == ("0",)


def test_a_name_is_no_assignment_for_a_part_of_it() -> None:
    words = {"task", "uppgift"}
    assert [speaks_of(name, words) for name in ("Taskin Ahmed", "Task 1", "skrivuppgift_vt", "Upp Gift")] == [
        False, True, True, False,
    ]  # fmt: skip
