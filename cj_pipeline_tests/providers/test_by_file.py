"""Jobs handed over by file, as `vllm run-batch` takes and gives them."""

import io
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import ProviderBusy, ProviderUnreachable
from cj_pipeline.judging import ErrorCode, Question
from cj_pipeline.providers import Erasure, Phase, ProviderJob, Ticket, provider_for, read_result
from cj_pipeline.providers.by_file import FileHandOver
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line
from cj_pipeline.settings import Settings

JUDGE = JudgeSection(id="own", provider="vllm", model="org/model")
QUESTION = Question("Write.", "Clarity.", "0" * 16)
REQUESTS = b"".join(
    request_line(f"c{i}", encode_body(request_body(JUDGE, QUESTION, f"Text {i}.", "Another."))) for i in range(3)
)
TICKET = Ticket("job-1", "org/model", 3, {}, None, datetime.now(UTC))
ANSWER = b'{"id": "vllm-1", "custom_id": "c0", "response": null, "error": "Internal server error"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "handover"


@pytest.fixture
def provider(folder: Path) -> FileHandOver:
    return FileHandOver(name="vllm", folder=folder)


def submit(provider: FileHandOver, requests: bytes = REQUESTS) -> ProviderJob:
    return provider.submit(io.BytesIO(requests), TICKET, lambda _: None)


def answered(folder: Path, lines: int) -> None:
    (folder / "job-1.results.jsonl").write_bytes(ANSWER * lines)


def look(provider: FileHandOver) -> ProviderJob:
    return provider.poll({"job-1"}, datetime.now(UTC))["job-1"]


def test_a_job_goes_from_request_file_to_answers(provider: FileHandOver, folder: Path) -> None:
    job = submit(provider)
    assert (job.phase, job.result_files) == (Phase.WAITING, {})
    assert (folder / "job-1.requests.jsonl").read_bytes() == REQUESTS
    assert look(provider).phase is Phase.WAITING
    answered(folder, 3)
    job = look(provider)
    assert (job.phase, job.settled) == (Phase.COMPLETED, True)
    ((name, chunks),) = provider.fetch(job)
    assert (name, b"".join(chunks)) == ("output", ANSWER * 3)


def test_row_28_the_one_file_of_vllm_holds_errors_as_words() -> None:
    read = read_result("vllm", ANSWER, ties=False)
    assert read is not None
    assert read.answer.error_code is ErrorCode.SERVER_ERROR


def test_a_result_file_that_still_grows_is_waited_for_but_not_for_ever(provider: FileHandOver, folder: Path) -> None:
    submit(provider)
    answered(folder, 2)
    assert not look(provider).settled
    eleven_minutes_ago = time.time() - 660
    os.utime(folder / "job-1.results.jsonl", (eleven_minutes_ago, eleven_minutes_ago))
    assert look(provider).settled


def test_the_intent_is_recorded_before_the_file_is_there(provider: FileHandOver, folder: Path) -> None:
    seen: list[tuple[str | None, bool]] = []
    provider.submit(io.BytesIO(REQUESTS), TICKET, lambda file_id: seen.append((file_id, folder.exists())))
    assert seen == [(None, False)]


def test_a_file_that_cannot_be_written_whole_is_not_there(provider: FileHandOver, folder: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(ProviderBusy, match=r"No space left on device.*CJ_HANDOVER"):
        provider.submit(Broken(), TICKET, lambda _: None)
    assert list(folder.iterdir()) == []
    assert provider.find(TICKET, set()) is None


def test_a_job_is_found_by_its_name_and_by_nothing_else(provider: FileHandOver) -> None:
    assert provider.find(TICKET, set()) is None
    submit(provider)
    found = provider.find(TICKET, set())
    assert found is not None
    assert found.provider_job_id == "job-1"
    assert provider.poll({"job-2"}, datetime.now(UTC)) == {}
    assert provider.list_is_authoritative


def test_a_cancelled_job_has_ended_and_what_still_comes_is_collected(provider: FileHandOver, folder: Path) -> None:
    submit(provider)
    provider.cancel("job-1")
    assert not (folder / "job-1.requests.jsonl").exists()
    assert look(provider).phase is Phase.CANCELLED
    answered(folder, 3)
    assert look(provider).phase is Phase.COMPLETED
    with pytest.raises(ProviderUnreachable, match="CJ_HANDOVER"):
        provider.cancel("job-1")


def test_erasing_leaves_nothing_in_the_folder(provider: FileHandOver, folder: Path) -> None:
    job = submit(provider)
    answered(folder, 3)

    def erased() -> Iterator[tuple[str, Erasure]]:
        return ((copy.what, copy.how) for copy in provider.erase(job, None))

    assert list(erased()) == [("input", Erasure.DELETED), ("results", Erasure.DELETED)]
    assert list(folder.iterdir()) == []
    assert list(erased()) == [("input", Erasure.WAS_GONE), ("results", Erasure.WAS_GONE)]
    assert list(provider.erase(None, None)) == []


def test_results_that_were_taken_away_are_not_called_gone(provider: FileHandOver, folder: Path) -> None:
    submit(provider)
    answered(folder, 3)
    job = look(provider)
    (folder / "job-1.results.jsonl").unlink()
    with pytest.raises(ProviderUnreachable, match="No such file"):
        [list(chunks) for _, chunks in provider.fetch(job)]


def test_the_request_file_is_what_vllm_reads(provider: FileHandOver, folder: Path) -> None:
    """`vllm run-batch` takes OpenAI's lines; url and model decide what it does with each."""
    submit(provider)
    for line in (folder / "job-1.requests.jsonl").read_bytes().splitlines():
        request = json.loads(line)
        assert set(request) == {"custom_id", "method", "url", "body"}
        assert (request["url"], request["body"]["model"]) == ("/v1/chat/completions", "org/model")


def test_a_host_of_ones_own_is_asked_over_http_and_needs_no_key(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    by_file = provider_for(JUDGE, Settings(handover=folder))
    at_host = provider_for(JUDGE.model_copy(update={"base_url": "http://127.0.0.1:1/v1"}), Settings())
    assert isinstance(by_file, FileHandOver)
    with pytest.raises(ProviderUnreachable, match="vllm could not be reached"):
        at_host.poll({"b"}, datetime.now(UTC))
