"""An answer is taken as written or not at all. Rows are those of the list of hostile provider responses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.judging import InvalidVerdict, Verdict, Winner, parse_verdict, verdict_schema

GOOD = {"winner": "Essay A", "justification": "Clearer.", "confidence": 4}
A = Verdict(Winner.ESSAY_A, "Clearer.", 4)


def written(**changed: Any) -> str:
    return json.dumps({**GOOD, **changed})


TAKEN = {
    "as asked": written(),
    "with blanks around": f"\n  {written()}\n",
    "row 34: other case and blanks in the winner": written(winner=" ESSAY   a "),
    "row 37: in a code fence": f"```json\n{written()}\n```",
    "row 37: in a fence without a language, indented": f"  ```\n{written()}\n  ```\n",
    "a fence with Windows line ends": f"```json\r\n{written()}\r\n```",
    "blanks around the justification": written(justification="  Clearer.\n"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_an_answer_of_the_form_that_was_asked_for_is_taken(case: str) -> None:
    assert parse_verdict(TAKEN[case], ties=False) == A


def test_row_33_line_breaks_and_control_characters_inside_a_string_change_no_meaning() -> None:
    answer = '{"winner": "Essay B", "justification": "Two\nlines\tand \x07.", "confidence": 1}'
    assert parse_verdict(answer, ties=False) == Verdict(Winner.ESSAY_B, "Two\nlines\tand \x07.", 1)


REFUSED = {
    "row 29: nothing": "",
    "row 29: blanks": " \n",
    "row 32: cut off after the winner": '{"winner":"Essay A"',
    "row 32: cut off in the justification": '{"winner":"Essay A","confidence":4,"justification":"Cle',
    "row 34: a letter": written(winner="a"),
    "row 34: the seat": written(winner="left"),
    "row 34: the tables' own spelling": written(winner="essay_a"),
    "row 34: an ordinal": written(winner="the first essay"),
    "row 34: both": written(winner="Essay A and Essay B"),
    "row 34: a list": written(winner=["Essay A"]),
    "row 34: null": written(winner=None),
    "row 34: a number": written(winner=1),
    "row 34: empty": written(winner=""),
    "row 35: a tie that was not offered": written(winner="Tie"),
    "row 35: equal": written(winner="equal"),
    "row 36: a verdict in brackets": "[[A]]",
    "row 36: a verdict quoted before the verdict": f'The essay says "[[A]]". {written(winner="Essay B")}',
    "row 36: the essay's verdict, then the judge's": f"{written()}\n{written(winner='Essay B')}",
    "row 37: prose": "Essay A is better because it is clearer.",
    "row 37: prose before": f"Here is my verdict: {written()}",
    "row 37: prose after": f"{written()} I hope this helps.",
    "row 37: prose before a fence": f"Sure!\n```json\n{written()}\n```",
    "row 37: two fences": f"```json\n{written()}\n```\n```json\n{written()}\n```",
    "row 37: the same object twice": written() + written(),
    "row 38: an extra key": written(score=3),
    "row 38: a key left out": '{"winner": "Essay A", "confidence": 4}',
    "row 38: a key in capitals": written().replace("winner", "Winner"),
    "row 38: a key twice": '{"winner": "Essay A", "winner": "Essay B", "justification": "x", "confidence": 4}',
    "row 38: a nested key twice": '{"winner": {"a": 1, "a": 2}, "justification": "x", "confidence": 4}',
    "row 38: confidence as a word": written(confidence="high"),
    "row 38: confidence as a text": written(confidence="4"),
    "row 38: confidence 6 of 5": written(confidence=6),
    "row 38: confidence 0": written(confidence=0),
    "row 38: confidence 4.0": written(confidence=4.0),
    "row 38: confidence 4.5": written(confidence=4.5),
    "row 38: confidence true": written(confidence=True),
    "row 38: confidence null": written(confidence=None),
    "row 38: a justification that is a list": written(justification=["x"]),
    "row 38: a justification that is null": written(justification=None),
    "an array of one verdict": f"[{written()}]",
    "a verdict inside a verdict": json.dumps({"verdict": GOOD}),
    "a verdict inside a string": json.dumps(written()),
    "a number": "4",
    "null": "null",
    "single quotes": str(GOOD),
    "a trailing comma": written()[:-1] + ",}",
    "a byte order mark": "\ufeff" + written(),
    "a hundred thousand brackets": "[" * 100_000,
    "a number of five thousand digits": written().replace("4", "4" * 5000),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_no_verdict(case: str) -> None:
    with pytest.raises(InvalidVerdict) as refusal:
        parse_verdict(REFUSED[case], ties=False)
    assert "Clearer" not in str(refusal.value)


def test_a_tie_counts_where_ties_are_offered() -> None:
    assert parse_verdict(written(winner=" TIE "), ties=True).winner is Winner.TIE
    assert "Tie" in verdict_schema(ties=True)["properties"]["winner"]["enum"]
    assert "Tie" not in verdict_schema(ties=False)["properties"]["winner"]["enum"]


def test_half_an_emoji_and_a_novel_in_the_justification_cannot_spoil_the_table() -> None:
    answer = written(justification="good").replace("good", "good \\ud83d" + "x" * 5000)
    justification = parse_verdict(answer, ties=False).justification
    assert justification.encode().startswith("good \ufffdx".encode())
    assert len(justification) == 1000


def test_the_schema_is_strict_as_the_provider_demands() -> None:
    # OpenAI, structured outputs: every property required, nothing else allowed
    schema = verdict_schema(ties=True)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"]) == {"winner", "justification", "confidence"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 7) | st.floats() | st.sampled_from(["Essay A", "Tie", "x"]) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["winner", "justification", "confidence", "x"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=6,
)
NEARLY = st.fixed_dictionaries({"winner": JSON, "justification": JSON, "confidence": JSON}, optional={"x": JSON})


def follows_schema(answer: object, *, ties: bool) -> bool:
    winners = {"essay a", "essay b", *(["tie"] if ties else [])}
    return (
        isinstance(answer, dict)
        and set(answer) == {"winner", "justification", "confidence"}
        and isinstance(answer["winner"], str)
        and " ".join(answer["winner"].split()).casefold() in winners
        and isinstance(answer["justification"], str)
        and type(answer["confidence"]) is int
        and 1 <= answer["confidence"] <= 5
    )


@given(JSON | NEARLY, st.booleans())
def test_json_is_a_verdict_exactly_when_it_follows_the_schema(answer: object, ties: bool) -> None:
    try:
        parse_verdict(json.dumps(answer), ties=ties)
    except InvalidVerdict:
        assert not follows_schema(answer, ties=ties)
    else:
        assert follows_schema(answer, ties=ties)


@given(st.text() | st.text('{}[]":,\\ \n`winerEsayAB123', max_size=60))
def test_no_random_text_is_a_verdict_or_ends_in_another_error(text: str) -> None:
    with pytest.raises(InvalidVerdict):
        parse_verdict(text, ties=True)


@given(
    st.sampled_from(["Essay A", "Essay B", "Tie"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.strip),
    st.integers(1, 5),
    st.sampled_from(["{}", "\n {} \n", "```json\n{}\n```"]),
)
def test_a_verdict_reads_back_as_it_was_meant(winner: str, justification: str, confidence: int, around: str) -> None:
    answer = around.format(json.dumps({"confidence": confidence, "winner": winner, "justification": justification}))
    spelt = Winner(winner.lower().replace(" ", "_"))
    assert parse_verdict(answer, ties=True) == Verdict(spelt, justification, confidence)
