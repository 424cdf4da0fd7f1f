"""Keys: any will do, but there must be one, and it says which project a call belongs to.

`sk-PROJECT-anything` belongs to PROJECT; all other keys share one project. What one project uploads and creates
no other sees, and a new key of the same project sees all of it.
"""

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cj_pipeline.emulator.refused import Refused

SHARED_PROJECT = "default"
_KEY_OF_PROJECT = re.compile(r"sk-([A-Za-z0-9_]+)-.+")


class KeyRequired:
    """As `Authorization: Bearer KEY` or as `x-api-key: KEY`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if not _key(Headers(scope=scope)):
            raise Refused(401, "You didn't provide an API key. Send any, as: Authorization: Bearer KEY")
        await self._app(scope, receive, send)


def project_of(request: Request) -> str:
    """The project that a call's key belongs to."""
    found = _KEY_OF_PROJECT.fullmatch(_key(request.headers))
    return found.group(1) if found else SHARED_PROJECT


def _key(headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else headers.get("x-api-key", "").strip()
