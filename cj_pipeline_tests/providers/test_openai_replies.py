"""What a host may answer, odd or hostile, told by a script: what each verb over OpenAI's SDK makes of it."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import (
    CjError,
    OutOfCredit,
    ProviderBusy,
    ProviderRefused,
    ProviderUncertain,
    ProviderUnreachable,
    ResultsGone,
)
from cj_pipeline.providers import Erasure, Phase, ProviderJob, provider_for
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.settings import Settings
from cj_pipeline_tests.providers.job_by_hand import now, ticket
from cj_pipeline_tests.providers.openai_jobs import KEY, fetched, provider_at, submit
from cj_pipeline_tests.providers.scripted_provider import Reply, Script

UPLOADED = Reply(body=b'{"id": "file-1", "object": "file"}')


def test_a_server_that_is_not_there_is_unreachable_for_every_reading_verb() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nowhere = provider_at(f"http://127.0.0.1:{port}/v1")
    job = ProviderJob("batch_1", Phase.COMPLETED, "completed", now(), None, {"output": "file-1"}, True)
    recorded: list[str | None] = []
    verbs: list[Callable[[], object]] = [
        lambda: nowhere.poll({"batch_1"}, now()),
        lambda: nowhere.find(ticket(), set()),
        lambda: nowhere.cancel("batch_1"),
        lambda: [list(chunks) for _, chunks in nowhere.fetch(job)],
        lambda: submit(nowhere, ticket(), files=recorded),
    ]
    for verb in verbs:
        with pytest.raises(ProviderUnreachable, match=r"could not be reached .*Nothing was changed"):
            verb()
    assert recorded == []


def leaks(error: CjError) -> bool:
    return KEY in str(error) or KEY in repr(error)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderRefused),
        (401, ProviderBusy),
        (403, ProviderBusy),
        (404, ProviderRefused),
        (408, ProviderUncertain),
        (409, ProviderUncertain),
        (413, ProviderRefused),
        (422, ProviderRefused),
        (429, ProviderBusy),
        (500, ProviderUncertain),
        (502, ProviderUncertain),
        (503, ProviderUncertain),
        (529, ProviderUncertain),
    ],
)
def test_every_status_of_a_create_is_a_no_a_later_or_a_doubt_and_never_shows_the_key(
    script: Script, status: int, error: type[CjError]
) -> None:
    said = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}. Sorry.", "code": "x"}}).encode()
    script.replies = {"POST /v1/files": UPLOADED, "POST /v1/batches": Reply(status, said)}
    with pytest.raises(error) as told:
        submit(provider_at(script.url), ticket())
    assert type(told.value) is error
    assert str(status) in str(told.value) or status == 429
    assert not leaks(told.value)
    assert script.asked == ["POST /v1/files", "POST /v1/batches"]  # row 41: nothing is retried


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_a_wrong_key_never_appears_when_reading_either(script: Script, status: int) -> None:
    said = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    script.replies = {"GET /v1/batches": Reply(status, said), "POST /v1/files": Reply(status, said)}
    provider = provider_at(script.url)
    for verb in (lambda: provider.poll({"b"}, now()), lambda: submit(provider, ticket())):
        with pytest.raises(ProviderUnreachable, match=f"HTTP {status}") as told:
            verb()
        assert ("Check the key" in str(told.value)) is (status in {401, 403})
        assert not leaks(told.value)
    assert KEY not in repr(provider)


@pytest.mark.parametrize("key", ["sk-with\nline", "sk-sécret"])
def test_a_key_no_header_can_hold_is_told_without_the_key(script: Script, key: str) -> None:
    with pytest.raises(ProviderUnreachable) as told:
        provider_at(script.url, key=key).poll({"b"}, now())
    assert key not in str(told.value)
    assert script.asked == []


NO_API = {
    "a login page": Reply(body=b"<html>Log in</html>", content_type="text/html"),
    "half a JSON": Reply(body=b'{"id": "batch_1", "stat'),
    "a list": Reply(body=b"[]"),
    "null": Reply(body=b"null"),
    "a text": Reply(body=b'"ok"'),
}


@pytest.mark.parametrize("reply", NO_API)
def test_a_reply_of_another_api_leaves_a_doubt_after_create_and_changes_nothing_elsewhere(
    script: Script, reply: str
) -> None:
    provider = provider_at(script.url)
    script.replies = {"GET /v1/batches": NO_API[reply], "POST /v1/files": NO_API[reply]}
    recorded: list[str | None] = []
    for verb in (lambda: provider.poll({"b"}, now()), lambda: submit(provider, ticket(), files=recorded)):
        with pytest.raises(ProviderUnreachable, match="Nothing was changed"):
            verb()
    assert recorded == []
    script.replies = {"POST /v1/files": UPLOADED, "POST /v1/batches": NO_API[reply]}
    with pytest.raises(ProviderUncertain, match="the job may exist"):
        submit(provider, ticket())


@pytest.mark.parametrize("body", [b"{}", b'{"id": null}', b'{"id": 7}', b'{"id": ""}'])
def test_an_upload_without_an_id_is_no_upload(script: Script, body: bytes) -> None:
    script.replies = {"POST /v1/files": Reply(body=body)}
    with pytest.raises(ProviderUnreachable, match="no reply of this API"):
        submit(provider_at(script.url), ticket())
    assert script.asked == ["POST /v1/files"]


def test_a_download_that_breaks_off_is_no_file(script: Script) -> None:
    script.replies = {"GET /v1/files/file-1/content": Reply(body=b'{"custom_id": "c1"}\n', promised=1000)}
    job = ProviderJob("batch_1", Phase.COMPLETED, "completed", now(), None, {"output": "file-1"}, True)
    with pytest.raises(ProviderUnreachable, match="could not be reached"):
        fetched(provider_at(script.url), job)


def ended_minutes_ago(minutes: float) -> ProviderJob:
    ended_at = now() - timedelta(minutes=minutes)
    return ProviderJob("batch_1", Phase.COMPLETED, "completed", ended_at, ended_at, {"output": "file-1"}, True)


def test_row_19_a_file_that_is_not_ready_is_unreachable_and_no_end(script: Script) -> None:
    with pytest.raises(ProviderUnreachable, match="HTTP 404"):
        fetched(provider_at(script.url), ended_minutes_ago(1))


@pytest.mark.parametrize("status", [404, 410])
def test_row_21_a_file_that_is_no_longer_kept_is_gone_for_certain(script: Script, status: int) -> None:
    script.replies = {"GET /v1/files/file-1/content": Reply(status, b'{"error": {"message": "No such File"}}')}
    with pytest.raises(ResultsGone, match="no longer keeps the output file of job batch_1"):
        fetched(provider_at(script.url), ended_minutes_ago(11))


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_file_that_another_key_cannot_see_is_not_gone(script: Script, status: int) -> None:
    script.replies = {"GET /v1/files/file-1/content": Reply(status, b"{}")}
    with pytest.raises(ProviderUnreachable, match=f"HTTP {status}"):
        fetched(provider_at(script.url), ended_minutes_ago(60))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": "billing_hard_limit_reached", "message": "Billing hard limit has been reached"}),
        (429, {"code": "insufficient_quota", "message": "You exceeded your current quota"}),
        (403, {"type": "insufficient_quota"}),
        (402, {"message": "Payment required"}),
    ],
)
def test_row_22_an_account_without_credit_is_told_as_such_and_creates_nothing(
    script: Script, status: int, error: dict[str, str]
) -> None:
    poor = Reply(status, json.dumps({"error": error}).encode())
    script.replies = {"POST /v1/files": UPLOADED, "POST /v1/batches": poor}
    with pytest.raises(OutOfCredit, match=r"no credit left.*Nothing was created\. Pay"):
        submit(provider_at(script.url), ticket())


def test_an_account_without_credit_may_fail_at_the_upload_already(script: Script) -> None:
    script.replies = {"POST /v1/files": Reply(429, b'{"error": {"code": "insufficient_quota"}}')}
    recorded: list[str | None] = []
    with pytest.raises(OutOfCredit):
        submit(provider_at(script.url), ticket(), files=recorded)
    assert recorded == []


def test_of_a_job_that_is_not_listed_the_input_file_can_be_removed(script: Script) -> None:
    assert [copy.how for copy in provider_at(script.url).erase(None, "file-1")] == [Erasure.WAS_GONE]
    assert script.asked == ["DELETE /v1/files/file-1"]
    assert list(provider_at(script.url).erase(None, None)) == []


def test_a_copy_that_cannot_be_removed_now_is_not_called_removed(script: Script) -> None:
    script.replies = {"DELETE /v1/files/file-1": Reply(500)}
    with pytest.raises(ProviderUnreachable, match="HTTP 500"):
        list(provider_at(script.url).erase(None, "file-1"))


def shown(script: Script, **fields: object) -> ProviderJob:
    """A listed job with these fields, as the pipeline sees it."""
    batch = {"id": "batch_1", "created_at": int(now().timestamp()), "status": "completed", **fields}
    script.replies = {"GET /v1/batches": Reply(body=json.dumps({"object": "list", "data": [batch]}).encode())}
    return provider_at(script.url).poll({"batch_1"}, now())["batch_1"]


COUNTS = {"total": 3, "completed": 3, "failed": 0}


def test_row_1_a_completed_job_with_only_an_error_file_is_settled(script: Script) -> None:
    job = shown(script, error_file_id="file-e", request_counts={"total": 3, "completed": 0, "failed": 3})
    assert (job.settled, job.result_files) == (True, {"error": "file-e"})


@pytest.mark.parametrize(("minutes", "settled"), [(1, False), (11, True)])
@pytest.mark.parametrize("status", ["completed", "expired", "cancelled"])
def test_rows_2_and_5_results_that_were_promised_are_waited_for_but_not_for_ever(
    script: Script, status: str, minutes: int, settled: bool
) -> None:
    at = {f"{status}_at": int((now() - timedelta(minutes=minutes)).timestamp())}
    job = shown(script, status=status, request_counts=COUNTS, **at)
    assert (job.status, job.settled) == (status, settled)
    assert shown(script, status=status, request_counts=COUNTS, output_file_id="file-o", **at).settled
    assert shown(script, status=status, request_counts={**COUNTS, "completed": 0}, **at).settled


def test_row_2_without_a_time_of_its_end_a_job_is_waited_for_until_its_window_is_over(script: Script) -> None:
    assert not shown(script, request_counts=COUNTS).settled
    days_ago = int((now() - timedelta(days=2)).timestamp())
    listed = {"id": "batch_1", "created_at": days_ago, "status": "completed", "request_counts": COUNTS}
    script.replies = {"GET /v1/batches": Reply(body=json.dumps({"object": "list", "data": [listed]}).encode())}
    assert provider_at(script.url).poll({"batch_1"}, now() - timedelta(days=3))["batch_1"].settled


def test_row_3_counts_of_nothing_are_not_believed(script: Script) -> None:
    job = shown(script, request_counts={"total": 0, "completed": 0, "failed": 0}, output_file_id="file-o")
    assert (job.settled, job.result_files) == (True, {"output": "file-o"})


@pytest.mark.parametrize("errors", [None, [], {}, {"data": None}, {"data": []}])
@pytest.mark.parametrize("counts", [None, {}])
def test_row_4_missing_counts_and_errors_are_tolerated(script: Script, errors: object, counts: object) -> None:
    job = shown(script, errors=errors, request_counts=counts, status="failed")
    assert (job.phase, job.failure, job.failure_code) == (Phase.FAILED, None, None)


@pytest.mark.parametrize(
    ("errors", "failure", "code"),
    [
        (
            {"data": [{"code": "duplicate_custom_id", "line": 4, "message": "twice"}]},
            "duplicate_custom_id (line 4): twice",
            "duplicate_custom_id",
        ),
        ({"data": [{"message": "no code"}]}, "error: no code", None),
        ({"data": ["only words"]}, "only words", None),
        ("only words", "only words", None),
        ([{"code": "x", "message": "bare"}], "x: bare", "x"),
        (["only words"], "only words", None),
    ],
)
def test_rows_7_and_28_the_reason_of_a_failed_job_is_told_in_whatever_form_it_comes(
    script: Script, errors: object, failure: str, code: str | None
) -> None:
    job = shown(script, status="failed", errors=errors)
    assert (job.failure, job.failure_code) == (failure, code)


def test_row_28_upper_case_statuses_and_iso_times_are_understood(script: Script) -> None:
    at = now()
    naive = at.replace(tzinfo=None).isoformat()
    job = shown(script, status="COMPLETED", created_at=at.isoformat(), completed_at=naive)
    assert job.phase is Phase.COMPLETED
    assert job.created_at == job.ended_at


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("validating", Phase.WAITING),
        ("in_progress", Phase.RUNNING),
        ("finalizing", Phase.RUNNING),
        ("cancelling", Phase.RUNNING),
        ("expired", Phase.EXPIRED),
        ("cancelled", Phase.CANCELLED),
    ],
)
def test_each_status_of_the_reference_has_its_phase(script: Script, status: str, phase: Phase) -> None:
    assert shown(script, status=status).phase is phase


@pytest.mark.parametrize("status", ["paused", "archived", "", None, 7])
def test_row_43_a_status_never_heard_of_is_no_end(script: Script, status: object) -> None:
    job = shown(script, status=status)
    assert job.phase is Phase.UNHEARD_OF
    assert not job.phase.ended


def test_row_20_a_job_this_key_does_not_list_is_left_out(script: Script) -> None:
    script.replies = {"GET /v1/batches": Reply(body=b'{"object": "list", "data": []}')}
    assert provider_at(script.url).poll({"batch_1"}, now()) == {}


def test_a_compatible_host_is_asked_with_the_key_of_the_judges_account(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = JudgeSection(id="own", provider="openai", model="m", base_url=script.url, account="school")
    with pytest.raises(CjError, match="OPENAI_API_KEY_SCHOOL"):
        provider_for(judge, Settings())
    monkeypatch.setenv("OPENAI_API_KEY_SCHOOL", KEY)
    served = provider_for(judge, Settings())
    # its list may lag behind a create, so that a job not found may still exist
    assert (served.name, served.list_is_authoritative) == ("openai", False)
    with pytest.raises(ProviderUnreachable, match="HTTP 404"):
        served.poll({"b"}, now())
    assert script.asked == ["GET /v1/batches"]


def test_a_job_that_is_known_to_be_another_is_never_taken_for_ours(script: Script) -> None:
    batch = {"id": "batch_1", "created_at": int(now().timestamp()), "status": "completed", "input_file_id": "file-1"}
    script.replies = {"GET /v1/batches": Reply(body=json.dumps({"object": "list", "data": [batch]}).encode())}
    one = ticket(input_file_id="file-1")
    assert provider_at(script.url).find(one, set()) is not None
    assert provider_at(script.url).find(one, {"batch_1"}) is None


def test_a_base_url_in_the_environment_moves_no_judge(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is sent: the address is what the SDK's client was told."""
    monkeypatch.setenv("OPENAI_BASE_URL", script.url)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", script.url)
    for speaks, address in (
        (OpenAIBatches, "https://api.openai.com/v1"),
        (AnthropicBatches, "https://api.anthropic.com"),
    ):
        served = speaks(name="x", api_key=KEY, base_url=None, timeout_seconds=1, list_is_authoritative=False)
        assert str(served._client.base_url).rstrip("/") == address


def test_a_proxy_is_never_asked_for_a_local_host(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    script.replies = {"GET /v1/batches": Reply(body=b'{"object": "list", "data": []}')}
    for url in (script.url, script.url.replace("127.0.0.1", "localhost")):
        assert provider_at(url).poll({"b"}, now()) == {}
