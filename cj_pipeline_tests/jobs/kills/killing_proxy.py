"""A server between a purchase and its provider that kills the purchase at a chosen request: before the provider sees
it, or after the provider has answered and before the answer is heard.
"""

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class KillingProxy:
    """Forwards to `upstream`. `url` is its own address; `seen` are the requests of the present purchase."""

    def __init__(self, upstream: str) -> None:
        self.seen: list[str] = []
        self._victim: int | None = None
        self._known = threading.Event()
        self._kill_at: int | None = None
        self._before = False
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(urlsplit(upstream)))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def expect(self, *, kill_at: int | None, before: bool) -> None:
        """Watch the next purchase: kill it at its request number `kill_at`, counted from 1."""
        self.seen, self._victim, self._kill_at, self._before = [], None, kill_at, before
        self._known.clear()

    def victim_is(self, pid: int) -> None:
        self._victim = pid
        self._known.set()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _is_the_one(self, name: str) -> bool:
        with self._lock:
            self.seen.append(name)
            return len(self.seen) == self._kill_at

    def _kill(self) -> None:
        self._known.wait(30)
        assert self._victim is not None
        os.kill(self._victim, signal.SIGKILL)

    def _handler(self, upstream: Any) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_any(self) -> None:
                name = f"{self.command} {urlsplit(self.path).path}"
                chosen = proxy._is_the_one(name)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if chosen and proxy._before:
                    proxy._kill()
                    self.close_connection = True
                    return
                status, headers, reply = self._forwarded(body)
                if chosen:
                    proxy._kill()
                    self.close_connection = True
                    return
                self.send_response(status)
                for key, value in headers:
                    if key.lower() not in _HOP_BY_HOP:
                        self.send_header(key, value)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            do_GET = do_POST = do_DELETE = do_any  # noqa: N815 (the names that http.server calls)

            def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
                connection = http.client.HTTPConnection(upstream.hostname, upstream.port, timeout=60)
                kept = {key: value for key, value in self.headers.items() if key.lower() not in _HOP_BY_HOP}
                connection.request(self.command, self.path, body, kept | {"content-length": str(len(body))})
                response = connection.getresponse()
                reply = response.read()
                connection.close()
                return response.status, response.getheaders(), reply

            def log_message(self, *_: object) -> None:
                return

        return Handler


@contextmanager
def killing_proxy(upstream: str) -> Iterator[KillingProxy]:
    proxy = KillingProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.stop()
