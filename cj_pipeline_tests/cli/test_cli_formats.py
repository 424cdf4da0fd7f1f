"""From a folder of Word files to a workbook for the school, by `cj` alone."""

import os
import pty
import subprocess
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cj_pipeline_tests.batch.office_files import word_file, workbook, written
from cj_pipeline_tests.cli.command import CJ, cj
from cj_pipeline_tests.installation import DEMO, Installation

JUDGE = ("--judge", "emulator:lexical")


@pytest.fixture
def word_essays(tmp_path: Path) -> Path:
    """A folder of docx files with a list of anchors' grades in Excel, and nothing else, as a teacher has it."""
    essays = pd.read_csv(DEMO / "essays.csv", dtype=str)
    anchors = pd.read_csv(DEMO / "anchors.csv", dtype=str)
    anchors = anchors[anchors.grade != "C1"]  # a judge that counts words cannot tell C1 from B2
    chosen = pd.concat(
        [essays[essays.essay_id.isin(anchors.essay_id)], essays[~essays.essay_id.isin(anchors.essay_id)][:10]]
    )
    folder = tmp_path / "from school"
    for essay_id, text in zip(chosen["essay_id"], chosen["text"], strict=True):
        written(folder / f"{essay_id}.docx", word_file(*text.split("\n")))
    written(folder / "betyg.xlsx", workbook({"Blad1": [["Elev", "Betyg"], *anchors.to_numpy().tolist()]}))
    return folder


@pytest.mark.heavy
def test_a_folder_of_word_files_and_a_list_of_grades_gets_to_a_report_with_three_commands(
    installation: Installation, word_essays: Path
) -> None:
    made = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE)
    assert "20 (20 .docx)" in made
    assert "10 grades from betyg.xlsx, columns Elev and Betyg" in made
    assert "cefr: A1, A2, B1, B2, C1, C2; no anchor has C1, C2" in made
    assert "Ids stand in reports here and are never sent to a provider" in made
    assert "assignment.md and rubric.md are what the judge reads" in made
    planned = cj(installation, "plan", "x")
    assert "10 essays to judge, 10 anchors, 140 pairs" in planned
    ran = cj(installation, "run", "x")
    assert "Graded: all 10 pupils’ essays have a grade." in ran
    assert (installation.folder / "store/reports/x.html").exists()
    exported = cj(installation, "export", "x", "--to", "for school", "--format", "xlsx")
    assert exported.strip() == "for school/x.xlsx"
    book = openpyxl.load_workbook(installation.folder / "for school/x.xlsx")
    assert book.sheetnames == ["essays", "anchors", "about"]
    assert (book["essays"].max_row, book["anchors"].max_row) == (21, 11)


def test_what_cannot_be_told_from_the_folder_is_listed(installation: Installation, word_essays: Path) -> None:
    written(word_essays / "betyg.xlsx", workbook({"S": [["Elev", "Betyg"], ["DE_1031_0003053", "VG"]]}))
    said = cj(installation, "new", "x", "--from", str(word_essays), code=2)
    assert "--judge PROVIDER:MODEL" in said
    assert "--scale NAME, or the grades worst to best with commas: the grades VG are on no built-in scale" in said
    assert not (installation.batches / "x").exists()
    wrong = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE, "--scale", "cefr", code=2)
    assert "the grades VG are not on the scale cefr" in wrong
    own = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE, "--scale", "IG, G, VG, MVG")
    assert "own: IG, G, VG, MVG; no anchor has IG, G, MVG" in own
    assert 'grades = ["IG", "G", "VG", "MVG"]' in (installation.batches / "x/batch.toml").read_text("utf-8")


def test_a_dry_run_shows_everything_and_writes_nothing(installation: Installation, word_essays: Path) -> None:
    said = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE, "--dry-run")
    assert "Nothing was written." in said
    assert "20 (20 .docx)" in said
    assert list(installation.batches.iterdir()) == []


def test_pairs_and_peoples_judgments_in_the_folder_are_shown_and_taken(
    installation: Installation, word_essays: Path
) -> None:
    one, other = sorted(path.stem for path in word_essays.glob("*.docx"))[:2]
    written(word_essays / "pairs.csv", f"essay_a,essay_b,times\n{one},{other},3\n{other},{one},2\n".encode())
    written(word_essays / "human_judgments.csv", f"judge,essay_a,essay_b,winner\nL1,{one},{other},a\n".encode())
    said = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE)
    assert "2 to be asked 5 times in all, from pairs.csv" in said
    assert "votes       1 from human_judgments.csv, people: 1" in said
    assert (installation.batches / "x/pairs.csv").read_text("utf-8").splitlines()[1] == f"{one},{other},3"
    assert (installation.batches / "x/human_judgments.csv").read_text("utf-8").splitlines()[1] == (
        f"L1,{one},{other},{one}"
    )


def test_a_broken_file_is_named_and_can_be_left_out(installation: Installation, word_essays: Path) -> None:
    written(word_essays / "Eva.docx", b"no zip")
    said = cj(installation, "new", "x", "--from", str(word_essays), *JUDGE, code=2)
    assert "Eva.docx: not a Word file, or a broken one" in said
    assert "--leave-out" in said
    cj(installation, "new", "x", "--from", str(word_essays), *JUDGE, "--leave-out")
    assert len(list((installation.batches / "x/essays").iterdir())) == 20


def test_at_a_terminal_only_what_is_missing_is_asked_for(installation: Installation, word_essays: Path) -> None:
    written(word_essays / "betyg.xlsx", workbook({"S": [["Elev", "Betyg"], ["DE_1031_0003053", "VG"]]}))
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [CJ, "new", "x", "--from", str(word_essays)],
        cwd=installation.folder,
        env={**os.environ, **installation.environment, "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    )
    os.close(theirs)
    os.write(ours, b"IG,G,VG,MVG\n\n")  # a scale, and the judge that is offered
    said = b""
    while b"Next: cj plan x" not in said:
        said += os.read(ours, 4096)
    assert child.wait(timeout=60) == 0
    assert b"the grades VG are on no built-in scale: " in said
    assert b"judge, PROVIDER:MODEL [emulator:lexical]: " in said
    assert b"own: IG, G, VG, MVG" in said
    os.close(ours)
