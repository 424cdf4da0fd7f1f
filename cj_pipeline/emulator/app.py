"""The whole application: the provider's routes, the admin routes, and errors in the provider's shape.

A further API joins as its own `..._app.py` with routes over the same store and work.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from cj_pipeline.emulator.admin_app import Admin
from cj_pipeline.emulator.hang_up import with_hang_up
from cj_pipeline.emulator.openai_app import OpenAi
from cj_pipeline.emulator.openai_errors import Refused, error_body
from cj_pipeline.emulator.store import Store
from cj_pipeline.emulator.work import Work

_LOCAL_NAMES = ["127.0.0.1", "localhost", "::1", "[::1]"]  # against web pages that rebind their name to us
_log = logging.getLogger(__name__)


def build_app(store: Store, *, host: str, seconds_per_phase: float, when_ready: Callable[[], None]) -> ASGIApp:
    """An ASGI application over an open store; it takes up unfinished work when it starts."""
    work = Work(store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        work.resume()
        when_ready()
        yield
        work.stop()
        store.close()

    app = Starlette(
        routes=[OpenAi(store, work, seconds_per_phase).routes(), *Admin(store).routes()],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[host, *_LOCAL_NAMES], www_redirect=False)],
        exception_handlers={Refused: _refused, HTTPException: _http_error, Exception: _unexpected},
        lifespan=lifespan,
    )
    return with_hang_up(app)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse(error.body, error.status)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}"
    return JSONResponse(error_body(message), error.status_code, headers=error.headers)


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return JSONResponse(error_body("The emulator failed; see its log.", kind="server_error"), 500)
