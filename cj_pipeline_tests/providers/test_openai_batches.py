"""The five verbs over OpenAI's real SDK, against the emulator: what a provider does with a job."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cj_pipeline import emulator
from cj_pipeline.errors import (
    ProviderRefused,
    ProviderUncertain,
)
from cj_pipeline.providers import Erasure, Phase, Ticket, openai, provider_for
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.openai_wire import read_result_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import CHUNK_BYTES
from cj_pipeline_tests.providers.job_by_hand import call, created, ended, now, ticket
from cj_pipeline_tests.providers.openai_jobs import JUDGE, fetched, provider_at, requests, submit


@pytest.fixture
def provider(emulator_url: str) -> OpenAIBatches:
    call(emulator_url, "DELETE", "/admin/faults")
    return provider_at(f"{emulator_url}/v1")


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


def test_the_emulator_answers_for_its_judges_without_a_key(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    served = provider_for(JUDGE, Settings(emulator_url=emulator_url))
    assert (served.name, served.list_is_authoritative) == ("emulator", True)
    assert served.poll({"batch_of_nobody"}, datetime.now(UTC)) == {}
