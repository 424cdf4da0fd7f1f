"""The whole application: both providers' routes over one store and one work, the admin routes, and errors."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp

from cj_pipeline.emulator.admin_app import Admin
from cj_pipeline.emulator.anthropic_app import Anthropic
from cj_pipeline.emulator.errors import error_response
from cj_pipeline.emulator.hang_up import with_hang_up
from cj_pipeline.emulator.keys import KeyRequired
from cj_pipeline.emulator.openai_app import OpenAi
from cj_pipeline.emulator.refused import Refused
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

    apis = [*Anthropic(store, work, seconds_per_phase).routes(), *OpenAi(store, work, seconds_per_phase).routes()]
    app = Starlette(
        routes=[Mount("/v1", middleware=[Middleware(KeyRequired)], routes=apis), *Admin(store).routes()],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[host, *_LOCAL_NAMES], www_redirect=False)],
        exception_handlers={Refused: _refused, HTTPException: _http_error, Exception: _unexpected},
        lifespan=lifespan,
    )
    return with_hang_up(app)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error_response(request, error)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}"
    return error_response(request, Refused(error.status_code, message, headers=error.headers or {}))


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return error_response(request, Refused(500, "The emulator failed; see its log."))
