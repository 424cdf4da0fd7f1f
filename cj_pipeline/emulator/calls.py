"""Calls that a fault strikes, and the synchronous calls of both APIs, which are billed as they are answered."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from cj_pipeline.emulator import faults
from cj_pipeline.emulator.answer import Answered, Circumstances, answer, body_sha256, replicate_of
from cj_pipeline.emulator.apis import APIS
from cj_pipeline.emulator.errors import speaks_anthropic
from cj_pipeline.emulator.faults import Meets
from cj_pipeline.emulator.faulty_items import CREDIT_MESSAGE
from cj_pipeline.emulator.hang_up import hang_up
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.requests_file import read_line
from cj_pipeline.emulator.store import Batch, Call, Store

_BUSY = frozenset([faults.CREATE_429, faults.READ_429, faults.SYNC_429, faults.SYNC_503])
_OVERLOADED = frozenset([faults.CREATE_OVERLOADED, faults.SYNC_OVERLOADED])
_NO_CREDIT = frozenset([faults.CREATE_OUT_OF_CREDIT, faults.SYNC_OUT_OF_CREDIT])
_FAILING = frozenset(
    [
        faults.CREATE_500,
        faults.READ_500,
        faults.CREATE_500_AFTER_ACCEPT,
        faults.SYNC_500,
        faults.SYNC_500_AFTER_BILLING,
    ]
)
_DROPPED = frozenset([faults.DROP_CONNECTION_BEFORE_CREATE, faults.READ_DROPPED, faults.SYNC_DROPPED])
_CARRIED_OUT = frozenset([faults.SYNC_500_AFTER_BILLING, faults.SYNC_DROPPED_AFTER_BILLING, faults.SYNC_HANG])
_CLIENT_REQUEST_ID = "x-client-request-id"  # a client's own name for a call, which OpenAI keeps (API overview)


async def strike(request: Request, store: Store, meets: Meets) -> None:
    """Let the next armed fault of this kind strike the call, if there is one. Raises `Refused`."""
    taken = await run_in_threadpool(store.faults.take, meets)
    if taken is not None:
        await _strike_with(request, *taken)


async def settle_create(request: Request, batch: Batch) -> None:
    """After a batch was accepted: whether its creator hears of it. Raises `Refused`."""
    if faults.DROP_CONNECTION_AFTER_CREATE in batch.faults:
        await hang_up(request)
    if faults.CREATE_500_AFTER_ACCEPT in batch.faults:
        await _strike_with(request, faults.CREATE_500_AFTER_ACCEPT, 1.0)


class Calls:
    """Synchronous requests of one API."""

    def __init__(self, store: Store, api: str) -> None:
        self._store, self._api = store, api

    async def answer(self, request: Request) -> Response:
        """One request, one answer; what was answered is on the bill before it is sent."""
        taken = await run_in_threadpool(self._store.faults.take, Meets.SYNC)
        name, value = taken or (None, 0.0)
        if name == faults.SYNC_HTML:
            return HTMLResponse("<!doctype html><title>Sign in</title>")
        if name is not None and name not in _CARRIED_OUT:
            await _strike_with(request, name, value)
        answered, call_id = await run_in_threadpool(self._carry_out, await request.body(), request.headers)
        if name == faults.SYNC_HANG:
            await asyncio.sleep(value)
        if name == faults.SYNC_DROPPED_AFTER_BILLING:
            await hang_up(request)
        if name == faults.SYNC_500_AFTER_BILLING:
            await _strike_with(request, name, value)
        headers = {"request-id" if self._api == "anthropic" else "x-request-id": call_id}
        return JSONResponse(answered.body, answered.status_code, headers=headers)

    def _carry_out(self, body: bytes, headers: Headers) -> tuple[Answered, str]:
        asked = _json_object(body)
        now = self._store.now()
        call_id = f"req_{secrets.token_hex(12)}"
        named = headers.get(_CLIENT_REQUEST_ID, "")
        circumstances = Circumstances(
            call_id.removeprefix("req_"),
            int(now),
            in_batch=False,
            api_version=headers.get("anthropic-version", ""),
            replicate=replicate_of(named),
        )
        answered = answer(APIS[self._api].dialect, asked, circumstances)
        self._store.bill.add_call(
            Call(
                id=call_id,
                api=self._api,
                called_at=now,
                body_sha256=body_sha256(asked),
                status_code=answered.status_code,
                prompt_tokens=answered.tokens.input,
                completion_tokens=answered.tokens.output,
                cached_tokens=answered.tokens.cached,
                cache_write_tokens=answered.tokens.cache_write,
                model=str(asked.get("model") or ""),
                custom_id=named or call_id,
            )
        )
        return answered, call_id


async def _strike_with(request: Request, name: str, value: float) -> None:
    if name in _DROPPED:
        await hang_up(request)
    raise _error(name, value, anthropic=speaks_anthropic(request))


def _error(name: str, value: float, *, anthropic: bool) -> Refused:
    if name in _BUSY:
        headers = {"retry-after": str(int(value))}
        if name == faults.SYNC_503:
            return Refused(503, "The engine is overloaded. Please try again later.", headers=headers)
        return Refused(429, "Rate limit reached. Please try again later.", code="rate_limit_exceeded", headers=headers)
    if name in _OVERLOADED:
        return Refused(529 if anthropic else 503, "Overloaded. Please try again later.")
    if name in _NO_CREDIT and anthropic:
        return Refused(402, CREDIT_MESSAGE)
    if name in _NO_CREDIT:
        code = "billing_hard_limit_reached"
        return Refused(400, "Billing hard limit has been reached.", kind="invalid_request_error", code=code)
    if name in _FAILING or name in _DROPPED:
        return Refused(500, "The server had an error while processing your request.")
    return Refused(400, "The emulator was told to refuse this request.", code="ordered_fault")


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        asked = read_line(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "The request body is not a JSON object.")
    return asked
