"""The verbs over Anthropic's real SDK, against the emulator: what a provider does with a job."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cj_pipeline import emulator
from cj_pipeline.errors import (
    OutOfCredit,
    ProviderBusy,
    ProviderRefused,
    ProviderUncertain,
    ResultsGone,
    Undecided,
)
from cj_pipeline.judging import Answer, ErrorCode, Question
from cj_pipeline.providers import Erasure, Phase, ProviderJob, anthropic, read_result
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line
from cj_pipeline_tests.providers.anthropic_jobs import JUDGE, KEY, fetched, provider_at, requests, submit
from cj_pipeline_tests.providers.job_by_hand import call, created, ended, now, ticket


@pytest.fixture
def provider(emulator_url: str) -> AnthropicBatches:
    call(emulator_url, "DELETE", "/admin/faults")
    call(emulator_url, "POST", "/admin/settings", {"prompt_cache": False, "clock_ahead_seconds": 0})
    return provider_at(emulator_url)


def answers(provider: AnthropicBatches, job: ProviderJob) -> dict[str, Answer]:
    lines = fetched(provider, job)["output"].split(b"\n")
    read = [read_result("anthropic", line, ties=False) for line in lines if line.strip()]
    return {line.custom_id: line.answer for line in read if line}


def test_a_job_goes_from_request_file_to_verdicts(provider: AnthropicBatches) -> None:
    job = submit(provider, ticket("job-whole"))
    assert abs(job.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    job = ended(provider, job)
    assert (job.phase, job.status, job.settled, job.failure) == (Phase.COMPLETED, "ended", True, None)
    read = answers(provider, job)
    assert set(read) == {"job-whole-0", "job-whole-1", "job-whole-2"}
    assert all(answer.verdict and answer.usage and answer.model_reported for answer in read.values())


def test_the_verdict_is_the_same_as_over_the_other_api(provider: AnthropicBatches, emulator_url: str) -> None:
    other = OpenAIBatches(
        name="openai", api_key=KEY, base_url=f"{emulator_url}/v1", timeout_seconds=5, list_is_authoritative=True
    )
    job = other.submit(io.BytesIO(requests(3, "job-same")), ticket("job-same"), lambda _: None)
    while not job.phase.ended:
        job = other.poll({job.provider_job_id}, now())[job.provider_job_id]
    lines = b"".join(next(iter(other.fetch(job)))[1]).splitlines()
    there = {
        line.custom_id: line.answer.verdict
        for line in (read_result("openai", one, ties=False) for one in lines)
        if line
    }
    here = answers(provider, ended(provider, submit(provider, ticket("job-same"))))
    assert {name: answer.verdict for name, answer in here.items()} == there


@pytest.mark.parametrize("fault", ["drop_connection_after_create", "create_500_after_accept"])
def test_an_uncertain_create_is_undecided_while_it_runs_and_found_when_it_ended(
    provider: AnthropicBatches, emulator_url: str, fault: str
) -> None:
    call(emulator_url, "POST", "/admin/faults", {"name": fault})
    one, before = ticket(f"job-{fault}", items=5), created(emulator_url)
    with pytest.raises(ProviderUncertain, match="the job may exist"):
        submit(provider, one, 5)
    assert created(emulator_url) == before + 1  # the SDK did not retry
    deadline, found = time.monotonic() + 20, None
    while found is None:
        assert time.monotonic() < deadline
        try:
            found = provider.find(one, set())
        except Undecided:
            time.sleep(0.02)
    assert set(answers(provider, found)) == {f"job-{fault}-{i}" for i in range(5)}
    assert provider.find(ticket("job-never", items=5), {found.provider_job_id}) is None


def test_a_definite_no_creates_nothing(provider: AnthropicBatches, emulator_url: str) -> None:
    before = created(emulator_url)
    refused = {"create_400": ProviderRefused, "create_out_of_credit": OutOfCredit, "create_overloaded": ProviderBusy}
    for fault, error in refused.items():
        call(emulator_url, "POST", "/admin/faults", {"name": fault})
        with pytest.raises(error):
            submit(provider, ticket("job-no"))
    assert created(emulator_url) == before


def test_row_16_a_custom_id_twice_is_a_definite_no_that_names_it(provider: AnthropicBatches) -> None:
    with pytest.raises(ProviderRefused, match="custom_id"):
        provider.submit(io.BytesIO(requests(1, "twice") * 2), ticket("twice"), lambda _: None)


def test_polling_reads_as_many_pages_as_it_needs(provider: AnthropicBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anthropic, "PAGE", 2)
    jobs = [submit(provider, ticket(f"job-page-{i}"), 1) for i in range(5)]
    wanted = {jobs[0].provider_job_id, jobs[2].provider_job_id, jobs[4].provider_job_id}
    assert set(provider.poll(wanted, now())) == wanted


def test_a_cancelled_job_ends_as_cancelled_with_a_line_for_every_request(tmp_path: Path) -> None:
    process = emulator.start_process(folder=tmp_path, seconds_per_phase=0.3)
    slow = provider_at(process.url)
    job = submit(slow, ticket("job-cancelled"))
    slow.cancel(job.provider_job_id)
    job = ended(slow, job)
    read = answers(slow, job)
    process.stop()
    assert job.phase is Phase.CANCELLED
    assert {answer.error_code for answer in read.values()} == {ErrorCode.CANCELLED}
    assert len(read) == 3


def test_row_21_archived_results_are_gone_and_prove_nothing_any_more(
    provider: AnthropicBatches, emulator_url: str
) -> None:
    job = ended(provider, submit(provider, ticket("job-archived", items=7), 7))
    call(emulator_url, "POST", "/admin/settings", {"clock_ahead_seconds": 30 * 86_400})
    archived = provider.poll({job.provider_job_id}, now())[job.provider_job_id]
    old = replace(archived, ended_at=now() - timedelta(days=30))
    with pytest.raises(ResultsGone, match="no longer keeps the results"):
        fetched(provider, old)
    assert provider.find(ticket("job-archived", items=7), set()) is None


def test_a_marked_prefix_is_written_once_and_then_read(provider: AnthropicBatches, emulator_url: str) -> None:
    call(emulator_url, "POST", "/admin/settings", {"prompt_cache": True})
    question = Question("Write. " * 2_000, "Clarity.", "0" * 16)
    lines = [
        request_line(
            f"job-kept-{i}", encode_body(request_body(JUDGE, question, f"Text {i}.", "B.")), cache_before="ESSAY A"
        )
        for i in range(4)
    ]
    job = provider.submit(io.BytesIO(b"".join(lines)), ticket("job-kept", items=4), lambda _: None)
    usages = [answer.usage for answer in answers(provider, ended(provider, job)).values() if answer.usage]
    assert sorted(usage.cache_write_tokens > 3_000 for usage in usages) == [False, False, False, True]
    assert sorted(usage.cached_tokens > 3_000 for usage in usages) == [False, True, True, True]
    assert len({usage.cached_tokens + usage.cache_write_tokens for usage in usages}) == 1


def test_an_erased_job_is_not_listed_any_more(provider: AnthropicBatches) -> None:
    job = ended(provider, submit(provider, ticket("job-erased")))
    assert [copy.how for copy in provider.erase(job, None)] == [Erasure.DELETED]
    assert provider.poll({job.provider_job_id}, now()) == {}
    assert [copy.how for copy in provider.erase(job, None)] == [Erasure.WAS_GONE]
