"""Closing a connection without an answer, which ASGI has no message for."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_SEND = "cj_pipeline.send"


def with_hang_up(app: ASGIApp) -> ASGIApp:
    """Let handlers inside `app` reach the connection; must be the outermost layer."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, _SEND: send}, receive, send)

    return outermost


async def hang_up(request: Request) -> None:
    """Drop the connection at once; whatever is answered afterwards goes nowhere."""
    cycle = request.scope[_SEND].__self__  # uvicorn's request cycle, the only way to its transport
    cycle.transport.abort()
    while not cycle.disconnected:
        await asyncio.sleep(0)
