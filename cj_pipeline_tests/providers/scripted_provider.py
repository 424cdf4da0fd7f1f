"""A server that answers as a test tells it, for replies no emulator would give."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """`promised` is a Content-Length beyond what is sent: the connection then breaks off."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    promised: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Script:
    """What is answered to "METHOD /path", and what was asked with which headers. Anything else is a 404."""

    url: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def scripted_provider() -> Iterator[Script]:
    """Serve on loopback until the block ends."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            script.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            call = f"{self.command} {self.path.partition('?')[0]}"
            script.asked.append(call)
            script.headers.append({name.lower(): value for name, value in self.headers.items()})
            reply = script.replies.get(call, Reply(404, b'{"error": {"message": "no such route"}}'))
            self.send_response(reply.status)
            self.send_header("content-type", reply.content_type)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(reply.promised or len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = True

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
