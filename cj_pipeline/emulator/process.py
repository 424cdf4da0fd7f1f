"""Starting the emulator as a process of its own, and recognising one. Imports nothing of the server."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cj_pipeline.errors import CjError

SERVICE = "cj_pipeline emulator"
ADDRESS_FILE = "emulator.json"
LOG_FILE = "emulator.log"
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOG_SHOWN = 2_000  # characters of the log's end in an error

_children: "list[subprocess.Popen[bytes]]" = []  # a child ends with its standard input, so that must stay referenced


class NotStarted(CjError):
    """The emulator's process ended, or did not answer, before it was ready."""


@dataclass(frozen=True, slots=True)
class EmulatorProcess:
    """A running emulator: where it answers, and as which process."""

    url: str
    pid: int
    _child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False, compare=False)

    def stop(self) -> None:
        """End it, if it is still the same process; its folder keeps everything. Returns when it is gone."""
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            return
        if _health(self.url).get("pid") == self.pid:
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _health(self.url).get("pid") == self.pid and time.monotonic() < deadline:
            time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether an emulator of ours is at this address. Never raises, and passes no proxy."""
    return _health(url).get("service") == SERVICE


def start_process(
    *, folder: Path, port: int = 0, seconds_per_phase: float = 0.5, detached: bool = False
) -> EmulatorProcess:
    """Start an emulator on a folder and wait until it answers; one that already serves the folder is taken instead.

    Port 0 takes a free one. A detached emulator outlives this process; any other ends with it, even when this
    process is killed. The log is `folder/emulator.log`. Raises `NotStarted`.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    running = _serving(folder)
    if running is not None and port not in (0, urlsplit(running.url).port):
        raise NotStarted(f"{folder}: an emulator serves this folder at {running.url}. Use that address, or stop it.")
    if running is not None:
        return running
    command = [sys.executable, "-m", "cj_pipeline.emulator", "--folder", str(folder), "--port", str(port)]
    command += ["--seconds-per-phase", str(seconds_per_phase), *([] if detached else ["--stop-with-parent"])]
    with (folder / LOG_FILE).open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 (this interpreter, this package)
            command,
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=detached,
        )
    _children.append(child)
    return _wait_until_ready(child, folder)


def _wait_until_ready(child: "subprocess.Popen[bytes]", folder: Path) -> EmulatorProcess:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        running = _serving(folder)
        if running is not None:
            # another process may have been faster on the same folder; ours then ends by itself
            return EmulatorProcess(running.url, running.pid, child if running.pid == child.pid else None)
        if child.poll() is not None:
            break
        time.sleep(0.02)
    child.kill()
    child.wait()
    end_of_log = (folder / LOG_FILE).read_text(errors="replace")[-_LOG_SHOWN:].strip()
    raise NotStarted(f"{folder}: the emulator did not start. The end of {folder / LOG_FILE} says:\n{end_of_log}")


def _serving(folder: Path) -> EmulatorProcess | None:
    """The emulator that serves this folder now, if any."""
    try:
        address = json.loads((folder / ADDRESS_FILE).read_text())
        url, pid = str(address["url"]), int(address["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return EmulatorProcess(url, pid) if _health(url).get("pid") == pid else None


def _health(url: str) -> Mapping[str, Any]:
    """What /healthz says, or nothing at all if no emulator of ours says it."""
    try:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=2.0)
    except ValueError:
        return {}
    try:
        connection.request("GET", "/healthz")
        said = json.loads(connection.getresponse().read(10_000))
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return said if isinstance(said, dict) and said.get("service") == SERVICE else {}
