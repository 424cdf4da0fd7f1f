import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from cj_pipeline import emulator
from cj_pipeline.judging import parse_verdict
from cj_pipeline_tests.emulator.emulator_client import (
    arm,
    bill,
    connect,
    connect_anthropic,
    jsonl,
    lines,
    params,
    plain,
    requests,
    settings,
    submit,
    wait_for,
    wait_for_end,
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("emulator"), seconds_per_phase=0.02)
    yield process.url
    process.stop()


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Anthropic]:
    with connect_anthropic(url) as connected:
        yield connected


@pytest.fixture(scope="module")
def slow_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anthropic]:
    """To an emulator whose phases last long enough to be seen."""
    process = emulator.start_process(folder=tmp_path_factory.mktemp("slow"), seconds_per_phase=0.3)
    with connect_anthropic(process.url) as connected:
        yield connected
    process.stop()


def _results(client: Anthropic, batch_id: str) -> dict[str, Any]:
    return {line.custom_id: line for line in client.messages.batches.results(batch_id)}


def _one(client: Anthropic, **changes: Any) -> Any:
    """The result of a batch of one request."""
    batch = client.messages.batches.create(
        requests=[{"custom_id": "only", "params": params("Ein langer Brief", "Brief", **changes)}]
    )
    wait_for_end(client, batch.id)
    return _results(client, batch.id)["only"].result


def test_nothing_is_counted_and_nothing_can_be_read_before_the_whole_batch_has_ended(slow_client: Anthropic) -> None:
    batch = slow_client.messages.batches.create(requests=requests(12))
    with pytest.raises(anthropic.BadRequestError, match="not finished"):
        slow_client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=dict[str, Any])
    while batch.processing_status != "ended":
        counts = batch.request_counts
        assert batch.processing_status == "in_progress"
        assert (counts.processing, counts.succeeded, counts.errored, counts.canceled, counts.expired) == (
            12,
            0,
            0,
            0,
            0,
        )
        assert (batch.results_url, batch.ended_at) == (None, None)
        batch = slow_client.messages.batches.retrieve(batch.id)
    assert (batch.request_counts.processing, batch.request_counts.succeeded) == (0, 12)
    assert batch.expires_at - batch.created_at == timedelta(hours=24)
    assert batch.ended_at is not None
    assert batch.ended_at > batch.created_at
    assert batch.results_url is not None
    assert batch.results_url.endswith(f"/v1/messages/batches/{batch.id}/results")


def test_every_request_has_a_message_with_a_verdict_and_batch_usage(client: Anthropic) -> None:
    batch = client.messages.batches.create(requests=requests(50))
    wait_for_end(client, batch.id)
    ids = [line.custom_id for line in client.messages.batches.results(batch.id)]
    assert sorted(ids) == sorted(f"c{i}" for i in range(50))
    assert ids != [f"c{i}" for i in range(50)]
    for line in _results(client, batch.id).values():
        assert line.result.type == "succeeded"
        message = line.result.message
        assert (message.model, message.role, message.stop_reason) == ("lexical", "assistant", "end_turn")
        (block,) = message.content
        assert block.type == "text"
        parse_verdict(block.text, ties=False)
        usage = message.usage
        assert (usage.service_tier, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == ("batch", 0, 0)
        assert usage.input_tokens > 100
        assert usage.output_tokens > 10


def test_both_apis_get_the_same_verdict_for_the_same_comparison_and_are_billed_alike(
    url: str, client: Anthropic
) -> None:
    message_batch = client.messages.batches.create(requests=requests(20, model="latent:seed=5"))
    wait_for_end(client, message_batch.id)
    messages: dict[str, Any] = {name: line.result for name, line in _results(client, message_batch.id).items()}
    with connect(url) as openai:
        batch = wait_for(openai, submit(openai, jsonl(lines(20, model="latent:seed=5"))).id)
        assert batch.output_file_id is not None
        for raw in openai.files.content(batch.output_file_id).content.splitlines():
            answer = json.loads(raw)
            completion, message = answer["response"]["body"], messages[answer["custom_id"]].message
            assert completion["choices"][0]["message"]["content"] == message.content[0].text
            assert completion["usage"]["prompt_tokens"] == message.usage.input_tokens
            assert completion["usage"]["completion_tokens"] == message.usage.output_tokens
    shown = {one["id"]: one for one in bill(url)["batches"]}
    ours, theirs = shown[message_batch.id], shown[batch.id]
    assert (ours["api"], theirs["api"]) == ("anthropic", "openai")
    assert all(ours[name] == theirs[name] for name in ("answered", "prompt_tokens", "completion_tokens", "model"))


def test_a_batch_may_mix_models(client: Anthropic) -> None:
    mixed = [*requests(1), {"custom_id": "other", "params": params("Ein Brief", "Brief", model="latent")}]
    batch = client.messages.batches.create(requests=mixed)
    wait_for_end(client, batch.id)
    models = {name: line.result.message.model for name, line in _results(client, batch.id).items()}
    assert models == {"c0": "lexical", "other": "latent"}


BAD_CREATES: dict[str, tuple[list[Any], str]] = {
    "long id": ([{"custom_id": "c" * 65, "params": {}}], "requests.0.custom_id: String should have at most 64 char"),
    "id with a blank": (
        [*requests(1), {"custom_id": "c 1", "params": {}}],
        "requests.1.custom_id: String should match",
    ),
    "empty id": ([{"custom_id": "", "params": {}}], "requests.0.custom_id"),
    "same id twice": ([*requests(2), *requests(1)], "requests.2.custom_id"),
    "no id": ([{"params": {}}], "requests.0.custom_id: Field required"),
    "no params": ([*requests(3), {"custom_id": "x"}], "requests.3.params: Field required"),
    "extra key": ([{"custom_id": "x", "params": {}, "url": "/v1/messages"}], "requests.0.url: Extra inputs"),
    "none": ([], "at least 1"),
    "too many": ([{"custom_id": f"c{i}", "params": {}} for i in range(100_001)], "at most 100000"),
}


@pytest.mark.parametrize("case", BAD_CREATES)
def test_one_bad_custom_id_refuses_the_whole_create_and_names_its_place(url: str, client: Anthropic, case: str) -> None:
    asked, said = BAD_CREATES[case]
    before = bill(url)
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.batches.create(requests=asked)
    assert refused.value.type == "invalid_request_error"
    assert said in str(refused.value)
    assert refused.value.request_id is not None
    assert bill(url) == before


BAD_PARAMS: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    "top_p": ({"top_p": 1.0}, "top_p: Extra inputs are not permitted"),
    "top_k": ({"top_k": 3}, "top_k: Extra inputs are not permitted"),
    "unknown": ({"max_completion_tokens": 3}, "max_completion_tokens: Extra inputs are not permitted"),
    "old format": ({"output_format": {"type": "json_schema"}}, "output_format: Extra inputs are not permitted"),
    "cache_control on a message": (
        {"messages": [{"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}}]},
        "messages.0.cache_control: Extra inputs are not permitted",
    ),
    "cache ttl": ({"cache_control": {"type": "ephemeral", "ttl": "2h"}}, "cache_control.ttl"),
    "five cache marks": (
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
        "maximum of 4 blocks",
    ),
    "stream": ({"stream": True}, "stream"),
    "speed": ({"speed": "fast"}, "speed"),
    "no tokens": ({"max_tokens": 0}, "max_tokens"),
    "prefill": (
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]},
        "prefill",
    ),
    "no comparison": ({"messages": [{"role": "user", "content": "Hello?"}]}, "comparison"),
    "image": ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "text"),
    "schema": ({"output_config": {"format": {"type": "json_schema", "name": "v", "schema": {}}}}, "format.name: Extra"),
    "effort": ({"output_config": {"effort": "extreme"}}, "effort"),
    "unknown model": ({"model": "claude-haiku-5-5"}, "does not exist"),
    "bad judge parameter": ({"model": "latent:nose=1"}, "noise"),
}


def test_bad_params_fail_their_own_item_after_the_create_was_accepted(url: str, client: Anthropic) -> None:
    asked: list[Any] = [{"custom_id": "good", "params": params("Ein Brief", "Brief")}]
    for number, (changes, _) in enumerate(BAD_PARAMS.values()):
        asked.append({"custom_id": f"bad{number}", "params": params("Ein Brief", "Brief") | changes})
    asked.append({"custom_id": "empty", "params": {}})
    batch = client.messages.batches.create(requests=asked)
    ended = wait_for_end(client, batch.id)
    assert (ended.request_counts.succeeded, ended.request_counts.errored) == (1, len(BAD_PARAMS) + 1)
    found = _results(client, batch.id)
    assert found["good"].result.type == "succeeded"
    for number, (name, (_, said)) in enumerate(BAD_PARAMS.items()):
        result: Any = found[f"bad{number}"].result
        assert result.type == "errored"
        kind = "not_found_error" if name == "unknown model" else "invalid_request_error"
        assert result.error.error.type == kind
        assert said in result.error.error.message, name
    (billed,) = [one for one in bill(url)["batches"] if one["id"] == batch.id]
    assert (billed["answered"], billed["requests_seen"]) == (1, len(BAD_PARAMS) + 2)


def test_an_older_version_of_the_api_still_takes_a_temperature(client: Anthropic) -> None:
    batch = client.messages.batches.create(
        requests=[{"custom_id": "t", "params": params("Ein Brief", "Brief", temperature=0)}],
        extra_headers={"anthropic-version": "2023-06-01"},
    )
    wait_for_end(client, batch.id)
    assert _results(client, batch.id)["t"].result.type == "succeeded"


def test_refusals_cut_answers_and_ties_look_as_the_api_shows_them(client: Anthropic) -> None:
    refused = _one(client, model="latent:refusal=1").message
    assert (refused.stop_reason, refused.content) == ("refusal", [])
    assert refused.stop_details.type == "refusal"
    cut = _one(client, max_tokens=5).message
    assert (cut.stop_reason, cut.usage.output_tokens, len(cut.content[0].text)) == ("max_tokens", 5, 20)
    tie = _one(client, model="latent:tie=0.99,sd=0", ties=True).message
    assert json.loads(tie.content[0].text)["winner"] == "Tie"


def test_blocks_of_text_are_read_as_one_message(client: Anthropic) -> None:
    whole = params("Ein langer Brief", "Brief")
    text = whole["messages"][0]["content"]
    blocks = [
        {"type": "text", "text": text[:50], "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": text[50:]},
    ]
    split = _one(client, messages=[{"role": "user", "content": blocks}]).message
    assert split.content == _one(client).message.content


def test_cancelling_gives_every_request_a_line_and_bills_what_was_run(slow_client: Anthropic) -> None:
    batch = slow_client.messages.batches.create(requests=requests(30))
    cancelled = slow_client.messages.batches.cancel(batch.id)
    assert cancelled.processing_status == "canceling"
    assert cancelled.cancel_initiated_at is not None
    ended = wait_for_end(slow_client, batch.id)
    found = _results(slow_client, batch.id)
    kinds = [line.result.type for line in found.values()]
    assert len(found) == 30
    assert kinds.count("canceled") == ended.request_counts.canceled > 0
    assert kinds.count("succeeded") == ended.request_counts.succeeded
    with pytest.raises(anthropic.BadRequestError):
        slow_client.messages.batches.cancel(batch.id)


def test_an_expired_batch_has_results_for_what_was_run_and_expired_for_the_rest(url: str, client: Anthropic) -> None:
    arm(url, "expire_after", 0.4)
    batch = client.messages.batches.create(requests=requests(10))
    counts = wait_for_end(client, batch.id).request_counts
    assert (counts.succeeded, counts.expired, counts.processing, counts.canceled) == (4, 6, 0, 0)
    kinds = [line.result.type for line in _results(client, batch.id).values()]
    assert (kinds.count("succeeded"), kinds.count("expired")) == (4, 6)


def test_a_deleted_batch_is_gone_but_stays_on_the_bill_and_only_an_ended_one_can_be_deleted(
    slow_client: Anthropic, url: str, client: Anthropic
) -> None:
    running = slow_client.messages.batches.create(requests=requests(2))
    with pytest.raises(anthropic.BadRequestError, match="cancel it first"):
        slow_client.messages.batches.delete(running.id)
    batch = client.messages.batches.create(requests=requests(2))
    wait_for_end(client, batch.id)
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    for call in (client.messages.batches.retrieve, client.messages.batches.delete, client.messages.batches.cancel):
        with pytest.raises(anthropic.NotFoundError):
            call(batch.id)
    with pytest.raises(anthropic.NotFoundError):
        client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=dict[str, Any])
    assert batch.id not in {listed.id for listed in client.messages.batches.list(limit=1000)}
    (kept,) = [one for one in bill(url)["batches"] if one["id"] == batch.id]
    assert (kept["deleted"], kept["answered"]) == (True, 2)


def test_batches_are_listed_newest_first_and_page_both_ways(client: Anthropic) -> None:
    created = [client.messages.batches.create(requests=requests(1)).id for _ in range(5)]
    page = client.messages.batches.list(limit=2)
    assert [batch.id for batch in page.data] == created[:2:-1]
    assert (page.has_more, page.first_id, page.last_id) == (True, created[4], created[3])
    walked = [batch.id for batch, _ in zip(client.messages.batches.list(limit=2), range(5), strict=False)]
    assert walked == created[::-1]
    before = client.messages.batches.list(before_id=created[0], limit=2)
    assert [batch.id for batch in before.data] == [created[2], created[1]]  # the page just before it
    assert before.has_more
    assert client.messages.batches.list(before_id=created[4]).data == []


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_holds_one_to_a_thousand(client: Anthropic, limit: int) -> None:
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.list(limit=limit)


def test_results_are_archived_29_days_after_the_creation(tmp_path_factory: pytest.TempPathFactory) -> None:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("archive"), seconds_per_phase=0.01)
    with connect_anthropic(process.url) as client:
        batch = client.messages.batches.create(requests=requests(2))
        wait_for_end(client, batch.id)
        settings(process.url, clock_ahead_seconds=29 * 86_400 - 3_600)
        assert client.messages.batches.retrieve(batch.id).archived_at is None
        assert len(_results(client, batch.id)) == 2
        settings(process.url, clock_ahead_seconds=29 * 86_400)
        archived = client.messages.batches.retrieve(batch.id)
        assert archived.archived_at == archived.created_at + timedelta(days=29)
        assert (archived.results_url, archived.request_counts.succeeded) == (None, 2)
        with pytest.raises(anthropic.NotFoundError):
            client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=dict[str, Any])
        assert [listed.id for listed in client.messages.batches.list()] == [batch.id]
    process.stop()


def test_a_batch_that_is_not_done_in_24_hours_expires(tmp_path_factory: pytest.TempPathFactory) -> None:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("expiry"), seconds_per_phase=60_000)
    with connect_anthropic(process.url) as client, connect(process.url) as openai:
        message_batch = client.messages.batches.create(requests=requests(10))
        batch = submit(openai, jsonl(lines(10)))
        settings(process.url, clock_ahead_seconds=86_399)
        assert client.messages.batches.retrieve(message_batch.id).processing_status == "in_progress"
        settings(process.url, clock_ahead_seconds=86_401)
        ended = wait_for_end(client, message_batch.id)
        assert (ended.request_counts.succeeded, ended.request_counts.expired) == (4, 6)
        assert ended.ended_at == ended.expires_at
        assert wait_for(openai, batch.id).status == "expired"
    process.stop()


ABSENT: dict[str, Callable[[Anthropic], object]] = {
    "retrieve": lambda c: c.messages.batches.retrieve("msgbatch_x"),
    "cancel": lambda c: c.messages.batches.cancel("msgbatch_x"),
    "delete": lambda c: c.messages.batches.delete("msgbatch_x"),
    "results": lambda c: c.messages.batches.results("msgbatch_x"),
    "cursor": lambda c: c.messages.batches.list(after_id="msgbatch_x"),
    "path": lambda c: c.get("/v1/messages/nothing", cast_to=dict[str, Any]),
}


@pytest.mark.parametrize("case", ABSENT)
def test_what_is_not_there_is_a_404_in_anthropics_shape(client: Anthropic, case: str) -> None:
    with pytest.raises(anthropic.NotFoundError) as absent:
        ABSENT[case](client)
    assert absent.value.type == "not_found_error"
    assert isinstance(absent.value.body, dict)
    assert absent.value.body["type"] == "error"


def test_both_ways_to_send_a_key_are_taken_and_none_is_a_401(url: str) -> None:
    version = {"anthropic-version": "2026-10-21"}
    with plain(url) as http:
        for key in ({"Authorization": "Bearer local"}, {"x-api-key": "local"}):
            assert http.get("/v1/messages/batches", headers=version | key).status_code == 200
        answer = http.get("/v1/messages/batches", headers=version)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "authentication_error"
        unversioned = http.post("/v1/messages/batches", headers={"x-api-key": "local"}, json={"requests": requests(1)})
        assert unversioned.status_code == 400
        assert "anthropic-version" in unversioned.json()["error"]["message"]


def test_a_body_above_256_decimal_megabytes_is_a_413(url: str) -> None:
    with plain(url) as http:
        headers = {"anthropic-version": "2026-10-21", "x-api-key": "local"}
        answer = http.post("/v1/messages/batches", headers=headers, content=b" " * 256_000_001)
        assert answer.status_code == 413
        assert answer.json()["error"]["type"] == "request_too_large"


def test_the_models_are_the_offline_judges_here_too(client: Anthropic) -> None:
    assert {model.id for model in client.models.list()} >= {"lexical", "latent"}


def test_neither_api_shows_the_batches_and_files_of_the_other(url: str, client: Anthropic) -> None:
    message_batch = client.messages.batches.create(requests=requests(1))
    with connect(url) as openai:
        batch = submit(openai, jsonl(lines(1)))
        assert message_batch.id not in {listed.id for listed in openai.batches.list(limit=100)}
        assert batch.id not in {listed.id for listed in client.messages.batches.list(limit=1000)}
        wait_for_end(client, message_batch.id)
        assert "requests.jsonl" not in {file.filename for file in openai.files.list()}
        assert f"{message_batch.id}_output.jsonl" not in {file.filename for file in openai.files.list()}


def test_five_thousand_requests_come_back_complete(client: Anthropic) -> None:
    batch = client.messages.batches.create(requests=requests(5_000))
    wait_for_end(client, batch.id, seconds=60)
    assert set(_results(client, batch.id)) == {f"c{i}" for i in range(5_000)}


def test_a_killed_create_leaves_one_batch_that_runs(url: str, client: Anthropic) -> None:
    for fault, failure in (
        ("drop_connection_after_create", anthropic.APIConnectionError),
        ("create_500_after_accept", anthropic.InternalServerError),
    ):
        known = {batch.id for batch in client.messages.batches.list(limit=1000)}
        arm(url, fault)
        with pytest.raises(failure):
            client.messages.batches.create(requests=requests(3))
        (found,) = {batch.id for batch in client.messages.batches.list(limit=1000)} - known
        assert wait_for_end(client, found).request_counts.succeeded == 3
