"""The short way through a result line ends where the long way does, or declines."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cj_pipeline.judging import Usage, Winner
from cj_pipeline.providers.openai_finished import read_finished
from cj_pipeline.providers.openai_wire import read_any_line, read_result_line

VERDICT = '{"winner": "Essay B", "justification": "Mer precis – och kortare.", "confidence": 4}'
LINE: dict[str, Any] = {
    "id": "batch_req_1",
    "custom_id": "j-1",
    "response": {
        "status_code": 200,
        "request_id": "r",
        "body": {
            "id": "chatcmpl-1",
            "model": "gpt-6-luna",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": VERDICT, "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 1840,
                "completion_tokens": 61,
                "total_tokens": 1901,
                "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
            },
        },
    },
    "error": None,
}
PLACES = (
    ("id",), ("custom_id",), ("response",), ("error",), ("response", "status_code"), ("response", "body"),
    ("response", "body", "model"), ("response", "body", "choices"), ("response", "body", "choices", 0),
    ("response", "body", "choices", 0, "message"), ("response", "body", "choices", 0, "message", "content"),
    ("response", "body", "choices", 0, "message", "refusal"), ("response", "body", "choices", 0, "finish_reason"),
    ("response", "body", "usage"), ("response", "body", "usage", "prompt_tokens"),
    ("response", "body", "usage", "completion_tokens"), ("response", "body", "usage", "prompt_tokens_details"),
    ("response", "body", "usage", "prompt_tokens_details", "cached_tokens"),
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.integers(), st.floats(), st.text(),
    st.sampled_from([[], {}, [[]], [None], "stop", "length", "", " ", 200, 204, 0.0, 1024.0, VERDICT, VERDICT.upper()]),
    st.builds(lambda more: VERDICT + more, st.text()),
    st.builds(lambda winner: VERDICT.replace("Essay B", winner), st.text()),
    st.builds(lambda words: VERDICT.replace("Mer precis", words), st.text()),
)  # fmt: skip
ABSENT = object()


def changed(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The line with another value in one place, or none."""
    line: dict[str, Any] = json.loads(json.dumps(LINE))
    *way, last = place
    within: Any = line
    for step in way:
        within = within[step]
    if value is ABSENT:
        del within[last]
    else:
        within[last] = value
    return line


@given(
    place=st.sampled_from(PLACES),
    value=st.one_of(VALUES, st.just(ABSENT)),
    ties=st.booleans(),
    escaped=st.booleans(),
    repeated=st.booleans(),
)
@example(place=("response", "body", "usage", "prompt_tokens"), value=True, ties=False, escaped=True, repeated=False)
@example(place=("response", "body", "usage", "prompt_tokens"), value=3, ties=False, escaped=True, repeated=False)
def test_both_ways_say_the_same(
    place: tuple[str | int, ...], value: object, ties: bool, escaped: bool, repeated: bool
) -> None:
    text = json.dumps(changed(place, value), ensure_ascii=escaped)
    if repeated:
        text = json.dumps({"custom_id": "another"})[:-1] + ", " + text[1:]
    line = text.encode(errors="surrogatepass")
    assert read_result_line(line, ties=ties) == read_any_line(line, ties=ties)


def test_a_finished_completion_takes_the_short_way() -> None:
    line = json.dumps(LINE, ensure_ascii=False).encode()
    read = read_finished(line, ties=False)
    assert read is not None
    assert read.answer.usage == Usage(input_tokens=1840, cached_tokens=1024, output_tokens=61)
    assert read.answer.verdict is not None
    assert read.answer.verdict.winner is Winner.ESSAY_B
    assert read.answer.verdict.justification == "Mer precis – och kortare."


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("response", "status_code"), 201),
        (("response", "body", "choices", 0, "finish_reason"), "length"),
        (("response", "body", "choices", 0, "message", "refusal"), "I cannot."),
        (("response", "body", "choices", 0, "message", "content"), "  "),
        (("response", "body", "usage", "prompt_tokens_details", "cached_tokens"), 1841),
        (("response", "body", "usage"), ABSENT),
    ],
)
def test_whatever_is_not_quite_that_goes_the_long_way(place: tuple[str | int, ...], value: object) -> None:
    assert read_finished(json.dumps(changed(place, value)).encode(), ties=False) is None
