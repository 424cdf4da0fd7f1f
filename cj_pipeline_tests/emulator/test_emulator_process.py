import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import openai
import pytest

from cj_pipeline import emulator
from cj_pipeline.emulator import EmulatorProcess, NotStarted
from cj_pipeline.emulator.server import NotServed
from cj_pipeline_tests.emulator.emulator_client import (
    ENDED,
    arm,
    bill,
    connect,
    jsonl,
    lines,
    results,
    submit,
    wait_for,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "emulator"


def _killed(process: EmulatorProcess) -> None:
    os.kill(process.pid, signal.SIGKILL)
    while emulator.answers(process.url):
        time.sleep(0.01)


@pytest.mark.parametrize("moment", ["validating", "in_progress", "finalizing"])
def test_a_killed_server_goes_on_where_it_was(folder: Path, moment: str) -> None:
    process = emulator.start_process(folder=folder, seconds_per_phase=0.3)
    with connect(process.url) as client:
        batch = submit(client, jsonl(lines(200)), metadata={"cj_job": "j1"})
        wait_for(client, batch.id, [moment, *ENDED])
    _killed(process)

    process = emulator.start_process(folder=folder, seconds_per_phase=0.3)
    with connect(process.url) as client:
        after = wait_for(client, batch.id)
        assert (after.status, after.metadata) == ("completed", {"cj_job": "j1"})
        assert len(results(client, after.output_file_id)) == 200
    assert bill(process.url)["requests_seen"] == 200
    assert bill(process.url)["asked_more_than_once"] == []
    process.stop()


def test_what_was_accepted_is_on_the_disk_before_the_answer(folder: Path) -> None:
    process = emulator.start_process(folder=folder, seconds_per_phase=0)
    arm(process.url, "lose_lines", 1)
    with connect(process.url) as client:
        batch = submit(client, jsonl(lines(4)))
    os.kill(process.pid, signal.SIGKILL)

    process = emulator.start_process(folder=folder, seconds_per_phase=0)
    with connect(process.url) as client:
        # the fault was ordered for this batch and stays with it
        assert len(results(client, wait_for(client, batch.id).output_file_id)) == 3
    process.stop()


def test_a_cancelled_batch_keeps_what_was_done_and_lists_the_rest_as_cancelled(folder: Path) -> None:
    process = emulator.start_process(folder=folder, seconds_per_phase=1.0)
    with connect(process.url) as client:
        batch = submit(client, jsonl(lines(100)))
        wait_for(client, batch.id, ["in_progress"])
        time.sleep(0.3)
        assert client.batches.cancel(batch.id).status == "cancelling"
        assert client.batches.cancel(batch.id).status == "cancelling"  # asked twice, cancelled once
        batch = wait_for(client, batch.id)
        assert batch.status == "cancelled"
        done, unrun = results(client, batch.output_file_id), results(client, batch.error_file_id)
        assert 0 < len(done) < 100
        assert {answer["custom_id"] for answer in done + unrun} == {f"c{i}" for i in range(100)}
        assert {answer["error"]["code"] for answer in unrun} == {"batch_cancelled"}
        assert batch.request_counts is not None
        assert batch.request_counts.completed == len(done) == bill(process.url)["requests_seen"]
        with pytest.raises(openai.ConflictError, match="cancelled"):
            client.batches.cancel(batch.id)
        # of an answer that was never given no trace is left on the disk
        kept = {batch.input_file_id, batch.output_file_id, batch.error_file_id}
        assert {path.name for path in (folder / "files").iterdir()} == kept
    process.stop()


def test_a_batch_cancelled_while_validating_has_no_files_and_costs_nothing(folder: Path) -> None:
    process = emulator.start_process(folder=folder, seconds_per_phase=0.3)
    with connect(process.url) as client:
        batch = submit(client, jsonl(lines(10)))
        client.batches.cancel(batch.id)
        _killed(process)
        process = emulator.start_process(folder=folder, seconds_per_phase=0.3)
    with connect(process.url) as client:
        batch = wait_for(client, batch.id)
        assert (batch.status, batch.output_file_id, batch.error_file_id) == ("cancelled", None, None)
        assert batch.in_progress_at is None
    assert bill(process.url)["requests_seen"] == 0
    process.stop()


def test_starting_on_a_folder_that_is_served_gives_the_emulator_that_is_there(folder: Path) -> None:
    first = emulator.start_process(folder=folder)
    second = emulator.start_process(folder=folder)
    assert second == first
    with pytest.raises(NotStarted, match=first.url):
        emulator.start_process(folder=folder, port=1)  # it would not answer where it was asked for
    second.stop()
    assert not emulator.answers(first.url)


LATER_COLUMNS = {
    "files": ["project"],
    "batches": ["api", "project", "api_version", "prompt_cache", "cached_tokens", "deleted_at"],
    "items": ["cached_tokens", "cache_write_tokens", "model"],
}


def test_a_folder_of_an_earlier_version_is_opened_and_keeps_its_batches_and_bill(folder: Path) -> None:
    process = emulator.start_process(folder=folder, seconds_per_phase=0.01)
    with connect(process.url) as client:
        batch = wait_for(client, submit(client, jsonl(lines(3))).id)
    before = bill(process.url)
    process.stop()
    with sqlite3.connect(folder / "emulator.sqlite") as database:
        database.executescript("drop view answered; drop view carried_out; drop table calls; drop table settings;")
        for table, columns in LATER_COLUMNS.items():
            for column in columns:
                database.execute(f"alter table {table} drop column {column}")
    database.close()

    process = emulator.start_process(folder=folder, seconds_per_phase=0.01)
    with connect(process.url) as client:
        assert [listed.id for listed in client.batches.list()] == [batch.id]
        assert len(results(client, client.batches.retrieve(batch.id).output_file_id)) == 3
    assert bill(process.url) == before
    process.stop()


def test_two_emulators_cannot_write_to_one_folder(folder: Path) -> None:
    process = emulator.start_process(folder=folder)
    command = [sys.executable, "-m", "cj_pipeline.emulator", "--folder", str(folder)]
    other = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert other.returncode != 0
    assert "another emulator" in other.stderr
    assert "Traceback" not in other.stderr
    assert emulator.answers(process.url)
    process.stop()


def test_a_port_that_is_taken_is_told_with_the_log(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(NotStarted, match="port"):
        emulator.start_process(folder=folder, port=taken.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", ""])
def test_it_listens_on_loopback_only(folder: Path, host: str) -> None:
    with pytest.raises(NotServed, match="loopback"):
        emulator.serve(host=host, port=0, folder=folder, seconds_per_phase=0.1)


def test_it_ends_with_the_process_that_started_it_unless_detached(folder: Path) -> None:
    program = (
        "import sys, pathlib; from cj_pipeline import emulator;"
        "started = [emulator.start_process(folder=pathlib.Path(sys.argv[1]) / name, detached=name == 'kept')"
        " for name in ('bound', 'kept')];"
        "print(*(e.url for e in started), flush=True); import os; os.kill(os.getpid(), 9)"
    )
    parent = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=30, check=False
    )
    bound, kept = parent.stdout.split()
    deadline = time.monotonic() + 10
    while emulator.answers(bound):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert emulator.answers(kept)
    emulator.start_process(folder=folder / "kept").stop()
    assert not emulator.answers(kept)


class _SomeoneElse(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def someone_else() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _SomeoneElse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_another_server_is_not_taken_for_an_emulator(someone_else: str) -> None:
    assert not emulator.answers(someone_else)


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://127.0.0.1:1", "http://127.0.0.1:port"])
def test_no_address_is_no_emulator_and_no_error(url: str) -> None:
    assert emulator.answers(url) is False


def test_importing_the_package_loads_no_server() -> None:
    program = (
        "import sys, cj_pipeline.emulator; print([m for m in ('starlette', 'uvicorn', 'openai') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert shown.stdout.strip() == "[]"
