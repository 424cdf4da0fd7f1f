import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from cj_pipeline import emulator
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice
from cj_pipeline_tests.emulator.emulator_client import (
    arm,
    bill,
    body,
    connect,
    connect_anthropic,
    jsonl,
    line,
    params,
    plain,
    requests,
    results,
    settings,
    submit,
    upload,
    wait_for,
    wait_for_end,
)
from cj_pipeline_tests.installation import OwnEmulator

LONG = "Der Brief soll freundlich sein. " * 300  # 2,400 tokens by the emulator's count


@pytest.fixture
def url(tmp_path: Any) -> Iterator[str]:
    process = OwnEmulator.start(tmp_path, seconds_per_phase=0.01)
    yield process.url
    process.kill()


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with connect(url) as connected:
        yield connected


@pytest.fixture
def message_client(url: str) -> Iterator[Anthropic]:
    with connect_anthropic(url) as connected:
        yield connected


def test_a_synchronous_call_gets_the_answer_that_a_batch_gets_and_is_billed_as_one(
    url: str, client: OpenAI, message_client: Anthropic
) -> None:
    completion = client.chat.completions.create(**body("Ein langer Brief", "Brief"))
    message = message_client.messages.create(**params("Ein langer Brief", "Brief"))
    batch = wait_for(client, submit(client, jsonl([line("c", body("Ein langer Brief", "Brief"))])).id)
    (answer,) = results(client, batch.output_file_id)
    content = answer["response"]["body"]["choices"][0]["message"]["content"]
    assert completion.choices[0].message.content == content
    assert message.content[0].type == "text"
    assert message.content[0].text == content
    assert message.usage.service_tier == "standard"
    said = bill(url, requests=True)
    assert (said["requests_seen"], said["sync"]["requests_seen"], said["batches_created"]) == (3, 2, 1)
    assert [(one["transport"], one["api"]) for one in said["requests"]] == [
        ("batch", "openai"),
        ("sync", "openai"),
        ("sync", "anthropic"),
    ]
    assert len({one["input_tokens"] for one in said["requests"]}) == 1
    # the same body asked in both transports was paid twice
    assert [twice["times"] for twice in said["asked_more_than_once"]] == [2]


def test_a_bad_synchronous_request_is_refused_as_in_a_batch_and_costs_nothing(
    url: str, client: OpenAI, message_client: Anthropic
) -> None:
    with pytest.raises(openai.BadRequestError, match="temprature"):
        client.chat.completions.create(**body("a", "b"), extra_body={"temprature": 1})
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs"):
        message_client.messages.create(**params("a", "b"), extra_body={"temperature": 1})
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**body("a", "b", model="gpt-6-luna"))
    with pytest.raises(anthropic.BadRequestError):
        message_client.post("/v1/messages", cast_to=dict[str, Any], body=["no object"])
    assert bill(url)["answered"] == 0


Failure = type[Exception]
SYNC_FAULTS: dict[str, tuple[object, Failure, Failure, int]] = {
    "sync_429": (172_800, openai.RateLimitError, anthropic.RateLimitError, 0),
    "sync_overloaded": (True, openai.InternalServerError, anthropic.InternalServerError, 0),
    "sync_out_of_credit": (True, openai.BadRequestError, anthropic.APIStatusError, 0),
    "sync_500_after_billing": (True, openai.InternalServerError, anthropic.InternalServerError, 1),
    "sync_dropped_after_billing": (True, openai.APIConnectionError, anthropic.APIConnectionError, 1),
}


@pytest.mark.parametrize("fault", SYNC_FAULTS)
def test_a_synchronous_call_can_fail_before_and_after_it_was_billed(
    url: str, client: OpenAI, message_client: Anthropic, fault: str
) -> None:
    value, openai_failure, anthropic_failure, billed = SYNC_FAULTS[fault]
    calls: list[tuple[Callable[[], object], Failure]] = [
        (lambda: client.chat.completions.create(**body("Ein Brief", "Brief")), openai_failure),
        (lambda: message_client.messages.create(**params("Ein Brief", "Brief")), anthropic_failure),
    ]
    for number, (call, failure) in enumerate(calls, start=1):
        arm(url, fault, value)
        with pytest.raises(failure) as failed:
            call()
        error: Any = failed.value
        assert bill(url)["sync"]["answered"] == number * billed
        if fault == "sync_429":
            assert error.response.headers["retry-after"] == "172800"
        if fault == "sync_overloaded":
            assert error.status_code in (503, 529)
    calls[0][0]()  # each fault is used up by one call


CREATE_FAULTS: dict[str, tuple[object, Failure, Failure]] = {
    "create_400": (True, openai.BadRequestError, anthropic.BadRequestError),
    "create_429": (3_600, openai.RateLimitError, anthropic.RateLimitError),
    "create_500": (True, openai.InternalServerError, anthropic.InternalServerError),
    "create_overloaded": (True, openai.InternalServerError, anthropic.InternalServerError),
    "drop_connection_before_create": (True, openai.APIConnectionError, anthropic.APIConnectionError),
}


@pytest.mark.parametrize("fault", CREATE_FAULTS)
def test_a_create_that_failed_before_it_was_accepted_leaves_nothing(
    url: str, client: OpenAI, message_client: Anthropic, fault: str
) -> None:
    value, openai_failure, anthropic_failure = CREATE_FAULTS[fault]
    arm(url, fault, value, times=2)
    with pytest.raises(openai_failure):
        submit(client, jsonl([line("c", body("Ein Brief", "Brief"))]))
    with pytest.raises(anthropic_failure):
        message_client.messages.batches.create(requests=requests(1))
    assert bill(url)["batches_created"] == 0
    assert client.batches.list().data == []
    assert message_client.messages.batches.list().data == []


def test_each_project_sees_what_its_keys_made_and_a_new_key_changes_nothing(url: str) -> None:
    with connect(url, api_key="sk-north-old") as north, connect(url, api_key="sk-south-1") as south:
        file_id = upload(north, jsonl([line("c", body("Ein Brief", "Brief"))]))
        with pytest.raises(openai.NotFoundError):
            south.files.retrieve(file_id)
        assert south.files.list().data == []
        stolen = south.batches.create(input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h")
        assert wait_for(south, stolen.id).status == "failed"
        made = north.batches.create(input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h")
        wait_for(north, made.id)
        with pytest.raises(openai.NotFoundError):
            south.batches.cancel(made.id)
    with connect(url, api_key="sk-north-new") as rotated, connect_anthropic(url, api_key="sk-north-new") as messages:
        assert [batch.id for batch in rotated.batches.list()] == [made.id]
        assert len(results(rotated, rotated.batches.retrieve(made.id).output_file_id)) == 1
        messages.messages.batches.create(requests=requests(1))
    with connect_anthropic(url, api_key="local") as shared:
        assert shared.messages.batches.list().data == []


def _cached(url: str, client: OpenAI, count: int = 4) -> list[dict[str, Any]]:
    """The usage of so many requests that share 2,400 tokens, in the order of the input file."""
    shared = {"role": "system", "content": LONG}
    asked = []
    for number in range(count):
        request = body(f"Brief {number}", "Brief")
        asked.append(line(f"c{number}", request | {"messages": [shared, *request["messages"]]}))
    batch = wait_for(client, submit(client, jsonl(asked)).id)
    found = {
        answer["custom_id"]: answer["response"]["body"]["usage"] for answer in results(client, batch.output_file_id)
    }
    assert batch.usage is not None
    assert batch.usage.input_tokens_details.cached_tokens == sum(
        usage["prompt_tokens_details"]["cached_tokens"] for usage in found.values()
    )
    return [found[f"c{number}"] for number in range(count)]


def test_openais_cache_counts_the_shared_prefix_in_steps_of_128_once_it_is_switched_on(
    url: str, client: OpenAI
) -> None:
    assert [usage["prompt_tokens_details"]["cached_tokens"] for usage in _cached(url, client)] == [0] * 4
    settings(url, prompt_cache=True)
    first, *later = (usage["prompt_tokens_details"]["cached_tokens"] for usage in _cached(url, client))
    assert first == 0  # every batch begins with an empty cache
    assert all(cached >= 2_400 - 128 and cached % 128 == 0 for cached in later)
    short = [line(f"s{i}", body(f"Brief {i}", "Brief")) for i in range(3)]
    batch = wait_for(client, submit(client, jsonl(short)).id)
    assert batch.usage is not None
    assert batch.usage.input_tokens_details.cached_tokens == 0  # below 1,024 tokens nothing is cached


def test_anthropics_cache_holds_what_is_marked_written_once_and_read_by_the_others(
    url: str, message_client: Anthropic
) -> None:
    settings(url, prompt_cache=True)
    mark = {"type": "ephemeral", "ttl": "1h"}
    marked = [{"type": "text", "text": LONG, "cache_control": mark}]
    asked: list[Any] = [
        {"custom_id": f"m{i}", "params": params(f"Brief {i}", "Brief") | {"system": marked}} for i in range(4)
    ]
    asked += [{"custom_id": f"u{i}", "params": params(f"Brief {i}", "Brief") | {"system": LONG}} for i in range(2)]
    batch = message_client.messages.batches.create(requests=asked)
    wait_for_end(message_client, batch.id)
    results: Iterable[Any] = message_client.messages.batches.results(batch.id)
    usages = {one.custom_id: one.result.message.usage for one in results}
    kept = len(LONG.encode()) // 4
    created = {name: usage.cache_creation_input_tokens for name, usage in usages.items()}
    read = {name: usage.cache_read_input_tokens for name, usage in usages.items()}
    assert created == {"m0": kept, "m1": 0, "m2": 0, "m3": 0, "u0": 0, "u1": 0}
    assert read == {"m0": 0, "m1": kept, "m2": kept, "m3": kept, "u0": 0, "u1": 0}
    assert usages["m0"].cache_creation.ephemeral_1h_input_tokens == kept
    whole = {usage.input_tokens + created[name] + read[name] for name, usage in usages.items()}
    assert len(whole) == 1  # all six are equally long, cached or not


def test_the_bill_can_be_priced_request_by_request(url: str, client: OpenAI, message_client: Anthropic) -> None:
    settings(url, prompt_cache=True)
    usages = _cached(url, client)
    message_batch = message_client.messages.batches.create(requests=requests(3))
    wait_for_end(message_client, message_batch.id)
    price = TokenPrice(50_000_000, 5_000_000, 62_500_000, 250_000_000, "a price")
    said = bill(url, requests=True)
    priced = {
        one["custom_id"]: price.cost(
            Usage(
                input_tokens=one["input_tokens"],
                cached_tokens=one["cached_tokens"],
                cache_write_tokens=one["cache_write_tokens"],
                output_tokens=one["output_tokens"],
            )
        )
        for one in said["requests"]
        if one["billed"] and one["api"] == "openai"
    }
    from_usage = {
        f"c{number}": price.cost(
            Usage(
                input_tokens=usage["prompt_tokens"],
                cached_tokens=usage["prompt_tokens_details"]["cached_tokens"],
                output_tokens=usage["completion_tokens"],
            )
        )
        for number, usage in enumerate(usages)
    }
    assert priced == from_usage
    assert {one["id"]: one["requests_seen"] for one in said["batches"]}[message_batch.id] == 3
    assert said["times_carried_out"] == {"c0": 2, "c1": 2, "c2": 2, "c3": 1}  # the ids of both batches
    assert {(one["batch_id"] is None, one["model"]) for one in said["requests"]} == {(False, "lexical")}


def test_a_restarted_server_goes_on_misbehaving_as_ordered(tmp_path: Any) -> None:
    process = emulator.start_process(folder=tmp_path, seconds_per_phase=0.3)
    arm(process.url, "odd_winners", 2)
    arm(process.url, "lose_lines", 1)
    settings(process.url, prompt_cache=True)
    with connect_anthropic(process.url) as client:
        batch = client.messages.batches.create(requests=requests(6))
    process.stop()
    process = emulator.start_process(folder=tmp_path, seconds_per_phase=0.3)
    with connect_anthropic(process.url) as client, plain(process.url) as http:
        wait_for_end(client, batch.id)
        found: list[Any] = list(client.messages.batches.results(batch.id))
        winners = [json.loads(one.result.message.content[0].text)["winner"] for one in found]
        assert len(found) == 5
        assert {"a", "ESSAY A"} <= set(winners)
        assert http.get("/admin/settings").json()["prompt_cache"] is True
    process.stop()


NO_SETTINGS: list[object] = [
    {"prompt_cash": True},
    {"prompt_cache": 1},
    {"enqueued_tokens": 0},
    {"enqueued_tokens": True},
    {"clock_ahead_seconds": -1},
    ["prompt_cache"],
    3,
]


def test_an_unknown_setting_is_refused_and_changes_nothing(url: str) -> None:
    with plain(url) as http:
        before = http.get("/admin/settings").json()
        for given in NO_SETTINGS:
            assert http.post("/admin/settings", json=given).status_code == 400, given
        assert http.get("/admin/settings").json() == before
