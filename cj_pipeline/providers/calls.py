"""What a failed call means, for every provider alike: a definite no, a later, a debt, or a doubt.

Neither SDK is idempotent on create, so none is ever allowed to retry, and only a reply that proves that nothing
was created counts as a no. Messages quote a provider's words, never a key.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from cj_pipeline.errors import (
    OutOfCredit,
    ProviderBusy,
    ProviderRefused,
    ProviderUncertain,
    ProviderUnreachable,
    ResultsGone,
)
from cj_pipeline.providers.protocol import Erased, Erasure, ProviderJob

CLOCK_SKEW = timedelta(minutes=15)  # how far the provider's clock may be behind ours
RESULTS_GRACE = timedelta(minutes=10)  # an ended job may show its results a little later
WINDOW = timedelta(hours=24)  # in which both providers end a job
MAX_QUOTED_CHARS = 500  # of a provider's own words in a message

# OpenAI's codes, Anthropic's error type, its words for an empty account, and its codes of spent limits
OUT_OF_CREDIT = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "credit balance",
    "spend_limit_reached",
)

# The SDKs do not check replies: a proxy's login page, half a JSON or a missing field end as one of these.
_NO_REPLY_OF_THIS_API = (ValueError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a call goes to: the provider's name for messages, the key they must not show, its SDK's exceptions.

    `status_error` carries a `status_code` and a `body`. `busy` are the statuses that mean: nothing made, come later.
    """

    name: str
    api_key: str
    status_error: type[Exception]
    sdk_error: type[Exception]
    busy: frozenset[int]


class _Job(Protocol):
    id: str
    created_at: Any


Listed = TypeVar("Listed", bound=_Job)


@contextmanager
def creating(account: Account) -> Iterator[None]:
    """The one call that costs money: a definite no is told from everything after which a job may exist."""
    import httpx2

    try:
        yield
    except account.status_error as error:
        raise _failed_create(account, *_reply(error)) from None
    except (account.sdk_error, httpx2.HTTPError, *_NO_REPLY_OF_THIS_API) as error:
        raise ProviderUncertain(f"{account.name}: {type(error).__name__} on create; the job may exist.") from None


@contextmanager
def reading(account: Account, *, gone: str | None = None, spends: bool = False) -> Iterator[None]:
    """Calls that create nothing: whatever goes wrong in them says nothing about a job.

    Only where the caller knows that a 404 or 410 is final, `gone` says what is told then, as `ResultsGone`.
    `spends` marks a step towards a create, which an empty account may fail: `OutOfCredit`.
    """
    import httpx2

    try:
        yield
    except account.status_error as error:
        status, body = _reply(error)
        if gone is not None and status in {404, 410}:
            raise ResultsGone(gone) from None
        if spends and is_out_of_credit(body):
            raise _out_of_credit(account, body) from None
        hint = " Check the key and project of the account." if status in {401, 403} else ""
        # the reply itself is not shown: it can quote part of the key
        raise ProviderUnreachable(f"{account.name} answered HTTP {status}.{hint} Nothing was changed.") from None
    except (account.sdk_error, httpx2.HTTPError) as error:
        raise ProviderUnreachable(
            f"{account.name} could not be reached ({type(error).__name__}). Nothing was changed; run again."
        ) from None
    except _NO_REPLY_OF_THIS_API as error:
        raise ProviderUnreachable(
            f"{account.name} answered something that is no reply of this API ({type(error).__name__}). "
            "Check base_url and any proxy between. Nothing was changed."
        ) from None


def recent(listed: Iterable[Listed], not_before: datetime) -> Iterator[Listed]:
    """The jobs of a list, newest first, that can have been made since a moment, by the provider's clock."""
    seen: set[str] = set()
    for job in listed:
        # a host that knows no pages gives the first one for ever
        if job.id in seen or moment(job.created_at) < not_before - CLOCK_SKEW:
            return
        seen.add(job.id)
        yield job


def found_among(
    listed: Iterable[Listed], ids: Set[str], shown: Callable[[Listed], ProviderJob]
) -> dict[str, ProviderJob]:
    """The jobs of a list that have these ids, as they stand; the list is read no further than to the last of them.

    Without an id the list is read all the same: that it can be is what `cj doctor` wants to know.
    """
    found = {}
    for job in listed:
        if job.id in ids:
            found[job.id] = shown(job)
            if len(found) == len(ids):
                break
    return found


def erased(account: Account, what: str, provider_name: str, delete: Callable[[str], object]) -> Erased:
    """Delete one copy at the provider; one that is not there any more was gone."""
    try:
        with reading(account, gone=""):
            delete(provider_name)
    except ResultsGone:
        return Erased(what, provider_name, Erasure.WAS_GONE)
    return Erased(what, provider_name, Erasure.DELETED)


def is_out_of_credit(said: object) -> bool:
    """Whether an error's body says that the account must be paid for first."""
    words = json.dumps(said, default=str).lower()
    return any(word in words for word in OUT_OF_CREDIT)


def quoted(account: Account, body: object) -> str:
    """The provider's own message; Anthropic's stands in an envelope, the OpenAI SDK takes it out."""
    within: Any = body.get("error", body) if isinstance(body, dict) else None
    said = within.get("message") or within.get("code") or within.get("type") if isinstance(within, dict) else within
    return str(said or "no reason given").replace(account.api_key, "[key]")[:MAX_QUOTED_CHARS]


def results_gone_after(ended_at: datetime | None, created_at: datetime) -> bool:
    """Whether a job's results, if they are not there now, are not merely late."""
    return datetime.now(UTC) - (ended_at or created_at + WINDOW) > RESULTS_GRACE


def is_loopback(url: str) -> bool:
    """Whether a server is on this machine, and must be reached past any proxy."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}


def moment(value: datetime | float | str) -> datetime:
    """Unix seconds, a time, or ISO 8601 as some compatible hosts write it."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def identified(name: object) -> str:
    """A provider's id. Raises `TypeError` for a reply without one."""
    if not isinstance(name, str) or not name:
        raise TypeError("a reply without an id")
    return name


def _failed_create(account: Account, status: int, body: object) -> Exception:
    if status < 500 and (status == 402 or is_out_of_credit(body)):
        return _out_of_credit(account, body)
    if status in {401, 403}:
        return ProviderBusy(f"{account.name}: HTTP {status}. Check the account's key, then run again.")
    if status in account.busy:
        return ProviderBusy(f"{account.name}: too many requests for now ({quoted(account, body)}). Try again later.")
    if 400 <= status < 500 and status not in {408, 409}:
        return ProviderRefused(f"{account.name} refused the job: HTTP {status}, {quoted(account, body)}")
    return ProviderUncertain(f"{account.name}: HTTP {status} on create; the job may exist.")


def _out_of_credit(account: Account, body: object) -> OutOfCredit:
    return OutOfCredit(
        f"{account.name}: the account has no credit left or has reached its limit ({quoted(account, body)}). "
        "Nothing was created. Pay or raise the limit at the provider."
    )


def _reply(error: Any) -> tuple[int, object]:
    return error.status_code, error.body
