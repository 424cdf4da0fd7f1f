"""One call per request line, over both real SDKs: what is sent, what a reply means, and what becomes of its bytes."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import (
    CjError,
    OutOfCredit,
    ProviderBusy,
    ProviderUncertain,
    ProviderUnreachable,
    TurnedAway,
)
from cj_pipeline.judging import ErrorCode, Question
from cj_pipeline.providers import Phase, caller_for, read_result, unrun_line
from cj_pipeline.providers.anthropic_calls import AnthropicCalls
from cj_pipeline.providers.anthropic_wire import encoded, translated
from cj_pipeline.providers.openai_calls import OpenAICalls
from cj_pipeline.providers.openai_wire import body_bytes, encode_body, request_body, request_line
from cj_pipeline.providers.synchronous import one_line_of_json, retry_after
from cj_pipeline.settings import Settings
from cj_pipeline_tests.providers.scripted_provider import Reply, Script

KEY = "sk-proj-verysecret0123456789"
JUDGE = JudgeSection(id="judge", provider="openai", model="gpt-6-luna")
BODY = encode_body(request_body(JUDGE, Question("Write.", "Clarity.", "0" * 16), "Ein “Brief”.", 'Zwei\n"body":{}}'))
LINE = request_line("j0-abc-r1", BODY)
ROUTES = {"openai": "POST /v1/chat/completions", "anthropic": "POST /v1/messages"}
BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])

COMPLETION = b"""{
  "model": "gpt-6-luna", "choices": [{"finish_reason": "stop", "message": {"content":
    "{\\"winner\\": \\"Essay A\\", \\"justification\\": \\"clear\\u2028er\\", \\"confidence\\": 4}"}}],\r
  "usage": {"prompt_tokens": 300, "completion_tokens": 20}
}
"""
MESSAGE = b"""{
  "model": "claude", "stop_reason": "end_turn", "content": [{"type": "text", "text":
    "{\\"winner\\": \\"Essay A\\", \\"justification\\": \\"clear\\u2028er\\", \\"confidence\\": 4}"}],
  "usage": {"input_tokens": 300, "output_tokens": 20}
}
"""
GOOD = {"openai": COMPLETION, "anthropic": MESSAGE}


def called(provider: str, url: str, *, timeout_seconds: float = 5) -> bytes:
    """One call; the result line it gave."""

    async def call() -> bytes:
        speaks = AnthropicCalls if provider == "anthropic" else OpenAICalls
        caller = speaks(name=provider, api_key=KEY, base_url=url, timeout_seconds=timeout_seconds)
        try:
            return await caller.call(LINE)
        finally:
            await caller.close()

    return asyncio.run(call())


def test_openai_gets_the_canonical_body_to_the_byte_and_the_name_of_the_item(script: Script) -> None:
    script.replies[ROUTES["openai"]] = Reply(body=COMPLETION)
    called("openai", script.url)
    assert script.bodies == [BODY]
    assert script.headers[0]["x-client-request-id"] == "j0-abc-r1"
    assert script.headers[0]["authorization"] == f"Bearer {KEY}"


def test_anthropic_gets_the_params_that_a_batch_would_take(script: Script) -> None:
    script.replies[ROUTES["anthropic"]] = Reply(body=MESSAGE)
    called("anthropic", script.url)
    assert script.bodies == [encoded(translated(LINE)["params"])]


@BOTH
def test_an_answer_becomes_a_result_line_that_reads_like_a_batch_result(script: Script, provider: str) -> None:
    script.replies[ROUTES[provider]] = Reply(body=GOOD[provider])
    line = called(provider, script.url)
    assert b"\n" not in line
    read = read_result(provider, line, ties=False)
    assert read is not None
    assert read.custom_id == "j0-abc-r1"
    assert read.answer.verdict is not None
    assert read.answer.usage is not None
    assert (str(read.answer.verdict.winner), read.answer.usage.input_tokens) == ("essay_a", 300)


@BOTH
@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_definite_no_is_the_outcome_of_that_comparison(script: Script, provider: str, status: int) -> None:
    script.replies[ROUTES[provider]] = Reply(status, b'{"error": {"type": "invalid_request_error", "message": "no"}}')
    read = read_result(provider, called(provider, script.url), ties=False)
    assert read is not None
    assert read.answer.error_code is ErrorCode.INVALID_REQUEST
    assert read.answer.usage is None
    assert len(script.asked) == 1


NO_CREDIT = b'{"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "pay"}}'


@BOTH
@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (Reply(429, headers=(("retry-after", "7"),)), TurnedAway),
        (Reply(503, headers=(("retry-after", "7"),)), TurnedAway),
        (Reply(529), TurnedAway),
        (Reply(401), ProviderBusy),
        (Reply(403), ProviderBusy),
        (Reply(429, NO_CREDIT), OutOfCredit),
        (Reply(402), OutOfCredit),
        (Reply(500), ProviderUncertain),
        (Reply(502), ProviderUncertain),
        (Reply(503), ProviderUncertain),
        (Reply(408), ProviderUncertain),
        (Reply(409), ProviderUncertain),
        (Reply(200, b'{"half', promised=99), ProviderUncertain),
    ],
)
def test_what_is_no_answer_says_whether_the_call_may_have_been_carried_out(
    script: Script, provider: str, reply: Reply, meaning: type[CjError]
) -> None:
    script.replies[ROUTES[provider]] = reply
    with pytest.raises(CjError) as raised:
        called(provider, script.url)
    assert type(raised.value) is meaning
    assert KEY not in str(raised.value)
    assert len(script.asked) == 1, "no call is ever repeated by the SDK"
    if isinstance(raised.value, TurnedAway):
        assert raised.value.retry_after == (7.0 if reply.headers else None)


@BOTH
def test_a_call_that_gets_no_answer_in_time_is_uncertain(provider: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(ProviderUncertain):
        called(provider, f"http://127.0.0.1:{mute.getsockname()[1]}/v1", timeout_seconds=0.3)


@BOTH
def test_a_call_that_never_left_is_not_uncertain(provider: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ProviderUnreachable):
        called(provider, f"http://127.0.0.1:{port}/v1")


@BOTH
def test_a_reply_that_is_no_json_is_kept_and_read_as_unreadable(script: Script, provider: str) -> None:
    script.replies[ROUTES[provider]] = Reply(body=b"<html>\nSign in", content_type="text/html")
    line = called(provider, script.url)
    read = read_result(provider, line, ties=False)
    assert read is not None
    assert read.answer.error_code is ErrorCode.UNREADABLE_RESULT
    assert b"Sign in" in line


@given(st.one_of(st.binary(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)))
def test_any_body_stands_on_one_line_and_loses_nothing(body: bytes | str) -> None:
    raw = body.encode() if isinstance(body, str) else body
    line = one_line_of_json(raw)
    assert b"\n" not in line
    kept = json.loads(line)
    try:
        assert kept == json.loads(raw.decode()) or kept == raw.decode()
    except UnicodeDecodeError:
        assert kept.encode("latin-1") == raw
    except ValueError:
        assert kept == raw.decode()


@given(st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable()))
def test_the_body_of_a_line_is_found_whatever_the_essays_say(text: str) -> None:
    body = encode_body({"model": "m", "content": f'{text}"body":{text}}}'})
    assert body_bytes(request_line("j0-abc", body)) == body
    assert body_bytes(request_line("j0-abc", body, cache_before="ESSAY A")) == body


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
    ],
)
def test_how_long_to_wait_is_read_as_providers_write_it(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == seconds


def test_how_long_to_wait_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=100)
    waits = retry_after(httpx2.Headers({"retry-after": format_datetime(later, usegmt=True)}))
    assert waits is not None
    assert 90 < waits <= 100


@BOTH
@pytest.mark.parametrize(
    ("phase", "code"), [(Phase.EXPIRED, ErrorCode.EXPIRED), (Phase.CANCELLED, ErrorCode.CANCELLED)]
)
def test_a_call_that_was_never_made_has_a_line_that_says_why(provider: str, phase: Phase, code: ErrorCode) -> None:
    read = read_result(provider, unrun_line(provider, "j0-abc", phase), ties=False)
    assert read is not None
    assert (read.custom_id, read.answer.error_code) == ("j0-abc", code)


def test_a_judge_that_is_reached_by_file_answers_no_calls() -> None:
    with pytest.raises(CjError, match="base_url"):
        caller_for(JudgeSection(id="own", provider="vllm", model="m"), Settings())
