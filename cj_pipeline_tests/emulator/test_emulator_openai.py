import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import openai
import pytest
from openai import OpenAI
from openai.types import Batch
from openai.types.chat import ChatCompletion

from cj_pipeline import emulator
from cj_pipeline.judging import parse_verdict
from cj_pipeline_tests.emulator.emulator_client import (
    CHAT,
    bill,
    body,
    connect,
    jsonl,
    line,
    lines,
    plain,
    results,
    submit,
    upload,
    wait_for,
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("emulator"), seconds_per_phase=0.02)
    yield process.url
    process.stop()


@pytest.fixture(scope="module")
def slow_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """To an emulator whose phases last long enough to be seen."""
    process = emulator.start_process(folder=tmp_path_factory.mktemp("slow"), seconds_per_phase=0.3)
    with connect(process.url) as connected:
        yield connected
    process.stop()


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[OpenAI]:
    with connect(url) as connected:
        yield connected


def test_a_batch_goes_through_its_whole_life_and_the_sdk_validates_every_answer(slow_client: OpenAI) -> None:
    batch = submit(slow_client, jsonl(lines(12)), metadata={"cj_job": "j1"})
    assert batch.status == "validating"
    assert batch.request_counts is None  # a real batch has none yet
    assert batch.expires_at == batch.created_at + 86_400

    assert wait_for(slow_client, batch.id, ["in_progress"]).request_counts is not None
    assert wait_for(slow_client, batch.id, ["finalizing"]).output_file_id is None
    batch = wait_for(slow_client, batch.id)

    assert batch.status == "completed"
    assert batch.metadata == {"cj_job": "j1"}
    assert batch.model == "lexical"
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (12, 12, 0)
    times = [batch.created_at, batch.in_progress_at, batch.finalizing_at, batch.completed_at]
    assert times == sorted(filter(None, times))
    assert batch.error_file_id is None

    answers = results(slow_client, batch.output_file_id)
    assert {answer["custom_id"] for answer in answers} == {f"c{i}" for i in range(12)}
    completions = [ChatCompletion.model_validate(answer["response"]["body"], strict=True) for answer in answers]
    assert all(answer["response"]["status_code"] == 200 and answer["error"] is None for answer in answers)
    for completion in completions:
        parse_verdict(completion.choices[0].message.content or "", ties=False)
        assert completion.model == "lexical"
    assert batch.usage is not None
    assert batch.usage.input_tokens == sum(c.usage.prompt_tokens for c in completions if c.usage)
    assert batch.usage.output_tokens == sum(c.usage.completion_tokens for c in completions if c.usage)


def test_output_lines_are_not_in_input_order(client: OpenAI) -> None:
    batch = wait_for(client, submit(client, jsonl(lines(50))).id)
    ids = [answer["custom_id"] for answer in results(client, batch.output_file_id)]
    assert sorted(ids) == sorted(f"c{i}" for i in range(50))
    assert ids != [f"c{i}" for i in range(50)]


def test_output_files_cannot_be_seen_before_the_batch_has_ended(slow_client: OpenAI) -> None:
    batch = submit(slow_client, jsonl(lines(3)))
    wait_for(slow_client, batch.id, ["finalizing"])
    named = f"{batch.id}_output.jsonl"
    assert named not in {file.filename for file in slow_client.files.list(purpose="batch_output")}
    wait_for(slow_client, batch.id)
    assert named in {file.filename for file in slow_client.files.list(purpose="batch_output")}


def test_requests_a_provider_would_refuse_become_error_lines_with_error_null(client: OpenAI) -> None:
    requests = [
        line("fine", body("Ein Brief", "Brief")),
        line("typo", body("Ein Brief", "Brief", max_output_tokens=200)),
        line("empty", {"model": "lexical", "messages": [{"role": "user", "content": "Hello?"}]}),
    ]
    batch = wait_for(client, submit(client, jsonl(requests)).id)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 2)
    assert [answer["custom_id"] for answer in results(client, batch.output_file_id)] == ["fine"]
    errors = {answer["custom_id"]: answer for answer in results(client, batch.error_file_id)}
    assert all(answer["error"] is None and answer["response"]["status_code"] == 400 for answer in errors.values())
    assert errors["typo"]["response"]["body"]["error"]["code"] == "unknown_parameter"
    assert "comparison" in errors["empty"]["response"]["body"]["error"]["message"]


@pytest.mark.parametrize(
    ("model", "status", "said"),
    [("gpt-6-luna", 404, "does not exist"), ("latent:nose=1", 400, "noise"), ("latent:tie=2", 400, "tie")],
)
def test_an_unknown_model_or_parameter_fails_each_line_and_leaves_no_output_file(
    client: OpenAI, model: str, status: int, said: str
) -> None:
    batch = wait_for(client, submit(client, jsonl(lines(2, model=model))).id)
    assert (batch.status, batch.output_file_id) == ("completed", None)
    for answer in results(client, batch.error_file_id):
        assert answer["response"]["status_code"] == status
        assert said in answer["response"]["body"]["error"]["message"]


def _changed(**changes: object) -> bytes:
    first, second = lines(2)
    return jsonl([first, {**second, **changes}])


FAILING: dict[str, tuple[bytes, str, int | None]] = {
    "cut line": (jsonl(lines(1)) + b'{"custom_id": "c1", "met\n', "invalid_json_line", 2),
    "blank line": (jsonl(lines(1)) + b"\n" + jsonl(lines(2)[1:]), "invalid_json_line", 2),
    "not utf-8": (jsonl(lines(1)) + b'{"custom_id": "\xff"}\n', "invalid_json_line", 2),
    "nested without end": (jsonl(lines(1)) + b"[" * 100_000 + b"\n", "invalid_json_line", 2),
    "array": (jsonl([*lines(1), ["c1"]]), "invalid_json_line", 2),
    "same id twice": (_changed(custom_id="c0"), "duplicate_custom_id", 2),
    "other url": (_changed(url="/v1/responses"), "url_mismatch", 2),
    "other model": (_changed(body=body("a", "b", model="latent")), "model_mismatch", 2),
    "long id": (_changed(custom_id="c" * 65), "invalid_custom_id", 2),
    "id with a blank": (_changed(custom_id="c 1"), "invalid_custom_id", 2),
    "no body": (jsonl([{"custom_id": "c0", "method": "POST", "url": CHAT}]), "missing_required_parameter", 1),
    "get": (_changed(method="GET"), "invalid_method", 2),
    "empty": (b"", "empty_file", None),
    "too many": (b"{}\n" * 50_001, "too_many_tasks", None),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_bad_input_file_fails_the_whole_batch_naming_code_and_line(client: OpenAI, case: str) -> None:
    content, code, number = FAILING[case]
    batch = wait_for(client, submit(client, content).id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert (batch.errors.data[0].code, batch.errors.data[0].line) == (code, number)
    assert batch.failed_at is not None
    assert (batch.output_file_id, batch.error_file_id, batch.usage) == (None, None, None)


def test_a_missing_input_file_is_found_while_validating_not_at_create(client: OpenAI) -> None:
    batch = client.batches.create(input_file_id="file-nowhere", endpoint=CHAT, completion_window="24h")
    batch = wait_for(client, batch.id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert batch.errors.data[0].code == "invalid_file"


REFUSED: dict[str, tuple[Callable[[OpenAI], Any], str | None]] = {
    "window": (lambda c: _create(c, completion_window="48h"), "completion_window"),
    "endpoint": (lambda c: _create(c, endpoint="/v1/responses"), "endpoint"),
    "no file": (lambda c: _create(c, input_file_id=""), "input_file_id"),
    "pairs": (lambda c: _create(c, metadata={str(i): "x" for i in range(17)}), "metadata"),
    "key": (lambda c: _create(c, metadata={"k" * 65: "x"}), "metadata"),
    "value": (lambda c: _create(c, metadata={"k": "x" * 513}), "metadata.k"),
    "number": (lambda c: _create(c, metadata={"k": 3}), "metadata.k"),
    "expiry": (
        lambda c: _create(c, output_expires_after={"anchor": "created_at", "seconds": 60}),
        "output_expires_after.seconds",
    ),
    "limit": (lambda c: c.batches.list(limit=101), "limit"),
    "not jsonl": (lambda c: upload(c, b"{}", name="job.txt"), None),
    "purpose": (lambda c: c.files.create(file=("a.jsonl", b"{}"), purpose=cast("Any", "exam")), "purpose"),
}


def _create(client: OpenAI, **changes: Any) -> Batch:
    call: dict[str, Any] = {"input_file_id": "f", "endpoint": CHAT, "completion_window": "24h"}
    return client.batches.create(**(call | changes))


@pytest.mark.parametrize("case", REFUSED)
def test_a_call_that_breaks_a_rule_is_a_400_in_openais_shape_and_creates_nothing(
    url: str, client: OpenAI, case: str
) -> None:
    call, param = REFUSED[case]
    before = bill(url)
    with pytest.raises(openai.BadRequestError) as refused:
        call(client)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.param == param
    assert bill(url) == before


def test_what_is_not_there_is_a_404(client: OpenAI) -> None:
    calls: list[Callable[[], object]] = [
        lambda: client.batches.retrieve("batch_x"),
        lambda: client.batches.cancel("batch_x"),
        lambda: client.batches.list(after="batch_x"),
        lambda: client.files.retrieve("file-x"),
        lambda: client.files.content("file-x"),
        lambda: client.files.delete("file-x"),
        lambda: client.get("/nothing/here", cast_to=dict[str, Any]),
    ]
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            call()


def test_a_call_without_a_key_is_a_401(url: str) -> None:
    with plain(url) as http:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}):
            answer = http.get("/v1/batches", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_page_in_the_browser_of_another_site_cannot_reach_it_by_rebinding_a_name(url: str) -> None:
    with plain(url) as http:
        assert http.get("/admin/bill", headers={"Host": "example.org"}).status_code == 400


def test_batches_are_listed_newest_first_and_page_by_cursor(client: OpenAI) -> None:
    created = [submit(client, jsonl(lines(1))).id for _ in range(5)]
    page = client.batches.list(limit=2)
    assert [batch.id for batch in page.data] == created[:2:-1]
    assert page.has_more
    walked = [batch.id for batch, _ in zip(client.batches.list(limit=2), range(5), strict=False)]
    assert walked == created[::-1]
    assert len(client.batches.list().data) <= 20


def test_files_are_uploaded_described_listed_fetched_and_deleted(client: OpenAI) -> None:
    content = "größer\u2028\n".encode()
    file = client.files.create(
        file=("cj-abc.jsonl", content),
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (file.filename, file.bytes, file.purpose, file.status) == (
        "cj-abc.jsonl",
        len(content),
        "batch",
        "processed",
    )
    assert file.expires_at == file.created_at + 3600
    assert client.files.content(file.id).content == content
    assert client.files.list(purpose="batch", limit=1).data[0].id == file.id
    assert file.id not in {listed.id for listed in client.files.list(purpose="user_data")}
    assert client.files.list(order="desc", after=file.id, limit=1).data[0].id != file.id
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_an_input_file_cannot_be_deleted_while_its_batch_runs(slow_client: OpenAI) -> None:
    batch = submit(slow_client, jsonl(lines(2)))
    with pytest.raises(openai.ConflictError, match=batch.id):
        slow_client.files.delete(batch.input_file_id)
    wait_for(slow_client, batch.id)
    assert slow_client.files.delete(batch.input_file_id).deleted


def test_output_expires_when_the_batch_asks_for_it(client: OpenAI) -> None:
    file_id = upload(client, jsonl(lines(1)))
    batch = client.batches.create(
        input_file_id=file_id,
        endpoint=CHAT,
        completion_window="24h",
        output_expires_after={"anchor": "created_at", "seconds": 7200},
    )
    batch = wait_for(client, batch.id)
    assert batch.output_file_id is not None
    output = client.files.retrieve(batch.output_file_id)
    assert output.expires_at is not None
    assert output.expires_at - output.created_at in (7200, 7201)


def test_the_models_are_the_offline_judges(client: OpenAI) -> None:
    assert {model.id for model in client.models.list()} >= {"lexical", "latent"}


def test_five_thousand_requests_come_back_complete(client: OpenAI) -> None:
    batch = wait_for(client, submit(client, jsonl(lines(5_000))).id, seconds=60)
    ids = [answer["custom_id"] for answer in results(client, batch.output_file_id)]
    assert len(ids) == 5_000
    assert set(ids) == {f"c{i}" for i in range(5_000)}


def test_the_same_request_gets_the_same_answer_in_every_batch(client: OpenAI) -> None:
    content = jsonl(lines(8, model="latent:seed=3"))
    answers = [
        {
            answer["custom_id"]: answer["response"]["body"]["choices"]
            for answer in results(client, wait_for(client, submit(client, content).id).output_file_id)
        }
        for _ in range(2)
    ]
    assert answers[0] == answers[1]


def test_ties_are_given_only_where_the_schema_offers_them(client: OpenAI) -> None:
    model = "latent:tie=0.9,sd=0.1"
    requests = [line(f"t{i}", body(f"Text {i}", "Brief", model=model, ties=True)) for i in range(20)]
    requests += [line(f"n{i}", body(f"Text {i}", "Brief", model=model)) for i in range(20)]
    batch = wait_for(client, submit(client, jsonl(requests)).id)
    winners: dict[str, set[str]] = {"t": set(), "n": set()}
    for answer in results(client, batch.output_file_id):
        content = answer["response"]["body"]["choices"][0]["message"]["content"]
        winners[answer["custom_id"][0]].add(json.loads(content)["winner"])
    assert "Tie" in winners["t"]
    assert winners["n"] == {"Essay A", "Essay B"}
