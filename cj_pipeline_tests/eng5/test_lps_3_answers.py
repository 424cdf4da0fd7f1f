"""LPS-29 to LPS-42: what an answer says and costs, what is no answer, and what is asked of a provider.

LPS-37 is listed in docs/parity-lps.md: no budget for thinking is sent.
"""

import json
import time
from typing import Any

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import ProviderUnreachable, Unpriced
from cj_pipeline.judging import CONSEQUENCES, Answer, ErrorCode, InvalidVerdict, Question, Usage, Winner, parse_verdict
from cj_pipeline.providers import TokenPrice, Transport, batch_price, job_price, read_result
from cj_pipeline.providers.anthropic_wire import translated
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line
from cj_pipeline_tests.eng5.house import House

MIXED = [("refusal_lines", 1)]
QUESTION = Question("Write.", "Clarity.", "0" * 16)


def verdict(**changed: object) -> str:
    return json.dumps({"winner": "Essay A", "justification": "Clearer.", "confidence": 4} | changed)


@pytest.mark.parametrize("confidence", [1, 2, 3, 4, 5])
def test_LPS_29_confidence_is_kept_as_it_was_said_and_converted_nowhere(confidence: int) -> None:
    """There 3.7 became .675 and 3.7 again, and 1 became 5; here the form takes whole numbers and keeps them."""
    assert parse_verdict(verdict(confidence=confidence), ties=False).confidence == confidence
    with pytest.raises(InvalidVerdict):
        parse_verdict(verdict(confidence=3.7), ties=False)


def test_LPS_30_a_failure_has_no_verdict_no_tokens_and_no_cost(house: House) -> None:
    """And no invented model: `unknown` there, null here."""
    house.order("fail_without_line")
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    for row in purchase.rows():
        for name in ("winner", "justification", "confidence", "model_reported", "input_tokens", "output_tokens"):
            assert row[name] is None
        assert row["cost_usd"] == 0.0
        assert row["provider"] == "emulator"
        assert len(row["fingerprint"]) == 64


def test_LPS_31_a_row_holds_a_verdict_or_an_error_and_never_both(house: House) -> None:
    purchase = house.buy(house.batch(essays=4, comparisons=4), MIXED)
    assert set(purchase.column("outcome")) == {"success", "failure"}
    for row in purchase.rows():
        filled = {name for name in ("winner", "justification", "confidence") if row[name] is not None}
        if row["outcome"] == "success":
            assert (filled, row["error_code"]) == ({"winner", "justification", "confidence"}, None)
        else:
            assert (filled, row["error_code"]) == (set(), "refused")


def test_LPS_32_an_answer_that_cannot_be_read_now_is_read_later(house: House) -> None:
    """There a callback that could not be published was lost for good; here the answers wait where they are."""
    house.order("content_404", 0.5)
    batch_id = house.batch(essays=3, comparisons=2)
    with pytest.raises(ProviderUnreachable, match="Nothing was changed"):
        house.buy(batch_id)
    time.sleep(0.5)
    purchase = house.buy(batch_id)
    assert purchase.column("outcome") == ["success", "success"]
    assert [job.attempt for job in purchase.jobs] == [1]


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (verdict(), 4),
        (verdict(confidence=4.2), None),
        (verdict(confidence=10), None),
        (json.dumps({"winner": "Essay A", "justification": "Clearer."}), None),
        (json.dumps({"justification": "Clearer.", "confidence": 4}), None),
        (verdict(winner="A"), None),
        (verdict(justification="x" * 100), 4),
        (verdict(justification="x" * 1_001), 4),
        ("Essay A is better", None),
    ],
    ids=["valid", "4.2", "10", "no confidence", "no winner", "A", "100 chars", "1001 chars", "no JSON"],
)
def test_LPS_33_an_answer_is_taken_as_it_was_asked_for_or_not_at_all(answer: str, kept: int | None) -> None:
    """There 10 became 5, no confidence 3, and no winner Essay A; here each of these is an invalid verdict.

    A long justification is cut to 1,000 characters and costs no verdict; there it cost the answer.
    """
    if kept is None:
        with pytest.raises(InvalidVerdict):
            parse_verdict(answer, ties=False)
        return
    read = parse_verdict(answer, ties=False)
    assert (read.confidence, len(read.justification) <= 1_000) == (kept, True)


@pytest.mark.parametrize(
    "changed", [{"winner": "b"}, {"winner": "tie"}, {"confidence": 0.5}, {"confidence": 0}, {"confidence": "1"}]
)
def test_LPS_34_the_traps_of_the_old_validator_are_none(changed: dict[str, object]) -> None:
    """ "tie" was Essay A there, .5 was 3 and 0 was 1; 1 was 5, and is 1 here."""
    with pytest.raises(InvalidVerdict):
        parse_verdict(verdict(**changed), ties=False)
    assert parse_verdict(verdict(confidence=1), ties=False).confidence == 1


# USD per thousand tokens of the predecessor, and its examples (section 6.4 of the reference)
OLD_RATES = {"anthropic": 0.01, "openai": 0.015, "google": 0.005, "openrouter": 0.02}


@pytest.mark.parametrize(
    ("provider", "tokens", "usd"),
    [
        ("anthropic", 100, 0.001), ("openai", 100, 0.0015), ("google", 100, 0.0005), ("openrouter", 100, 0.002),
        ("anthropic", 2_000, 0.02), ("openai", 1_500, 0.0225), ("google", 3_000, 0.015), ("openrouter", 500, 0.01),
    ],
)  # fmt: skip
def test_LPS_35_tokens_times_rate_is_the_cost_to_the_nano_dollar(provider: str, tokens: int, usd: float) -> None:
    """At the predecessor's flat rates its examples come out; the rates themselves are superseded by published ones.

    What is offline costs nothing, and a model without a price is refused where it was taken for .01.
    """
    per_million = round(OLD_RATES[provider] * 1_000 * 10**9)
    price = TokenPrice(per_million, per_million, per_million, per_million, "the predecessor's flat rate")
    assert price.cost(Usage(tokens - 10, 0, 10)) == round(usd * 10**9)
    assert batch_price("emulator", "any").cost(Usage(9_000, 0, 1_000)) == 0
    with pytest.raises(Unpriced):
        job_price("openai", "a-model-nobody-has-heard-of", Transport.CALLS)


def test_LPS_36_answers_stand_in_the_order_of_the_plan_whatever_order_they_came_in(house: House) -> None:
    purchase = house.buy(house.batch(essays=6, comparisons=15))
    assert purchase.column("pair_id") == list(range(15))
    assert house.deployment.batch(purchase.batch_id).essays.num_rows == 6


def anthropic_answer(result: dict[str, Any]) -> Answer:
    read = read_result("anthropic", json.dumps({"custom_id": "c1", "result": result}).encode(), ties=False)
    assert read is not None
    return read.answer


def succeeded(usage: dict[str, int], stop_reason: str = "end_turn") -> dict[str, Any]:
    message = {"model": "claude", "content": [{"type": "text", "text": verdict()}], "stop_reason": stop_reason}
    return {"type": "succeeded", "message": message | {"usage": usage}}


def test_LPS_38_one_mark_of_an_hour_at_most_so_that_no_order_can_be_wrong() -> None:
    """There marks of an hour had to stand before those of five minutes; here there is one, of an hour."""
    judge = JudgeSection(id="claude", provider="anthropic", model="claude-haiku-5-5")
    line = request_line("c1", encode_body(request_body(judge, QUESTION, "One.", "Two.")), cache_before="ESSAY A")
    said = json.dumps(translated(line))
    assert said.count("cache_control") == 1
    assert '"ttl": "1h"' in said


@pytest.mark.parametrize(("read", "written"), [(80, 0), (0, 60), (0, 0)], ids=["hit", "miss", "bypass"])
def test_LPS_39_tokens_read_from_the_cache_and_written_to_it_are_kept_apart(read: int, written: int) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": read}
    answer = anthropic_answer(succeeded(usage | {"cache_creation_input_tokens": written}))
    assert answer.usage == Usage(5 + read + written, read, 7, written)


def test_LPS_40_an_answer_cut_at_the_token_limit_is_no_answer_and_is_asked_once_more() -> None:
    answer = anthropic_answer(succeeded({"input_tokens": 5, "output_tokens": 7}, stop_reason="max_tokens"))
    assert answer.error_code is ErrorCode.TRUNCATED
    assert [answer.may_be_asked_again(attempt) for attempt in (1, 2)] == [True, False]


def test_LPS_41_an_overloaded_provider_is_asked_again() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    answer = anthropic_answer({"type": "errored", "error": error})
    assert answer.error_code in (ErrorCode.SERVER_ERROR, ErrorCode.RATE_LIMITED)
    assert answer.error_code is not None
    assert CONSEQUENCES[answer.error_code].further_attempts == 2


def test_LPS_42_newer_models_get_no_temperature_and_their_own_name_of_the_limit() -> None:
    """Nor `reasoning` and `text`, which belong to another endpoint."""
    judge = JudgeSection(id="luna", provider="openai", model="gpt-5-mini-2025-08-07", max_output_tokens=321)
    body = request_body(judge, QUESTION, "One.", "Two.")
    assert body["max_completion_tokens"] == 321
    assert not {"temperature", "max_tokens", "reasoning", "text"} & body.keys()
    assert parse_verdict(verdict(winner="Essay B"), ties=False).winner is Winner.ESSAY_B
