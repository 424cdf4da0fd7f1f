"""The whole thing as it runs every day: a real `dagster dev`, a folder dropped in, a report at the end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cj_pipeline_tests.installation import Installation, small_batch

PATIENCE_SECONDS = 240


@contextmanager
def dagster_dev(installation: Installation) -> Iterator[None]:
    """Webserver and daemon in the installation's folder, as `make ui` starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
    with (installation.folder / "dev.log").open("ab") as log:
        server = subprocess.Popen(
            command, cwd=installation.folder, env={**os.environ, **installation.environment}, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def wait_until(happened: Callable[[], bool], installation: Installation) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, (installation.folder / "dev.log").read_text("utf-8")[-3000:]
        time.sleep(1)


@pytest.mark.heavy
def test_a_folder_dropped_in_becomes_a_report_with_nobody_touching_anything(installation: Installation) -> None:
    with dagster_dev(installation):
        small_batch(installation.batches / "dropped", model="lexical")
        wait_until(lambda: installation.deployment.store.exists("reports/dropped.html"), installation)
    bill = installation.bill()
    assert (bill["batches_created"], bill["requests_seen"]) == (1, 15)


@pytest.mark.heavy
def test_a_daemon_that_was_stopped_goes_on_where_it_was(installation: Installation) -> None:
    with dagster_dev(installation):
        small_batch(installation.batches / "dropped", model="lexical")
        wait_until(lambda: installation.bill()["batches_created"] == 1, installation)
    with dagster_dev(installation):
        wait_until(lambda: installation.deployment.store.exists("reports/dropped.html"), installation)
    assert installation.bill()["batches_created"] == 1
