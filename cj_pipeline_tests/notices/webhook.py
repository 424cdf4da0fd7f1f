"""A webhook as a chat service has one: a real HTTP server that keeps what it was sent, or refuses it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """`received` are the bodies it took; while `status` is no 2xx it takes nothing."""

    url: str = ""
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [notice for body in self.received for notice in body["notices"]]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listens on a free port until the end of the block. Its address ends in a token, as those of chat services do."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if hook.status < 300:
                hook.received.append(json.loads(body))
            self.send_response(hook.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hooks/secret-token"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
