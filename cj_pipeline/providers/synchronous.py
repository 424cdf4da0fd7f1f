"""What the reply to a synchronous call means, for every provider alike: an answer, a later, a debt, or a doubt.

A call cannot be found again at any provider, so none is ever repeated unless it surely was not carried out.
"""

import json
from collections.abc import Awaitable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from cj_pipeline.errors import OutOfCredit, ProviderBusy, ProviderUncertain, ProviderUnreachable, TurnedAway
from cj_pipeline.providers.calls import Account, is_loopback, is_out_of_credit, quoted

if TYPE_CHECKING:
    import httpx2

MOST_CONNECTIONS = 64  # as many as there are calls in the largest bundle
# A kept connection that the provider closes while we begin to use it loses a call in doubt, so none is kept long:
# servers close idle ones after five seconds at the earliest (uvicorn's default; nginx 75 s).
KEEPALIVE_SECONDS = 2.0
OVERLOADED = 529  # Anthropic's own: the request was not taken
UNAVAILABLE = 503  # not taken only where it says when to come back
CONFLICTS = frozenset({408, 409})  # the request may have been carried out all the same


def limits() -> "httpx2.Limits":
    """Of a client that makes one bundle's calls."""
    import httpx2

    return httpx2.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEEPALIVE_SECONDS)


def client_options(base_url: str) -> dict[str, Any]:
    """How such a client reaches a host: one on this machine past any proxy."""
    return {"limits": limits(), "trust_env": not is_loopback(base_url)}


async def reply_to(account: Account, call: "Awaitable[httpx2.Response]") -> "httpx2.Response":
    """The reply to a call that is in itself an answer: a good one, or a definite no to this request.

    Raises `TurnedAway`, `ProviderBusy`, `OutOfCredit`, `ProviderUnreachable` (not carried out) and
    `ProviderUncertain` (perhaps carried out).
    """
    import httpx2

    never_left = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
    try:
        return await call
    except account.status_error as error:
        return _answer_or_raise(account, error)
    except (account.sdk_error, httpx2.HTTPError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, never_left):
            raise ProviderUnreachable(
                f"{account.name} could not be reached ({type(cause).__name__}). The call was not made; run again."
            ) from None
        raise ProviderUncertain(
            f"{account.name}: {type(cause).__name__} on a call; it may have been answered."
        ) from None


def one_line_of_json(body: bytes) -> bytes:
    """A reply's body as it may stand in a result line; what is no JSON becomes a string of it, and loses nothing."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return json.dumps(body.decode("latin-1")).encode()
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text).encode()
    # raw line breaks are legal between the parts of a JSON text only, never within its strings
    return body.strip().replace(b"\r", b" ").replace(b"\n", b" ")


def retry_after(headers: "httpx2.Headers") -> float | None:
    """Seconds that a provider asks to wait (RFC 9110 §10.2.3, and OpenAI's retry-after-ms); None if it does not."""
    said = headers.get("retry-after")
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(said)) if said is not None else None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(str(said)) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _answer_or_raise(account: Account, error: Any) -> "httpx2.Response":
    status, body, response = error.status_code, error.body, error.response
    pause = retry_after(response.headers)
    if status < 500 and (status == 402 or is_out_of_credit(body)):
        raise OutOfCredit(
            f"{account.name}: the account has no credit left or has reached its limit ({quoted(account, body)}). "
            "The call was not carried out. Pay or raise the limit at the provider."
        ) from None
    if status in {401, 403}:
        raise ProviderBusy(f"{account.name}: HTTP {status}. Check the account's key, then run again.") from None
    if status in account.busy or status == OVERLOADED or (status == UNAVAILABLE and pause is not None):
        raise TurnedAway(f"{account.name}: HTTP {status} ({quoted(account, body)})", pause) from None
    if 400 <= status < 500 and status not in CONFLICTS:
        return response
    raise ProviderUncertain(f"{account.name}: HTTP {status} on a call; it may have been carried out.") from None
