"""Pairs to be asked and people's judgments are recognised in a folder as it lies, under a school's own headings."""

from pathlib import Path

import pytest

from cj_pipeline.batch import read_batch
from cj_pipeline.errors import BatchError
from cj_pipeline_tests.batch.office_files import workbook
from cj_pipeline_tests.batch.school_folders import GRADES, school, taken, written

VOTES = [
    {"judge_id": "L1", "essay_a": "Anna Berg", "essay_b": "Bo Ek", "winner": "essay_b"},
    {"judge_id": "L1", "essay_a": "Bo Ek", "essay_b": "Cia Dal", "winner": "tie"},
    {"judge_id": "L2", "essay_a": "Cia Dal", "essay_b": "007", "winner": "essay_a"},
]


@pytest.mark.parametrize(
    "content",
    [
        "essay_a,essay_b,times\nAnna Berg,Bo Ek,3\nBo Ek,Anna Berg,\n007,Cia Dal,1\n",
        "Vänster;Höger;Gånger\nanna_berg.docx;Bo Ek;3\nBO EK;Berg Anna;\n7;Cia Dal;1\n",
    ],
)
def test_a_list_of_pairs_is_known_by_its_two_columns_of_essays(tmp_path: Path, content: str) -> None:
    intake = taken(school(tmp_path, {"betyg.csv": GRADES, "pairs.csv": content}))
    listed = read_batch(written(tmp_path, intake)).listed_pairs or ()
    assert [(pair.essay_a, pair.essay_b, pair.times) for pair in listed] == [
        ("Anna Berg", "Bo Ek", 3), ("Bo Ek", "Anna Berg", 1), ("007", "Cia Dal", 1),
    ]  # fmt: skip
    assert intake.anchors is not None
    assert not any("not taken" in notice for notice in intake.notices)


@pytest.mark.parametrize(
    "content",
    [
        "judge,essay_a,essay_b,winner\nL1,Anna Berg,Bo Ek,Bo Ek\nL1,Bo Ek,Cia Dal,tie\nL2,Cia Dal,007,a\n",
        "Text A;Text B;Lärare;Bäst\nAnna Berg;Bo Ek;L1;bo_ek.docx\nBo Ek;Cia Dal;L1;Lika\nCia Dal;7;L2;Dal, Cia\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_peoples_judgments_are_known_by_who_judged_and_who_won(tmp_path: Path, content: str, encoding: str) -> None:
    intake = taken(school(tmp_path, {"human_judgments.csv": content.encode(encoding)}))
    votes = read_batch(written(tmp_path, intake)).human_judgments
    assert votes.drop_columns(["row"]).to_pylist() == VOTES


def test_both_lists_and_the_grades_may_stand_in_workbooks(tmp_path: Path) -> None:
    pairs = workbook({"Info": [["Klass 9B"]], "Par": [["First", "Second"], ["Bo Ek", 7]]})
    votes = workbook({"S": [["Judge", "Left", "Right", "Winner"], ["L1", "Bo Ek", 7, 7]]})
    intake = taken(school(tmp_path, {"betyg.csv": GRADES, "par.xlsx": pairs, "lärare.xlsx": votes}))
    batch = read_batch(written(tmp_path, intake))
    assert [(pair.essay_a, pair.essay_b) for pair in batch.listed_pairs or ()] == [("Bo Ek", "007")]
    assert batch.human_judgments["winner"].to_pylist() == ["essay_b"]
    assert batch.n_anchors == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("essay_a,essay_b\nAnna Berg,Anna Bergh\n", ["row 2", "Did you mean 'Anna Berg'?"]),
        ("essay_a,essay_b\nBo Ek,bo_ek\n", ["row 2", "set against itself"]),
        ("essay_a,essay_b\nBo Ek,007\nBo Ek,7\n", ["row 3", "stand in row 2 already"]),
        ("essay_a,essay_b,times\nBo Ek,007,often\n", ["row 2", "'often' is not a whole number"]),
        ("essay_a,essay_b,winner\nBo Ek,007,a\n", ["not who judged", "Add a column judge"]),
        ("judge,essay_a,essay_b,winner\nL,Bo Ek,007,Cia Dal\n", ["row 2", "the winner is 'Cia Dal'"]),
        ("judge,essay_a,essay_b,winner\n" + "L,Bo Ek,007,a\n" * 8, ["the winner stands in essay_a in all 8"]),
    ],
)
def test_a_list_that_does_not_fit_is_refused_where_it_lies(tmp_path: Path, content: str, says: list[str]) -> None:
    with pytest.raises(BatchError) as refusal:
        taken(school(tmp_path, {"lista.csv": content}))
    for said in [str(tmp_path / "school" / "lista.csv"), *says]:
        assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("essay_a,essay_b\nBo Ek,007\n", "pairs to be asked"),
        ("judge,essay_a,essay_b,winner\nL,Bo Ek,007,a\n", "people's judgments"),
    ],
)
def test_two_lists_of_one_kind_are_told(tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(BatchError, match=f"a.csv and b.csv: both hold {what}"):
        taken(school(tmp_path, {"a.csv": content, "b.csv": content}))
