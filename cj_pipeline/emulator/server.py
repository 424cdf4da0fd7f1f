"""Serving the emulator on this machine's loopback address, and nowhere else."""

import contextlib
import ipaddress
import json
import math
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from cj_pipeline.emulator.app import build_app
from cj_pipeline.emulator.process import ADDRESS_FILE
from cj_pipeline.emulator.store import Store
from cj_pipeline.errors import CjError


class NotServed(CjError):
    """The emulator cannot listen where it was told to."""


def serve(
    *, host: str = "127.0.0.1", port: int, folder: Path, seconds_per_phase: float, stop_with_parent: bool = False
) -> None:
    """Serve a folder until told to stop (Ctrl-C or SIGTERM); prints one line when ready.

    Port 0 takes a free one. The address is written to `folder/emulator.json`. With `stop_with_parent` the end
    of standard input ends the server. Raises `NotServed` and `FolderInUse`.
    """
    if not _is_loopback(host):
        raise NotServed(f"{host}: the emulator asks for no real key, so it listens on loopback only. Use 127.0.0.1.")
    if not 0 <= seconds_per_phase < math.inf:
        raise NotServed(f"{seconds_per_phase} seconds per phase: give a number from 0 up.")
    store = Store.open(folder)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        store.close()
        raise NotServed(f"{host}:{port}: {error.strerror}. Choose another port, or 0 for a free one.") from error
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{listening.getsockname()[1]}"

    def when_ready() -> None:
        _write_address(folder, url)
        sys.stdout.write(f"emulator with offline judges (no exam may rest on it) at {url}, state in {folder}\n")
        sys.stdout.flush()

    app = build_app(store, host=host, seconds_per_phase=seconds_per_phase, when_ready=when_ready)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5))
    if stop_with_parent:
        threading.Thread(target=_stop_at_end_of_input, args=[server], daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after a graceful end
        server.run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _write_address(folder: Path, url: str) -> None:
    partial = folder / f"{ADDRESS_FILE}.partial"
    partial.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    partial.replace(folder / ADDRESS_FILE)


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1 << 16):
        pass
    server.should_exit = True
