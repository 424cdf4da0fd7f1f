"""A scrape over HTTP, or a file for a textfile collector."""

import threading
from pathlib import Path

from prometheus_client import start_http_server, write_to_textfile

from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError
from cj_pipeline.metrics.collector import registry_of


class Served:
    """A running server; `url` is where it is scraped."""

    def __init__(self, deployment: Deployment, host: str, port: int) -> None:
        try:
            self._server, self._thread = start_http_server(port, host, registry_of(deployment))
        except OSError as error:
            raise CjError(
                f"{host}:{port}: {error.strerror or error}. Choose another address or port (0 takes a free one)."
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_port}/metrics"

    def wait(self, stopped: threading.Event) -> None:
        """Serve until the event is set; what is being scraped then is answered first."""
        stopped.wait()
        self._server.shutdown()
        self._thread.join()


def write_metrics(deployment: Deployment, path: Path) -> None:
    """Write all families to a file, which is there whole or not at all. Raises `CjError` where it cannot be written."""
    try:
        write_to_textfile(str(path), registry_of(deployment))
    except OSError as error:
        raise CjError(f"{path}: cannot be written: {error.strerror}. Name a file in a folder that is there.") from error
