"""A real `dagster dev` in a folder of its own, and what it has made so far."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from cj_pipeline.definitions import ASSETS
from cj_pipeline_tests.installation import Installation

PATIENCE_SECONDS = 240


@contextmanager
def dagster_dev(installation: Installation, *, killed: bool = False) -> Iterator[None]:
    """Webserver and daemon in the installation's folder, as `make ui` starts them; stopped, or killed with its runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
    with (installation.folder / "dev.log").open("ab") as log:
        server = subprocess.Popen(
            command,
            cwd=installation.folder,
            env={**os.environ, **installation.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            if killed:
                os.killpg(server.pid, signal.SIGKILL)
            else:
                server.send_signal(signal.SIGINT)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)  # it would go on in a folder that is gone
                raise


def wait_until(happened: Callable[[], bool], installation: Installation) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, (installation.folder / "dev.log").read_text("utf-8")[-3000:]
        time.sleep(1)


def materialised(installation: Installation, batch_id: str) -> set[str]:
    """Assets of a batch that Dagster's own records show as made."""
    with dg.DagsterInstance.from_config(str(installation.folder)) as instance:
        return {
            asset.key.to_user_string()
            for asset in ASSETS
            if batch_id in instance.get_materialized_partitions(asset.key)
        }
