"""What is sent and what comes back, line by line. Rows are those of the list of hostile provider responses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import Answer, ErrorCode, Question, Usage, Verdict, Winner, read_sections, verdict_schema
from cj_pipeline.providers.openai_wire import (
    ENDPOINT,
    encode_body,
    read_request_line,
    read_result_line,
    request_body,
    request_line,
)
from cj_pipeline.providers.result_line import loaded

REAL_LINES = Path(__file__).parent / "data" / "pairwisellm" / "example_openai_batch_output.jsonl"
JUDGE = JudgeSection(id="luna", provider="openai", model="gpt-6-luna", max_output_tokens=321, ties=True)
QUESTION = Question("Write.", "Clarity.", "0" * 16, ties=True)
VERDICT = {"winner": "Essay A", "justification": "Clearer.", "confidence": 4}
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}


# --- what is sent -----------------------------------------------------------------------------------------


def test_a_request_asks_one_comparison_for_one_strict_verdict() -> None:
    body = request_body(JUDGE, QUESTION, "One.", "Two.")
    assert (body["model"], body["max_completion_tokens"]) == ("gpt-6-luna", 321)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert read_sections(body["messages"][1]["content"])["ESSAY B"] == "Two."
    assert body["response_format"]["json_schema"] == {
        "name": "verdict",
        "strict": True,
        "schema": verdict_schema(ties=True),
    }
    # a temperature is refused by newer models, item by item, after the job was accepted
    assert set(body) == {"model", "messages", "max_completion_tokens", "response_format"}


@given(
    st.text("ABCXYZabcxyz0189_-", min_size=1, max_size=64),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
@example("j-1", "One\n\u2028\u2029\x85\r", '"\\{}')
def test_a_request_line_is_one_line_and_reads_back(custom_id: str, text_a: str, text_b: str) -> None:
    body = request_body(JUDGE, QUESTION, text_a, text_b)
    line = request_line(custom_id, encode_body(body))
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert read_request_line(line) == (custom_id, body)
    assert json.loads(line) == {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}


@pytest.mark.parametrize("custom_id", ["", "a" * 65, "a b", "a/b", "é", 'a"b', "a\n", "a\\"])
def test_rows_16_and_23_a_custom_id_that_fails_a_whole_job_never_leaves(custom_id: str) -> None:
    with pytest.raises(ValueError, match="custom_id"):
        request_line(custom_id, b"{}")


# --- what comes back --------------------------------------------------------------------------------------


def completed(content: object = None, /, *, finish: str = "stop", **message: object) -> dict[str, Any]:
    said = json.dumps(VERDICT) if content is None else content
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": said, **message}}
    body = {"id": "chatcmpl-1", "model": "gpt-6-luna-2026-10-01", "choices": [choice], "usage": USAGE}
    return {"custom_id": "c1", "response": {"status_code": 200, "request_id": "r", "body": body}, "error": None}


def with_body(**changed: object) -> dict[str, Any]:
    line = completed()
    line["response"]["body"].update(changed)
    return line


def errored(status: object, error: object = None) -> dict[str, Any]:
    body = {"error": error} if error is not None else None
    return {"custom_id": "c1", "response": {"status_code": status, "request_id": "r", "body": body}, "error": None}


def unrun(error: object) -> dict[str, Any]:
    return {"custom_id": "c1", "response": None, "error": error}


def answer_to(line: object, *, ties: bool = False) -> Answer:
    read = read_result_line(json.dumps(line).encode(), ties=ties)
    assert read is not None
    assert read.custom_id == "c1"
    return read.answer


def test_an_answer_is_read_with_its_model_and_its_tokens() -> None:
    assert answer_to(completed()) == Answer(
        verdict=Verdict(Winner.ESSAY_A, "Clearer.", 4),
        model_reported="gpt-6-luna-2026-10-01",
        usage=Usage(input_tokens=100, cached_tokens=40, output_tokens=20),
    )


def test_row_44_the_model_that_says_it_answered_is_kept() -> None:
    assert answer_to(with_body(model="gpt-6-downgraded")).model_reported == "gpt-6-downgraded"
    assert answer_to(with_body(model=None)).model_reported is None
    assert answer_to(with_body(model=["gpt"])).model_reported is None
    assert answer_to(with_body(model="gpt\ud800")).model_reported is None


PROCESSING = {"code": "server_error", "message": "An error occurred while processing your request. Request ID: req_1"}
SERVER_SIDE: dict[str, tuple[dict[str, Any], ErrorCode]] = {
    "row 5: never run, the window closed": (
        unrun({"code": "batch_expired", "message": "This request could not be executed."}),
        ErrorCode.EXPIRED,
    ),
    "row 6: an expired job whose lines say something else": (unrun(PROCESSING), ErrorCode.SERVER_ERROR),
    "row 6: the same with a status": (errored(500, PROCESSING), ErrorCode.SERVER_ERROR),
    "row 9: counted as completed with status 0": (errored(0), ErrorCode.SERVER_ERROR),
    "row 9: status 0 with a whole verdict": (
        {**completed(), "response": {**completed()["response"], "status_code": 0}},
        ErrorCode.SERVER_ERROR,
    ),
    "row 9: no status": (errored(None), ErrorCode.SERVER_ERROR),
    "row 10: error null, the reason in the body": (errored(400, {"message": "bad"}), ErrorCode.INVALID_REQUEST),
    "row 10: rate limited": (errored(429, {"code": "rate_limit_exceeded"}), ErrorCode.RATE_LIMITED),
    "row 11: response null, cancelled": (unrun({"code": "batch_cancelled"}), ErrorCode.CANCELLED),
    "row 11: response null, a code never heard of": (unrun({"code": "gremlins"}), ErrorCode.SERVER_ERROR),
    "row 11: response null, no error": (unrun(None), ErrorCode.MISSING_RESULT),
    "row 11: neither": ({"custom_id": "c1"}, ErrorCode.MISSING_RESULT),
    "row 22: no credit": (errored(400, {"message": "Your credit balance is too low"}), ErrorCode.CREDIT_EXHAUSTED),
    "row 22: no quota": (errored(429, {"code": "insufficient_quota"}), ErrorCode.CREDIT_EXHAUSTED),
    "row 22: payment required": (errored(402), ErrorCode.CREDIT_EXHAUSTED),
    "row 24: a parameter too much": (
        errored(400, {"message": "temperature: Extra inputs are not permitted"}),
        ErrorCode.INVALID_REQUEST,
    ),
    "row 28: the error is a string": (unrun("Internal server error"), ErrorCode.SERVER_ERROR),
    "row 28: a string in capitals": (unrun("BATCH_EXPIRED"), ErrorCode.EXPIRED),
    "row 28: the error beside the response": (
        {"custom_id": "c1", "response": {"status_code": 400, "body": None}, "error": {"message": "max_tokens"}},
        ErrorCode.INVALID_REQUEST,
    ),
    "row 28: the body of an error is a string": (
        {"custom_id": "c1", "response": {"status_code": 503, "body": "Service Unavailable"}, "error": None},
        ErrorCode.SERVER_ERROR,
    ),
    "row 29: no choices": (with_body(choices=[]), ErrorCode.EMPTY),
    "row 29: choices null": (with_body(choices=None), ErrorCode.EMPTY),
    "row 29: content null": (completed(content=None), ErrorCode.EMPTY),
    "row 29: content blank": (completed(" \n"), ErrorCode.EMPTY),
    "row 29: an empty list of parts": (completed([]), ErrorCode.UNREADABLE_RESULT),
    "row 29: no message": (with_body(choices=[{"index": 0, "finish_reason": "stop"}]), ErrorCode.EMPTY),
    "row 29: an empty body": (
        {"custom_id": "c1", "response": {"status_code": 200, "body": None}, "error": None},
        ErrorCode.EMPTY,
    ),
    "row 30: refused": (completed("", refusal="I cannot help with that."), ErrorCode.REFUSED),
    "row 30: refused beside a verdict": (completed(refusal="No."), ErrorCode.REFUSED),
    "row 31: filtered": (completed("", finish="content_filter"), ErrorCode.FILTERED),
    "row 31: filtered beside a verdict": (completed(finish="content_filter"), ErrorCode.FILTERED),
    "row 31: blocked as a request": (errored(400, {"code": "content_filter"}), ErrorCode.FILTERED),
    "row 32: cut off": (completed('{"winner": "Essay A"', finish="length"), ErrorCode.TRUNCATED),
    "row 32: cut off without saying so": (completed('{"winner": "Essay A"'), ErrorCode.INVALID_VERDICT),
    "row 34: a winner of another spelling": (
        completed(json.dumps({**VERDICT, "winner": "A"})),
        ErrorCode.INVALID_VERDICT,
    ),
    "row 34: a tie that was not offered": (
        completed(json.dumps({**VERDICT, "winner": "Tie"})),
        ErrorCode.INVALID_VERDICT,
    ),
    "row 37: prose": (completed("Essay A is better."), ErrorCode.INVALID_VERDICT),
    "row 38: confidence as a word": (
        completed(json.dumps({**VERDICT, "confidence": "high"})),
        ErrorCode.INVALID_VERDICT,
    ),
    "row 43: a result of a new kind": (
        {"custom_id": "c1", "response": {"type": "paused", "resume_token": "x"}, "error": None},
        ErrorCode.SERVER_ERROR,
    ),
    "row 43: a body of another kind": (
        {"custom_id": "c1", "response": {"status_code": 200, "body": {"object": "decision", "answer": "A"}}},
        ErrorCode.UNREADABLE_RESULT,
    ),
    "row 43: a response that is a text": ({"custom_id": "c1", "response": "ok"}, ErrorCode.UNREADABLE_RESULT),
    "row 43: a status that is a text": (errored("200"), ErrorCode.UNREADABLE_RESULT),
    "row 43: choices of another form": (with_body(choices={"first": 1}), ErrorCode.UNREADABLE_RESULT),
}


@pytest.mark.parametrize("case", SERVER_SIDE)
def test_a_line_without_a_verdict_says_why(case: str) -> None:
    line, code = SERVER_SIDE[case]
    answer = answer_to(line)
    assert (answer.error_code, answer.verdict) == (code, None)


@pytest.mark.parametrize(
    "code", [ErrorCode.REFUSED, ErrorCode.TRUNCATED, ErrorCode.INVALID_VERDICT, ErrorCode.FILTERED]
)
def test_an_answer_without_a_verdict_is_paid_all_the_same(code: ErrorCode) -> None:
    lines = {
        ErrorCode.REFUSED: completed("", refusal="No."),
        ErrorCode.TRUNCATED: completed("{", finish="length"),
        ErrorCode.INVALID_VERDICT: completed("Essay A"),
        ErrorCode.FILTERED: completed("", finish="content_filter"),
    }
    answer = answer_to(lines[code])
    assert answer.error_code is code
    assert answer.usage == Usage(100, 40, 20)


def test_row_33_control_characters_inside_the_answer_change_no_meaning() -> None:
    answer = answer_to(completed('{"winner": "Essay B", "justification": "a\nb", "confidence": 2}'))
    assert answer.verdict == Verdict(Winner.ESSAY_B, "a\nb", 2)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b"])
def test_row_27_exotic_separators_inside_a_line_are_kept(separator: str) -> None:
    line = completed(json.dumps({**VERDICT, "justification": f"a{separator}b"}, ensure_ascii=False))
    read = read_result_line(json.dumps(line, ensure_ascii=False).encode(), ties=False)
    assert read is not None
    assert read.answer.verdict == Verdict(Winner.ESSAY_A, f"a{separator}b", 4)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "many",
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 100},
        {"completion_tokens": 20},
        {**USAGE, "prompt_tokens": -1},
        {**USAGE, "completion_tokens": "20"},
        {**USAGE, "completion_tokens": 20.5},
        {**USAGE, "prompt_tokens": True},
        {**USAGE, "prompt_tokens": 10**30},
        {**USAGE, "prompt_tokens_details": {"cached_tokens": 101}},
        {**USAGE, "prompt_tokens_details": {"cached_tokens": "40"}},
    ],
)
def test_row_39_a_usage_that_cannot_be_is_unknown_and_the_verdict_stands(usage: object) -> None:
    answer = answer_to(with_body(usage=usage))
    assert answer.usage is None
    assert answer.verdict is not None


@pytest.mark.parametrize("details", [None, {}, {"cached_tokens": None}, [], "none"])
def test_no_details_of_usage_mean_nothing_was_cached(details: object) -> None:
    usage = answer_to(with_body(usage={**USAGE, "prompt_tokens_details": details})).usage
    assert usage == Usage(input_tokens=100, cached_tokens=0, output_tokens=20)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"not json",
        b'{"custom_id": "c1", "response": {"status_code": 200, "bo',
        b"\xff\xfe",
        b"[1]",
        b"null",
        b'"c1"',
        b'{"response": null}',
        b'{"custom_id": 1}',
        b'{"custom_id": null}',
        b"[" * 100_000,
    ],
)
def test_row_26_a_line_that_names_no_item_is_attributed_to_none(line: bytes) -> None:
    assert read_result_line(line, ties=False) is None


def test_row_14_repeated_lines_are_compared_by_what_they_say() -> None:
    def content(line: dict[str, Any]) -> str:
        read = read_result_line(json.dumps(line).encode(), ties=False)
        assert read is not None
        return read.content

    again = {**dict(reversed(completed().items())), "id": "batch_req_2"}
    assert content(again) == content(completed())
    other = completed(json.dumps({**VERDICT, "winner": "Essay B"}))
    assert content(other) != content(completed())


def test_three_real_lines_are_read_as_what_they_are() -> None:
    """Two answers of a judge that was asked in another form, and one line the provider never ran."""
    lines = REAL_LINES.read_bytes().rstrip(b"\n").split(b"\n")
    read = [read_result_line(line, ties=False) for line in lines]
    assert [line.custom_id for line in read if line] == ["EXP_S01_vs_S02", "EXP_S01_vs_S03", "EXP_S02_vs_S03"]
    first, second, third = (line.answer for line in read if line)
    assert first == Answer(
        error_code=ErrorCode.INVALID_VERDICT, model_reported="o3-2025-04-16", usage=Usage(440, 0, 95)
    )
    assert second.usage == Usage(452, 0, 90)
    assert third == Answer(error_code=ErrorCode.RATE_LIMITED)


# --- properties -------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["stop", "length", "Essay A"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
SPOIL: dict[str, Callable[[dict[str, Any], Any], None]] = {
    "response": lambda line, value: line.update(response=value),
    "error": lambda line, value: line.update(error=value, response=None),
    "status": lambda line, value: line["response"].update(status_code=value),
    "body": lambda line, value: line["response"].update(body=value),
    "choices": lambda line, value: line["response"]["body"].update(choices=value),
    "choice": lambda line, value: line["response"]["body"].update(choices=[value]),
    "message": lambda line, value: line["response"]["body"]["choices"][0].update(message=value),
    "content": lambda line, value: line["response"]["body"]["choices"][0]["message"].update(content=value),
}


@given(st.sampled_from(sorted(SPOIL)), JSON)
def test_no_json_in_place_of_a_part_makes_a_verdict_or_an_exception(part: str, value: Any) -> None:
    line = completed()
    SPOIL[part](line, value)
    answer = answer_to(line)
    # any number from 200 to 299 is a success, as in HTTP
    ok = part == "status" and isinstance(value, int | float) and 200 <= value < 300
    assert (answer.verdict is not None) is ok
    assert (answer.error_code is None) is ok


@given(st.sampled_from(["usage", "model"]), JSON)
def test_no_json_in_place_of_usage_or_model_loses_a_verdict(part: str, value: Any) -> None:
    answer = answer_to(with_body(**{part: value}))
    assert answer.verdict is not None
    assert answer.model_reported is None or isinstance(answer.model_reported, str)


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_random_bytes_and_random_json_are_nobodys_answer(line: bytes) -> None:
    assert read_result_line(line, ties=True) is None


@given(
    st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()) | st.text(max_size=40).map(str.encode)
)
@example(b'{"custom_id": "a", "custom_id": "b"}')
@example(b'{"a": NaN, "b": -Infinity, "c": 1e400, "d": 123456789012345678901234567890}')
@example(b'"\\ud800"')
@example(b'"a\nb"')
@example(b"[" * 300 + b"]" * 300)
@example(b"\xef\xbb\xbf{}")
@example(b"{}\x00")
@example(b"01")
@example(b"[1,]")
def test_the_fast_reader_says_what_the_tolerant_one_says_or_leaves_it_to_it(line: bytes) -> None:
    def said(read: Callable[[bytes], Any]) -> str:
        try:
            return repr(read(line))  # NaN equals nothing, so compare what is shown
        except (ValueError, RecursionError):
            return "no JSON"

    assert said(loaded) == said(json.loads)


@given(
    st.sampled_from(["Essay A", "Essay B", "Tie", "essay a", "A"]),
    st.text(max_size=30),
    st.sampled_from([0, 1, 5, 6, "4", 4.0, True]),
    st.sampled_from([None, 2]),
    st.booleans(),
    st.booleans(),
)
def test_an_answer_as_it_was_asked_for_is_read_as_any_other_spelling_of_it(
    winner: str, justification: str, confidence: object, indent: int | None, ascii_only: bool, ties: bool
) -> None:
    """The same object with its keys in another order takes the long way and must give the same verdict."""
    said = {"winner": winner, "justification": justification, "confidence": confidence}
    asked = json.dumps(said, indent=indent, ensure_ascii=ascii_only)
    turned = json.dumps(dict(reversed(said.items())), ensure_ascii=ascii_only)
    assert answer_to(completed(asked), ties=ties) == answer_to(completed(turned), ties=ties)


@given(st.integers(1, 3000))
def test_a_deeply_nested_line_is_unreadable_and_no_crash(depth: int) -> None:
    nested = (
        b'{"custom_id": "c1", "response": {"status_code": 500, "body": {"error": '
        + b"[" * depth
        + b"]" * depth
        + b"}}}"
    )
    read = read_result_line(nested, ties=False)
    assert read is None or read.answer.verdict is None
