"""The five verbs over the real SDK: against the emulator for what a provider does, a script for what it should not."""

import io
import json
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cj_pipeline import emulator
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
from cj_pipeline.judging import Question
from cj_pipeline.providers import Erasure, Phase, ProviderJob, Ticket, openai, provider_for
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.openai_wire import encode_body, read_result_line, request_body, request_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import CHUNK_BYTES
from cj_pipeline_tests.providers.scripted_provider import Reply, Script, scripted_provider

KEY = "sk-proj-verysecret0123456789"
JUDGE = JudgeSection(id="judge", provider="emulator", model="lexical")
QUESTION = Question("Write.", "Clarity.", "0" * 16)
UPLOADED = Reply(body=b'{"id": "file-1", "object": "file"}')


def now() -> datetime:
    """Not a constant: a whole run takes longer than what is late."""
    return datetime.now(UTC)


def requests(count: int) -> bytes:
    bodies = (request_body(JUDGE, QUESTION, f"Text {i} is here.", "Another text.") for i in range(count))
    return b"".join(request_line(f"c{i}", encode_body(body)) for i, body in enumerate(bodies))


def ticket(job_id: str = "job-1", *, input_file_id: str | None = None, items: int = 3) -> Ticket:
    return Ticket(job_id, "lexical", items, {"cj_job": job_id}, input_file_id, datetime.now(UTC))


def provider_at(url: str, *, key: str = KEY) -> OpenAIBatches:
    return OpenAIBatches(name="openai", api_key=key, base_url=url, timeout_seconds=5, list_is_authoritative=True)


@pytest.fixture(scope="module")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("emulator"), seconds_per_phase=0.02)
    yield process.url
    process.stop()


@pytest.fixture
def provider(emulator_url: str) -> OpenAIBatches:
    call(emulator_url, "DELETE", "/admin/faults")
    return provider_at(f"{emulator_url}/v1")


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_provider() as served:
        yield served


def call(url: str, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def created(url: str) -> int:
    return int(call(url, "GET", "/admin/bill")["batches_created"])


def submit(provider: OpenAIBatches, one: Ticket, count: int = 3, files: list[str | None] | None = None) -> ProviderJob:
    kept: list[str | None] = [] if files is None else files
    return provider.submit(io.BytesIO(requests(count)), one, kept.append)


def ended(provider: OpenAIBatches, job: ProviderJob) -> ProviderJob:
    deadline = time.monotonic() + 20
    while not job.phase.ended:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = provider.poll({job.provider_job_id}, now())[job.provider_job_id]
    return job


def fetched(provider: OpenAIBatches, job: ProviderJob) -> dict[str, list[bytes]]:
    return {name: b"".join(chunks).splitlines() for name, chunks in provider.fetch(job)}


# --- against the emulator ---------------------------------------------------------------------------------


def test_a_job_goes_from_request_file_to_verdicts(provider: OpenAIBatches) -> None:
    job = submit(provider, ticket())
    assert job.phase in {Phase.WAITING, Phase.RUNNING}
    assert abs(job.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    job = ended(provider, job)
    assert (job.phase, job.status, job.settled, job.failure) == (Phase.COMPLETED, "completed", True, None)
    assert job.ended_at is not None
    files = fetched(provider, job)
    assert list(files) == ["output"]
    read = [read_result_line(line, ties=False) for line in files["output"]]
    assert {line.custom_id for line in read if line} == {"c0", "c1", "c2"}
    assert all(line is not None and line.answer.verdict is not None for line in read)


def test_the_intent_is_recorded_once_after_the_upload_and_before_the_create(
    provider: OpenAIBatches, emulator_url: str
) -> None:
    before = created(emulator_url)
    seen: list[tuple[str | None, int]] = []
    provider.submit(io.BytesIO(requests(1)), ticket(), lambda file_id: seen.append((file_id, created(emulator_url))))
    ((file_id, then),) = seen
    assert file_id is not None
    assert file_id.startswith("file-")
    assert (then, created(emulator_url)) == (before, before + 1)


def test_nothing_is_created_when_the_intent_cannot_be_recorded(provider: OpenAIBatches, emulator_url: str) -> None:
    def no_disk(file_id: str | None) -> None:
        raise OSError("no space left")

    before = created(emulator_url)
    with pytest.raises(OSError, match="no space left"):
        provider.submit(io.BytesIO(requests(1)), ticket(), no_disk)
    assert created(emulator_url) == before


def test_a_file_that_was_uploaded_before_is_not_uploaded_again(provider: OpenAIBatches) -> None:
    files: list[str | None] = []
    submit(provider, ticket("job-a"), files=files)
    again = ticket("job-b", input_file_id=files[0])
    job = provider.submit(io.BytesIO(b"this is never read"), again, files.append)
    assert files[1] == files[0]
    assert ended(provider, job).phase is Phase.COMPLETED


@pytest.mark.parametrize("fault", ["drop_connection_after_create", "create_500_after_accept"])
def test_an_uncertain_create_is_found_by_its_mark_and_not_repeated(
    provider: OpenAIBatches, emulator_url: str, fault: str
) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": fault})
    one, before, files = ticket(f"job-{fault}"), created(emulator_url), list[str | None]()
    with pytest.raises(ProviderUncertain, match="the job may exist"):
        submit(provider, one, files=files)
    assert created(emulator_url) == before + 1  # the SDK did not retry
    found = provider.find(one, set())
    assert found is not None
    assert ended(provider, found).phase is Phase.COMPLETED
    # a host that drops metadata still knows the file
    unmarked = Ticket("another", "lexical", 3, {}, files[0], one.not_before)
    by_file = provider.find(unmarked, set())
    assert by_file is not None
    assert by_file.provider_job_id == found.provider_job_id


def test_a_job_that_never_was_is_not_found(provider: OpenAIBatches) -> None:
    submit(provider, ticket("job-of-someone-else"))
    assert provider.find(ticket("job-never-submitted"), set()) is None
    assert provider.find(ticket("job-never-submitted", input_file_id="file-never-used"), set()) is None


def test_a_definite_no_creates_nothing(provider: OpenAIBatches, emulator_url: str) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": "create_400"})
    before, files = created(emulator_url), list[str | None]()
    with pytest.raises(ProviderRefused, match="openai refused the job: HTTP 400"):
        submit(provider, ticket("job-400"), files=files)
    assert len(files) == 1
    assert created(emulator_url) == before
    assert provider.find(ticket("job-400"), set()) is None


def test_polling_reads_as_many_pages_as_it_needs(provider: OpenAIBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "PAGE", 2)
    jobs = [submit(provider, ticket(f"job-page-{i}"), 1) for i in range(7)]
    wanted = {jobs[0].provider_job_id, jobs[3].provider_job_id, jobs[6].provider_job_id}
    assert set(provider.poll(wanted, now())) == wanted
    assert set(provider.poll({*wanted, "batch_of_nobody"}, now())) == wanted
    assert provider.poll(wanted, datetime.now(UTC) + timedelta(hours=1)) == {}
    assert provider.find(ticket("job-page-0"), set()) is not None


def test_a_cancelled_job_ends_as_cancelled(tmp_path: Path) -> None:
    process = emulator.start_process(folder=tmp_path, seconds_per_phase=0.3)
    slow = provider_at(f"{process.url}/v1")
    job = submit(slow, ticket())
    slow.cancel(job.provider_job_id)
    job = ended(slow, job)
    process.stop()
    assert (job.phase, job.status) == (Phase.CANCELLED, "cancelled")
    assert job.ended_at is not None


def test_output_and_error_file_are_both_fetched(provider: OpenAIBatches, emulator_url: str) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": "rate_limit_lines", "value": 1})
    files = fetched(provider, ended(provider, submit(provider, ticket())))
    assert {name: len(lines) for name, lines in files.items()} == {"output": 2, "error": 1}


def test_a_file_larger_than_a_chunk_is_streamed(provider: OpenAIBatches) -> None:
    job = ended(provider, submit(provider, ticket(items=2000), 2000))
    ((name, chunks),) = provider.fetch(job)
    sizes = [len(chunk) for chunk in chunks]
    assert name == "output"
    assert sum(sizes) > CHUNK_BYTES
    assert max(sizes) <= CHUNK_BYTES


def test_a_job_that_fails_while_validating_says_why(provider: OpenAIBatches, emulator_url: str) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": "token_limit_exceeded"})
    job = ended(provider, submit(provider, ticket()))
    assert (job.phase, job.failure_code, job.result_files) == (Phase.FAILED, "token_limit_exceeded", {})
    assert job.failure is not None
    assert job.failure.startswith("token_limit_exceeded: ")


def test_a_broken_request_file_is_named_with_its_line(provider: OpenAIBatches) -> None:
    recorded: list[str | None] = []
    job = ended(provider, provider.submit(io.BytesIO(requests(1) + b"{oops\n"), ticket(), recorded.append))
    assert job.failure_code == "invalid_json_line"
    assert "(line 2)" in str(job.failure)


# --- a provider that is not there, or says no -------------------------------------------------------------


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


def test_every_copy_at_the_provider_is_removed_once(provider: OpenAIBatches, emulator_url: str) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": "rate_limit_lines", "value": 1})
    files: list[str | None] = []
    job = ended(provider, submit(provider, ticket("job-erased"), files=files))
    gone = list(provider.erase(job, files[0]))
    assert [(copy.what, copy.how) for copy in gone] == [
        ("input", Erasure.DELETED),
        ("output", Erasure.DELETED),
        ("error", Erasure.DELETED),
    ]
    assert gone[0].provider_name == files[0]
    assert {copy.how for copy in provider.erase(job, files[0])} == {Erasure.WAS_GONE}


def test_of_a_job_that_is_not_listed_the_input_file_can_be_removed(script: Script) -> None:
    assert [copy.how for copy in provider_at(script.url).erase(None, "file-1")] == [Erasure.WAS_GONE]
    assert script.asked == ["DELETE /v1/files/file-1"]
    assert list(provider_at(script.url).erase(None, None)) == []


def test_a_copy_that_cannot_be_removed_now_is_not_called_removed(script: Script) -> None:
    script.replies = {"DELETE /v1/files/file-1": Reply(500)}
    with pytest.raises(ProviderUnreachable, match="HTTP 500"):
        list(provider_at(script.url).erase(None, "file-1"))


# --- jobs of odd shapes -----------------------------------------------------------------------------------


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


# --- which provider answers for a judge -------------------------------------------------------------------


def test_the_emulator_answers_for_its_judges_without_a_key(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    served = provider_for(JUDGE, Settings(emulator_url=emulator_url))
    assert (served.name, served.list_is_authoritative) == ("emulator", True)
    assert served.poll({"batch_of_nobody"}, datetime.now(UTC)) == {}


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
