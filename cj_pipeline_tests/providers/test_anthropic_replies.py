"""What Anthropic's host may answer, odd or hostile, told by a script: what each verb over its SDK makes of it."""

import json
from datetime import timedelta
from typing import Any

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
    Undecided,
)
from cj_pipeline.providers import Erasure, Phase, ProviderJob, anthropic, provider_for
from cj_pipeline.settings import Settings
from cj_pipeline_tests.providers.anthropic_jobs import KEY, fetched, provider_at, submit
from cj_pipeline_tests.providers.job_by_hand import now, ticket
from cj_pipeline_tests.providers.scripted_provider import Reply, Script, scripted_provider

LIST, RESULTS = "GET /v1/messages/batches", "GET /v1/messages/batches/msgbatch_1/results"


def listed(*batches: dict[str, Any]) -> Reply:
    body = {"data": list(batches), "has_more": False, "first_id": None, "last_id": None}
    return Reply(body=json.dumps(body).encode())


def batch(name: str = "msgbatch_1", /, **fields: object) -> dict[str, Any]:
    """As the reference shows one that ended with three answers."""
    counts = {"processing": 0, "succeeded": 3, "errored": 0, "canceled": 0, "expired": 0}
    return {
        "id": name,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts,
        "created_at": now().isoformat(),
        "ended_at": now().isoformat(),
        "expires_at": (now() + timedelta(hours=24)).isoformat(),
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": "https://elsewhere.example/results",
        **fields,
    }


RUNNING = {
    "processing_status": "in_progress",
    "ended_at": None,
    "results_url": None,
    "request_counts": {"processing": 3, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
}


def shown(script: Script, **fields: object) -> ProviderJob:
    script.replies = {LIST: listed(batch(**fields))}
    return provider_at(script.url).poll({"msgbatch_1"}, now())["msgbatch_1"]


def test_the_key_goes_as_a_bearer_with_the_version_the_requests_are_written_for(script: Script) -> None:
    script.replies = {LIST: listed()}
    provider_at(script.url).poll({"b"}, now())
    (headers,) = script.headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-version"] == "2026-10-21"


@pytest.mark.parametrize("suffix", ["", "/", "/v1"])
def test_an_address_may_be_written_with_or_without_its_version(script: Script, suffix: str) -> None:
    script.replies = {LIST: listed()}
    provider_at(script.url.removesuffix("/v1") + suffix).poll({"b"}, now())
    assert script.asked == [LIST]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderRefused),
        (401, ProviderBusy),
        (402, OutOfCredit),
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
        (529, ProviderBusy),
    ],
)
def test_every_status_of_a_create_is_a_no_a_later_or_a_doubt_and_never_shows_the_key(
    script: Script, status: int, error: type[CjError]
) -> None:
    said = {"type": "error", "error": {"type": "x", "message": f"Sorry, {KEY}."}, "request_id": "req_1"}
    script.replies = {"POST /v1/messages/batches": Reply(status, json.dumps(said).encode())}
    with pytest.raises(error) as told:
        submit(provider_at(script.url), ticket())
    assert type(told.value) is error
    assert KEY not in str(told.value) + repr(told.value)
    assert script.asked == ["POST /v1/messages/batches"]  # row 41: nothing is retried


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."}),
        (403, {"type": "billing_error", "message": "x"}),
        (429, {"type": "rate_limit_error", "message": "x", "details": {"error_code": "enforced_spend_limit_reached"}}),
    ],
)
def test_row_22_an_account_without_credit_is_told_as_such(script: Script, status: int, error: dict[str, Any]) -> None:
    said = json.dumps({"type": "error", "error": error}).encode()
    script.replies = {"POST /v1/messages/batches": Reply(status, said)}
    with pytest.raises(OutOfCredit, match=r"Nothing was created\. Pay"):
        submit(provider_at(script.url), ticket())


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b'{"id": "msgb', b"[]", b"null", b"{}", b'{"id": 7}'])
def test_a_reply_of_another_api_leaves_a_doubt_after_create(script: Script, body: bytes) -> None:
    script.replies = {"POST /v1/messages/batches": Reply(body=body)}
    with pytest.raises(ProviderUncertain, match="the job may exist"):
        submit(provider_at(script.url), ticket())


def test_a_job_beyond_the_limit_is_refused_before_anything_is_sent(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic, "MAX_BODY_BYTES", 1_000)
    with pytest.raises(ProviderRefused, match="Lower CJ_REQUEST_MEGABYTES_PER_JOB"):
        submit(provider_at(script.url), ticket())
    assert script.asked == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 529])
def test_a_look_that_fails_says_nothing_about_any_job(script: Script, status: int) -> None:
    script.replies = {LIST: Reply(status, json.dumps({"error": {"message": KEY}}).encode())}
    provider = provider_at(script.url)
    for verb in (lambda: provider.poll({"b"}, now()), lambda: provider.find(ticket(), set())):
        with pytest.raises(ProviderUnreachable, match=f"HTTP {status}") as told:
            verb()
        assert KEY not in str(told.value)


COUNTS = {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        (RUNNING, Phase.RUNNING),
        ({**RUNNING, "processing_status": "canceling"}, Phase.RUNNING),
        ({}, Phase.COMPLETED),
        ({"request_counts": {**COUNTS, "errored": 3}}, Phase.COMPLETED),
        ({"request_counts": {**COUNTS, "succeeded": 1, "expired": 2}}, Phase.EXPIRED),
        ({"request_counts": {**COUNTS, "succeeded": 1, "canceled": 2}}, Phase.CANCELLED),
        ({"cancel_initiated_at": now().isoformat()}, Phase.COMPLETED),
        ({"request_counts": None}, Phase.COMPLETED),
        ({"request_counts": None, "cancel_initiated_at": now().isoformat()}, Phase.CANCELLED),
        ({"processing_status": "ENDED"}, Phase.COMPLETED),
        ({"processing_status": "paused"}, Phase.UNHEARD_OF),
        ({"processing_status": None}, Phase.UNHEARD_OF),
    ],
)
def test_the_end_of_a_job_is_told_by_what_became_of_its_requests(
    script: Script, fields: dict[str, Any], phase: Phase
) -> None:
    assert shown(script, **fields).phase is phase


def test_an_ended_job_without_results_is_waited_for_but_not_for_ever(script: Script) -> None:
    assert shown(script).settled
    assert not shown(script, results_url=None).settled
    assert shown(script, results_url=None, ended_at=(now() - timedelta(minutes=11)).isoformat()).settled
    assert shown(script, results_url=None, archived_at=now().isoformat()).settled


def test_polling_ends_where_the_list_is_older_and_where_it_repeats_itself(script: Script) -> None:
    week_ago = (now() - timedelta(days=7)).isoformat()
    script.replies = {LIST: listed(batch("msgbatch_2"), batch("msgbatch_1", created_at=week_ago))}
    assert set(provider_at(script.url).poll({"msgbatch_1", "msgbatch_2"}, now())) == {"msgbatch_2"}
    endless = {"data": [batch()], "has_more": True, "last_id": "msgbatch_1"}
    script.replies = {LIST: Reply(body=json.dumps(endless).encode())}
    assert set(provider_at(script.url).poll({"msgbatch_1", "msgbatch_2"}, now())) == {"msgbatch_1"}


def ended_minutes_ago(minutes: float) -> ProviderJob:
    at = now() - timedelta(minutes=minutes)
    return ProviderJob("msgbatch_1", Phase.COMPLETED, "ended", at, at, {"output": "msgbatch_1"}, True)


def test_row_42_results_are_asked_of_our_own_address_only(script: Script) -> None:
    with scripted_provider() as elsewhere:
        script.replies = {LIST: listed(batch(results_url=f"{elsewhere.url}/results")), RESULTS: Reply(body=b"{}\n")}
        provider = provider_at(script.url)
        job = provider.poll({"msgbatch_1"}, now())["msgbatch_1"]
        assert fetched(provider, job) == {"output": b"{}\n"}
        assert elsewhere.asked == []


def test_rows_26_and_27_results_come_byte_for_byte(script: Script) -> None:
    body = '{"custom_id": "a\u2028b"}\n\n{"trunc'.encode()
    script.replies = {RESULTS: Reply(body=body)}
    assert fetched(provider_at(script.url), ended_minutes_ago(1)) == {"output": body}


def test_a_download_that_breaks_off_is_no_file(script: Script) -> None:
    script.replies = {RESULTS: Reply(body=b'{"custom_id": "c1"}\n', promised=1000)}
    with pytest.raises(ProviderUnreachable, match="could not be reached"):
        fetched(provider_at(script.url), ended_minutes_ago(1))


@pytest.mark.parametrize(("minutes", "error"), [(1, ProviderUnreachable), (11, ResultsGone)])
def test_rows_19_and_21_results_that_are_not_there_are_late_at_first_and_gone_afterwards(
    script: Script, minutes: int, error: type[CjError]
) -> None:
    with pytest.raises(error):
        fetched(provider_at(script.url), ended_minutes_ago(minutes))


@pytest.mark.parametrize("status", [401, 403, 500])
def test_results_that_another_key_cannot_see_are_not_gone(script: Script, status: int) -> None:
    script.replies = {RESULTS: Reply(status)}
    with pytest.raises(ProviderUnreachable):
        fetched(provider_at(script.url), ended_minutes_ago(60))


OURS = b'\n{"trunc\n{"custom_id": "job-1-x", "result": {"type": "expired"}}\n'
ANOTHERS = b'{"custom_id": "job-10-x", "result": {"type": "expired"}}\n'


def test_an_ended_job_is_ours_if_its_first_readable_answer_is(script: Script) -> None:
    provider = provider_at(script.url)
    script.replies = {LIST: listed(batch()), RESULTS: Reply(body=OURS)}
    found = provider.find(ticket(), set())
    assert found is not None
    assert found.provider_job_id == "msgbatch_1"
    script.replies[RESULTS] = Reply(body=ANOTHERS)
    assert provider.find(ticket(), set()) is None


def test_a_last_line_without_its_line_break_proves_as_well(script: Script) -> None:
    script.replies = {LIST: listed(batch()), RESULTS: Reply(body=OURS.rstrip())}
    assert provider_at(script.url).find(ticket(), set()) is not None


def test_a_running_job_of_the_same_size_leaves_it_undecided(script: Script) -> None:
    script.replies = {LIST: listed(batch(**RUNNING))}
    with pytest.raises(Undecided, match=r"1 jobs of 3 requests.*msgbatch_1.*Nothing is bought"):
        provider_at(script.url).find(ticket(), set())
    assert script.asked == [LIST]


def test_a_proof_ends_the_doubt_about_others_that_run(script: Script) -> None:
    script.replies = {LIST: listed(batch("msgbatch_2", **RUNNING), batch()), RESULTS: Reply(body=OURS)}
    assert provider_at(script.url).find(ticket(), set()) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"request_counts": {**COUNTS, "succeeded": 4}},
        {"archived_at": now().isoformat()},
        {"created_at": (now() - timedelta(minutes=16)).isoformat()},
    ],
)
def test_another_size_an_archived_or_an_older_job_is_not_it(script: Script, fields: dict[str, Any]) -> None:
    script.replies = {LIST: listed(batch(**fields))}
    assert provider_at(script.url).find(ticket(), set()) is None
    assert script.asked == [LIST]


def test_a_job_that_is_known_to_be_another_is_not_looked_into(script: Script) -> None:
    script.replies = {LIST: listed(batch())}
    assert provider_at(script.url).find(ticket(), {"msgbatch_1"}) is None
    assert script.asked == [LIST]


@pytest.mark.parametrize("reply", [Reply(404), Reply(body=b""), Reply(body=b"garbage\n")])
def test_an_ended_job_whose_answers_prove_nothing_leaves_it_undecided(script: Script, reply: Reply) -> None:
    script.replies = {LIST: listed(batch()), RESULTS: reply}
    with pytest.raises(Undecided):
        provider_at(script.url).find(ticket(), set())


def test_a_job_without_counts_may_be_ours(script: Script) -> None:
    script.replies = {LIST: listed(batch(**{**RUNNING, "request_counts": None}))}
    with pytest.raises(Undecided):
        provider_at(script.url).find(ticket(), set())


def test_erasing_removes_the_job_with_its_requests_and_results(script: Script) -> None:
    deleted = Reply(body=b'{"id": "msgbatch_1", "type": "message_batch_deleted"}')
    script.replies = {"DELETE /v1/messages/batches/msgbatch_1": deleted}
    provider = provider_at(script.url)
    (copy,) = provider.erase(ended_minutes_ago(1), None)
    assert (copy.what, copy.provider_name, copy.how) == ("results", "msgbatch_1", Erasure.DELETED)
    script.replies = {}
    (copy,) = provider.erase(ended_minutes_ago(1), None)
    assert copy.how is Erasure.WAS_GONE
    assert list(provider.erase(None, None)) == []


def test_the_judges_account_decides_the_key(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = JudgeSection(id="own", provider="anthropic", model="m", base_url=script.url, account="school")
    with pytest.raises(CjError, match="ANTHROPIC_API_KEY_SCHOOL"):
        provider_for(judge, Settings())
    monkeypatch.setenv("ANTHROPIC_API_KEY_SCHOOL", KEY)
    script.replies = {LIST: listed()}
    served = provider_for(judge, Settings())
    assert (served.name, served.list_is_authoritative, served.limits.requests) == ("anthropic", False, 100_000)
    assert served.poll({"b"}, now()) == {}
