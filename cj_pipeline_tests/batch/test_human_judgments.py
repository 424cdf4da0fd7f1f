"""`human_judgments.csv` as people write it: what is read, what is put right, what is refused and how."""

import re
from pathlib import Path

import pytest

from cj_pipeline.batch import read_batch, revision_of
from cj_pipeline.batch.human_judgments import refuse_changed_votes
from cj_pipeline.errors import BatchError, StaleTable
from cj_pipeline_tests.batch.batch_folder import batch_with

HEADER = "judge,essay_a,essay_b,winner\n"


def votes_in(folder: Path, rows: str, header: str = HEADER) -> list[dict[str, object]]:
    return list(read_batch(batch_with(folder, {"human_judgments.csv": header + rows})).human_judgments.to_pylist())


def test_a_winner_is_named_by_id_or_by_seat(tmp_path: Path) -> None:
    rows = votes_in(tmp_path / "six", "kim,e1,e2,e2\nkim,e3,e4,a\nlee,e5,e6,B\nlee,e1,e6,Tie\nlee,e2,e3, essay_a \n")
    assert [row["winner"] for row in rows] == ["essay_b", "essay_a", "essay_b", "tie", "essay_a"]
    assert [row["judge_id"] for row in rows] == ["kim", "kim", "lee", "lee", "lee"]
    assert [row["row"] for row in rows] == [2, 3, 4, 5, 6]


def test_an_essay_called_a_is_meant_before_the_seat(tmp_path: Path) -> None:
    essays = "essay_id,text\na,First text.\nb,Second text.\n"
    files = {"essays.csv": essays, "anchors.csv": None, "human_judgments.csv": HEADER + "kim,b,a,a\n"}
    (row,) = read_batch(batch_with(tmp_path / "two", files)).human_judgments.to_pylist()
    assert (row["essay_a"], row["essay_b"], row["winner"]) == ("b", "a", "essay_b")


def test_further_columns_are_passed_over_and_no_file_means_no_votes(tmp_path: Path) -> None:
    assert len(votes_in(tmp_path / "more", "kim,e1,e2,e1,12.5\n", HEADER.strip() + ",seconds\n")) == 1
    assert read_batch(batch_with(tmp_path / "none", {})).human_judgments.num_rows == 0


def test_a_repeated_verdict_is_a_vote_and_said(tmp_path: Path) -> None:
    batch = read_batch(batch_with(tmp_path / "six", {"human_judgments.csv": HEADER + "kim,e1,e2,a\n" * 2}))
    assert batch.human_judgments.num_rows == 2
    assert any("same two essays: 1." in notice for notice in batch.notices)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("kim,e1,e9,a\n", "row 2, essay_b: there is no essay 'e9'. Add its text or remove the row"),
        ("kim,e1,e2,e1\nkim,e1,e2,e3\n", "row 3: the winner is 'e3'. Write e1 or e2, or a, b or tie"),
        ("kim,e1,e2,\n", "row 2: the winner is nothing"),
        ("kim,e1,e1,a\n", "row 2: 'e1' is set against itself"),
        (",e1,e2,a\n", "row 2: no judge. Write who judged"),
        ("luna,e1,e2,a\n", "row 2: 'luna' is a judge of batch.toml"),
        ("k" * 65 + ",e1,e2,a\n", "row 2: the judge's name is longer than 64"),
        ("kim,e1,e2\n", "row 2: 3 cells under 4 columns"),
        ("kim,e1,e2,a\n" * 8, "the winner stands in essay_a in all 8 decided rows, as in a list of winner and loser"),
    ],
)
def test_a_mistake_is_refused_with_file_row_and_remedy(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(BatchError, match=re.escape(said)) as refused:
        votes_in(tmp_path / "six", rows)
    assert "human_judgments.csv" in str(refused.value)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="no column winner"):
        votes_in(tmp_path / "six", "kim,e1,e2\n", "judge,essay_a,essay_b\n")


def test_seven_wins_in_one_column_are_still_a_habit_and_no_list(tmp_path: Path) -> None:
    assert len(votes_in(tmp_path / "six", "kim,e1,e2,a\n" * 7)) == 7


def test_peoples_votes_are_no_part_of_what_is_bought(tmp_path: Path) -> None:
    digests = set()
    for number, rows in enumerate(("", "kim,e1,e2,a\n", "kim,e1,e2,b\n")):
        folder = batch_with(tmp_path / str(number) / "same", {"human_judgments.csv": HEADER + rows})
        digests.add(revision_of(read_batch(folder), plan_version="1", question_digest="q").digest)
    assert len(digests) == 1


def test_scores_from_other_votes_are_refused_by_name(tmp_path: Path) -> None:
    old = read_batch(batch_with(tmp_path / "six", {"human_judgments.csv": HEADER + "kim,e1,e2,a\n"})).human_judgments
    new = read_batch(batch_with(tmp_path / "six", {"human_judgments.csv": HEADER + "kim,e1,e2,b\n"})).human_judgments
    refuse_changed_votes("six", old, old)
    with pytest.raises(StaleTable, match=r"batch six: human_judgments\.csv changed since the scores were made"):
        refuse_changed_votes("six", old, new)
