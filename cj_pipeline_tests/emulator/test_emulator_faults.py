from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from cj_pipeline_tests.emulator.emulator_client import (
    CHAT,
    arm,
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
from cj_pipeline_tests.installation import OwnEmulator


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    process = OwnEmulator.start(tmp_path, seconds_per_phase=0.02)
    yield process.url
    process.kill()


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with connect(url) as connected:
        yield connected


def test_a_dropped_connection_leaves_one_batch_that_can_be_found_by_file_and_metadata(url: str, client: OpenAI) -> None:
    arm(url, "drop_connection_after_create")
    file_id = upload(client, jsonl(lines(3)))
    with pytest.raises(openai.APIConnectionError):
        client.batches.create(input_file_id=file_id, endpoint=CHAT, completion_window="24h", metadata={"cj_job": "j7"})
    (found,) = client.batches.list().data
    assert (found.input_file_id, found.metadata) == (file_id, {"cj_job": "j7"})
    assert wait_for(client, found.id).status == "completed"
    assert bill(url)["batches_created"] == 1


def test_a_500_after_accepting_leaves_one_batch_too(url: str, client: OpenAI) -> None:
    arm(url, "create_500_after_accept")
    with pytest.raises(openai.InternalServerError):
        submit(client, jsonl(lines(1)))
    assert len(client.batches.list().data) == 1


def test_a_400_creates_nothing_and_spares_the_other_faults(url: str, client: OpenAI) -> None:
    arm(url, "create_400")
    arm(url, "lose_lines", 1)
    with pytest.raises(openai.BadRequestError):
        submit(client, jsonl(lines(2)))
    assert client.batches.list().data == []
    batch = wait_for(client, submit(client, jsonl(lines(2))).id)
    assert len(results(client, batch.output_file_id)) == 1


def test_the_token_limit_fails_the_batch_while_validating_without_a_line_number(url: str, client: OpenAI) -> None:
    arm(url, "token_limit_exceeded", times=2)
    content = jsonl(lines(2))
    for _ in range(2):
        batch = wait_for(client, submit(client, content).id)
        assert batch.status == "failed"
        assert batch.errors is not None
        assert batch.errors.data is not None
        assert [(error.code, error.line) for error in batch.errors.data] == [("token_limit_exceeded", None)]
    assert bill(url)["requests_seen"] == 0
    assert wait_for(client, submit(client, content).id).status == "completed"


def test_an_expired_batch_keeps_and_bills_what_was_done(url: str, client: OpenAI) -> None:
    arm(url, "expire_after", 0.4)
    batch = wait_for(client, submit(client, jsonl(lines(10))).id)
    assert (batch.status, batch.completed_at) == ("expired", None)
    assert batch.expired_at is not None
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (10, 4, 0)
    done, unrun = results(client, batch.output_file_id), results(client, batch.error_file_id)
    assert len(done) == 4
    assert {answer["custom_id"] for answer in done + unrun} == {f"c{i}" for i in range(10)}
    assert all(answer["response"] is None and answer["error"]["code"] == "batch_expired" for answer in unrun)
    assert bill(url)["requests_seen"] == 4


def test_lost_duplicated_and_rate_limited_lines_meet_different_items(url: str, client: OpenAI) -> None:
    arm(url, "rate_limit_lines", 2)
    arm(url, "lose_lines", 3)
    arm(url, "duplicate_lines", 1)
    batch = wait_for(client, submit(client, jsonl(lines(10))).id)
    assert batch.status == "completed"
    output = [answer["custom_id"] for answer in results(client, batch.output_file_id)]
    limited = results(client, batch.error_file_id)
    assert (len(output), len(set(output)), len(limited)) == (6, 5, 2)
    assert all(answer["response"]["status_code"] == 429 and answer["error"] is None for answer in limited)
    assert limited[0]["response"]["body"]["error"]["code"] == "rate_limit_exceeded"
    assert not {answer["custom_id"] for answer in limited} & set(output)
    said = bill(url)
    assert (said["requests_seen"], said["answered"]) == (10, 8)  # a lost answer was paid all the same
    assert said["asked_more_than_once"] == []


def test_faults_are_used_up_by_one_create(url: str, client: OpenAI) -> None:
    arm(url, "lose_lines", 1)
    first, second = (wait_for(client, submit(client, jsonl(lines(4))).id) for _ in range(2))
    assert [len(results(client, batch.output_file_id)) for batch in (first, second)] == [3, 4]


NO_FAULTS: list[object] = [
    {"name": "explode", "value": True},
    {"name": "lose_lines", "value": 0},
    {"name": "lose_lines", "value": True},
    {"name": "lose_lines", "value": 1.5},
    {"name": "expire_after", "value": 1.5},
    {"name": "create_400", "value": 3},
    {"name": "create_400", "value": True, "times": 0},
    {"name": ["create_400"], "value": True},
    ["create_400"],
]


def test_a_fault_outside_the_table_is_refused(url: str) -> None:
    with plain(url) as http:
        for order in NO_FAULTS:
            answer = http.post("/admin/faults", json=order)
            assert answer.status_code == 400, order
            assert answer.json()["error"]["message"]
        assert http.get("/admin/faults").json()["armed"] == []


def test_ordered_faults_can_be_seen_and_taken_back(url: str, client: OpenAI) -> None:
    arm(url, "lose_lines", 2)
    with plain(url) as http:
        assert http.get("/admin/faults").json()["armed"] == [{"name": "lose_lines", "value": 2.0, "times": 1}]
        assert http.delete("/admin/faults").json() == {"armed": []}
    batch = wait_for(client, submit(client, jsonl(lines(4))).id)
    assert len(results(client, batch.output_file_id)) == 4


def test_the_bill_names_what_was_bought_twice(url: str, client: OpenAI) -> None:
    same, other = body("Ein Brief", "Brief"), body("Brief", "Ein Brief")
    wait_for(client, submit(client, jsonl([line("first", same), line("other", other)])).id)
    wait_for(client, submit(client, jsonl([line("again", same), line("other", other)])).id)
    said = bill(url)
    assert (said["requests_seen"], said["distinct_custom_ids"], said["distinct_bodies"]) == (4, 3, 2)
    assert (said["batches_created"], said["files_uploaded"]) == (2, 2)
    assert sorted((twice["times"], twice["custom_ids"]) for twice in said["asked_more_than_once"]) == [
        (2, ["again", "first"]),
        (2, ["other"]),
    ]
    assert said["cost_nano_usd"] == 0
    assert said["price_source"] == "emulator"
    with plain(url) as http:
        asked = http.get("/admin/requests", params={"custom_id": "other"}).json()["requests"]
    assert [request["status_code"] for request in asked] == [200, 200]
    assert len({request["batch_id"] for request in asked}) == 2
    assert said["prompt_tokens"] == sum(request["prompt_tokens"] for request in asked) * 2


def test_the_page_says_first_that_this_is_no_exam_and_shows_nothing_unescaped(url: str, client: OpenAI) -> None:
    batch = wait_for(client, submit(client, jsonl(lines(2)), metadata={"job": "<script>alert(1)</script>"}).id)
    with plain(url) as http:
        page = http.get("/").text
    headline = page[page.index("<h1>") : page.index("</h1>")]
    assert "offline judges" in headline
    assert "No exam" in headline
    assert batch.id in page
    assert "<script>" not in page
