"""Rows of the list of hostile responses that are a matter of reading, as a real server sends them in both forms."""

import io
from collections.abc import Iterator

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import ErrorCode, Question, Winner
from cj_pipeline.providers import BatchProvider, ResultLine, read_result
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line
from cj_pipeline_tests.providers.job_by_hand import call, ended, ticket

ITEMS = 6
QUESTION = Question("Write.", "Clarity.", "0" * 16)
SPEAKS: dict[str, type[OpenAIBatches] | type[AnthropicBatches]] = {
    "openai": OpenAIBatches,
    "anthropic": AnthropicBatches,
}

# fault: the only ways its lines may end. Each strikes all items of a job.
NO_VERDICT: dict[str, set[ErrorCode]] = {
    "row 6: expire_with_errors": {ErrorCode.SERVER_ERROR},
    "row 9: status_zero_lines": {ErrorCode.SERVER_ERROR},
    "row 10: server_error_lines": {ErrorCode.SERVER_ERROR},
    "row 10: rate_limit_lines": {ErrorCode.RATE_LIMITED},
    "row 11: unrun_lines": {ErrorCode.EXPIRED},
    "row 22: out_of_credit": {ErrorCode.CREDIT_EXHAUSTED},
    "row 28: error_strings": {ErrorCode.INVALID_REQUEST},  # beside a status of 400
    "row 29: empty_answers": {ErrorCode.EMPTY, ErrorCode.UNREADABLE_RESULT},
    "row 30: refusal_lines": {ErrorCode.REFUSED},
    "row 31: filtered_lines": {ErrorCode.FILTERED},
    "row 32: cut_verdicts": {ErrorCode.TRUNCATED},
    "row 38: odd_fields": {ErrorCode.INVALID_VERDICT},
    "row 43: unheard_results": {ErrorCode.UNREADABLE_RESULT},
}
WHOLE_VERDICTS = ["row 27: raw_separators", "row 33: raw_newlines", "row 39: odd_usage", "row 44: other_model"]
ONE_API = {"status_zero_lines": "openai", "error_strings": "openai"}


def lines_under(url: str, api: str, fault: str, value: object = ITEMS, *, ties: bool = True) -> list[ResultLine | None]:
    """All result lines of a job that met a fault, as they are understood."""
    call(url, "POST", "/admin/faults", {"name": fault, "value": value})
    address = url if api == "anthropic" else f"{url}/v1"
    provider: BatchProvider = SPEAKS[api](
        name=api, api_key="key", base_url=address, timeout_seconds=5, list_is_authoritative=True
    )
    judge = JudgeSection(id="judge", provider="emulator", model="lexical", ties=True)
    bodies = (request_body(judge, QUESTION, f"Text {i} is here.", "Another text.") for i in range(ITEMS))
    file = b"".join(request_line(f"c{i}", encode_body(body)) for i, body in enumerate(bodies))
    job = ended(provider, provider.submit(io.BytesIO(file), ticket("c", items=ITEMS), lambda _: None))
    raw = b"".join(chunk for _, chunks in provider.fetch(job) for chunk in chunks)
    return [read_result(api, line, ties=ties) for line in raw.split(b"\n") if line.strip()]


def each(rows: Iterator[str] | list[str]) -> list[tuple[str, str]]:
    return [(api, row) for row in rows for api in SPEAKS if ONE_API.get(row.split(": ")[1], api) == api]


@pytest.mark.parametrize(("api", "row"), each(list(NO_VERDICT)))
def test_what_is_no_verdict_is_never_taken_for_one(emulator_url: str, api: str, row: str) -> None:
    fault = row.split(": ")[1]
    orders: dict[str, object] = {"expire_with_errors": 0.0, "out_of_credit": True}
    lines = lines_under(emulator_url, api, fault, orders.get(fault, ITEMS))
    assert len(lines) == ITEMS
    assert all(line is not None and line.answer.verdict is None for line in lines)
    assert {line.answer.error_code for line in lines if line} <= NO_VERDICT[row]


@pytest.mark.parametrize(("api", "row"), each(WHOLE_VERDICTS))
def test_what_is_odd_around_a_verdict_does_not_lose_it(emulator_url: str, api: str, row: str) -> None:
    fault = row.split(": ")[1]
    lines = lines_under(emulator_url, api, fault)
    assert len(lines) == ITEMS
    assert all(line is not None and line.answer.verdict is not None for line in lines)
    usages = [line.answer.usage for line in lines if line]
    if fault == "odd_usage":
        assert None in usages
    models = {line.answer.model_reported for line in lines if line}
    assert (models == {"lexical"}) is (fault != "other_model")


@pytest.mark.parametrize("api", SPEAKS)
def test_rows_36_and_37_prose_and_quotes_are_invalid_and_a_fence_is_forgiven(emulator_url: str, api: str) -> None:
    for fault in ("quoted_verdicts", "prose_answers"):
        for line in lines_under(emulator_url, api, fault):
            assert line is not None
            fenced = b"```" in line.line
            assert (line.answer.error_code is ErrorCode.INVALID_VERDICT) or (fenced and line.answer.verdict)


@pytest.mark.parametrize("api", SPEAKS)
@pytest.mark.parametrize("ties", [False, True])
def test_rows_34_and_35_of_odd_winners_only_blanks_and_capitals_are_forgiven(
    emulator_url: str, api: str, ties: bool
) -> None:
    forgiven = {b"ESSAY A": Winner.ESSAY_A, b" Tie ": Winner.TIE if ties else None}
    for line in lines_under(emulator_url, api, "odd_winners", ties=ties):
        assert line is not None
        meant = next((winner for spelling, winner in forgiven.items() if spelling in line.line), None)
        assert (line.answer.verdict.winner if line.answer.verdict else None) is meant
        assert line.answer.error_code is (ErrorCode.INVALID_VERDICT if meant is None else None)


@pytest.mark.parametrize("api", SPEAKS)
def test_row_14_lines_that_stand_twice_agree_or_contradict(emulator_url: str, api: str) -> None:
    for fault, agree in (("duplicate_lines", True), ("conflicting_lines", False)):
        contents: dict[str, set[str]] = {}
        lines = lines_under(emulator_url, api, fault)
        for line in lines:
            assert line is not None
            contents.setdefault(line.custom_id, set()).add(line.content)
        assert len(lines) == 2 * ITEMS
        assert {len(said) for said in contents.values()} == {1 if agree else 2}


@pytest.mark.parametrize("api", SPEAKS)
def test_row_26_blank_and_cut_lines_lose_no_other_line(emulator_url: str, api: str) -> None:
    assert all(line and line.answer.verdict for line in lines_under(emulator_url, api, "blank_lines"))
    cut = lines_under(emulator_url, api, "cut_lines", 2)
    assert sum(line is None for line in cut) == 2
    assert sum(line is not None and line.answer.verdict is not None for line in cut) == ITEMS - 2
