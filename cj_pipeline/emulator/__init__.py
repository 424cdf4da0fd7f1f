"""A local server that speaks both providers' batch APIs, and its offline judges. No exam may rest on it.

It lets the whole pipeline run on one machine, through the real SDKs, for nothing. Importing this costs little:
the server itself is loaded only where it serves.
"""

from pathlib import Path

from cj_pipeline.emulator.process import EmulatorProcess, NotStarted, answers, start_process

__all__ = ["EmulatorProcess", "NotStarted", "answers", "serve", "start_process"]


def serve(*, host: str = "127.0.0.1", port: int, folder: Path, seconds_per_phase: float) -> None:
    """Serve a folder on loopback until stopped; prints one line when ready. See `server.serve`."""
    from cj_pipeline.emulator.server import serve as serve_here

    serve_here(host=host, port=port, folder=folder, seconds_per_phase=seconds_per_phase)
