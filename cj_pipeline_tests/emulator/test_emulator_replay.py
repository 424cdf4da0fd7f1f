"""The judge that replays people: their votes as they were, from either side, and nothing that was not recorded."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.emulator.judges import BadParameters, Comparison, NoAnswer, judge_named
from cj_pipeline_tests.emulator.emulator_client import body, connect, jsonl, line, results, submit, wait_for
from cj_pipeline_tests.installation import OwnEmulator

ESSAYS = "essay_id,text\none,First words.\ntwo,Second words.\nthree,Third words.\ntwin,Third words.\n"
VOTES = """judge,essay_a,essay_b,winner,seconds
w1,one,two,a,3
w2,one,two,tie,9
w3,two,one,a,4
w1,one,three,b,5
w2,one,twin,a,5
w3,three,twin,a,5
"""


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    (tmp_path / "essays.csv").write_text(ESSAYS, "utf-8")
    (tmp_path / "votes.csv").write_text(VOTES, "utf-8")
    return tmp_path / "votes.csv"


def said(votes: Path, text_a: str, text_b: str, time: int = 0, *, ties: bool = True) -> tuple[str, str]:
    reply = judge_named(f"replay:{votes}")(Comparison(text_a, text_b, ties=ties, replicate=time))
    answer = json.loads(reply.content or "")
    return answer["winner"], answer["justification"]


def test_each_time_a_pair_is_asked_gives_the_next_vote_those_in_the_seats_shown_first(votes: Path) -> None:
    asked = [said(votes, "First words.", "Second words.", time) for time in range(3)]
    assert [winner for winner, _ in asked] == ["Essay A", "Tie", "Essay B"]
    assert [reason for _, reason in asked] == [f"Recorded vote of {judge}." for judge in ("w1", "w2", "w3")]


def test_asked_from_the_other_side_the_winner_keeps_its_text_not_its_seat(votes: Path) -> None:
    asked = [said(votes, "Second words.", "First words.", time)[0] for time in range(3)]
    assert asked == ["Essay A", "Essay B", "Tie"]


def test_blanks_around_a_text_do_not_reach_a_judge_and_do_not_count(votes: Path) -> None:
    assert said(votes, " First words.\n", "Second words.") == said(votes, "First words.", "Second words.")


def test_the_votes_on_two_essays_of_the_same_words_are_given_in_turn(votes: Path) -> None:
    assert [said(votes, "First words.", "Third words.", time)[0] for time in (0, 1)] == ["Essay B", "Essay A"]
    assert said(votes, "Third words.", "Third words.")[0] == "Essay A"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Comparison("First words.", "Unheard of.", ties=True), "0 votes are recorded on these two texts"),
        (Comparison("First words.", "Second words.", ties=True, replicate=3), "3 votes .* number 4 was asked for"),
        (Comparison("First words.", "Second words.", replicate=1), "called these two texts equal.* Set ties = true"),
        (Comparison("Third words.", "Third words.", ties=True, replicate=1), "1 votes are recorded"),
    ],
)
def test_what_is_not_recorded_has_no_answer(votes: Path, asked: Comparison, message: str) -> None:
    with pytest.raises(NoAnswer, match=message):
        judge_named(f"replay:{votes}")(asked)


def test_a_record_that_cannot_be_read_is_told_with_its_row(votes: Path) -> None:
    judge = judge_named(f"replay:{votes}")
    votes.write_text(VOTES + "w9,one,nobody,a,1\n", "utf-8")
    with pytest.raises(NoAnswer, match="row 8, essay_b: there is no essay 'nobody'"):
        judge(Comparison("First words.", "Second words."))
    for missing in (votes.with_name("other.csv"), votes.parent / "nowhere" / "votes.csv"):
        with pytest.raises(NoAnswer, match="cannot be read"):
            judge_named(f"replay:{missing}")(Comparison("First words.", "Second words."))


def test_a_record_that_was_corrected_is_read_anew(votes: Path) -> None:
    before = said(votes, "First words.", "Second words.")[0]
    votes.write_text(VOTES.replace("w1,one,two,a,3", "w1,one,two,b,3"), "utf-8")
    os.utime(votes, ns=(1, 1))  # a clock may be too coarse to see the change
    assert (before, said(votes, "First words.", "Second words.")[0]) == ("Essay A", "Essay B")


@pytest.mark.parametrize("model", ["replay", "replay:", "replay:votes.txt"])
def test_a_record_is_a_csv(model: str) -> None:
    with pytest.raises(BadParameters, match=r"name the csv with the recorded judgments"):
        judge_named(model)


names = st.sampled_from(["one", "two", "three", "twin"])


@given(
    st.lists(
        st.tuples(names, names, st.sampled_from(["a", "b", "tie"])).filter(lambda row: row[0] != row[1]), min_size=1
    )
)
def test_asking_as_often_as_there_are_votes_gives_every_vote_once(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("record")
    (folder / "essays.csv").write_text(ESSAYS, "utf-8")
    rows = "".join(f"w{number},{a},{b},{winner}\n" for number, (a, b, winner) in enumerate(recorded))
    (folder / "votes.csv").write_text("judge,essay_a,essay_b,winner\n" + rows, "utf-8")
    words = {"one": "First words.", "two": "Second words.", "three": "Third words.", "twin": "Third words."}
    times: Counter[tuple[str, str]] = Counter()
    heard = []
    for a, b, _ in recorded:
        shown = words[a], words[b]
        heard.append(said(folder / "votes.csv", *shown, times[shown]))
        times[shown] += 1
    seats = {"a": "Essay A", "b": "Essay B", "tie": "Tie"}
    assert sorted(heard) == sorted(
        (seats[winner], f"Recorded vote of w{number}.") for number, (_, _, winner) in enumerate(recorded)
    )


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "emulator").mkdir()
    running = OwnEmulator.start(tmp_path / "emulator", seconds_per_phase=0.02)
    yield running.url
    running.kill()


def test_over_the_batch_api_the_custom_id_says_which_time_it_is(votes: Path, url: str) -> None:
    client = connect(url)
    request = body("First words.", "Second words.", model=f"replay:{votes}", ties=True)
    asked = [line(custom_id, request) for custom_id in ("j1-pair", "j1-pair-r1", "j1-pair-r2", "j1-pair-r3")]
    ended = wait_for(client, submit(client, jsonl(asked)).id)
    winners = {
        answer["custom_id"]: json.loads(answer["response"]["body"]["choices"][0]["message"]["content"])["winner"]
        for answer in results(client, ended.output_file_id)
    }
    assert winners == {"j1-pair": "Essay A", "j1-pair-r1": "Tie", "j1-pair-r2": "Essay B"}
    (refused,) = results(client, ended.error_file_id)
    assert refused["custom_id"] == "j1-pair-r3"
    assert refused["response"]["body"]["error"]["code"] == "invalid_value"


@pytest.mark.parametrize("model", ["latent:noise=4", "lexical:slope=0.1"])
def test_other_judges_draw_anew_each_time_they_are_asked_the_same(model: str) -> None:
    judge = judge_named(model)
    replies = [judge(Comparison("First words.", "Second words.", replicate=time)) for time in range(60)]
    again = [judge(Comparison("First words.", "Second words.", replicate=time)) for time in range(60)]
    assert replies == again
    assert {json.loads(reply.content or "")["winner"] for reply in replies} == {"Essay A", "Essay B"}
    assert replies[0] == judge(Comparison("First words.", "Second words."))
