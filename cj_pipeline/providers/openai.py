"""OpenAI's Batch API and every host that speaks it, over the real SDK. Facts: Batch API guide, openai 3.x.

The SDK retries and is not idempotent on create, so it is never allowed to retry here.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cj_pipeline.errors import ProviderBusy, ProviderRefused, ProviderUncertain, ProviderUnreachable
from cj_pipeline.providers.openai_wire import ENDPOINT
from cj_pipeline.providers.protocol import Phase, ProviderJob, Ticket
from cj_pipeline.store import CHUNK_BYTES

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI
    from openai.types import Batch as OpenAIBatch

PAGE = 100  # largest page of batches.list
CLOCK_SKEW = timedelta(minutes=15)  # how far the provider's clock may be behind ours
OUTPUT_GRACE = timedelta(minutes=10)  # a completed job may show its output file a little later
FILE_LIFETIME_SECONDS = 7 * 24 * 3600  # pupils' texts do not stay at the provider longer than that
MAX_QUOTED_CHARS = 500  # of a provider's own words in a message

# The SDK does not check replies: a proxy's login page, half a JSON or a missing field end as one of these.
_NO_REPLY_OF_THIS_API = (ValueError, TypeError, AttributeError)

_PHASES = {
    "validating": Phase.WAITING,
    "in_progress": Phase.RUNNING,
    "finalizing": Phase.RUNNING,
    "cancelling": Phase.RUNNING,
    "completed": Phase.COMPLETED,
    "failed": Phase.FAILED,
    "expired": Phase.EXPIRED,
    "cancelled": Phase.CANCELLED,
}


class OpenAIBatches:
    """The five verbs, for one account. `base_url` None is OpenAI itself; a local host is reached past any proxy."""

    def __init__(
        self,
        *,
        name: str,
        api_key: str,
        base_url: str | None,
        timeout_seconds: float,
        list_is_authoritative: bool,
    ) -> None:
        self.name = name
        self.list_is_authoritative = list_is_authoritative
        self._api_key, self._base_url, self._timeout = api_key, base_url, timeout_seconds

    @functools.cached_property
    def _client(self) -> "OpenAI":
        # imported late: the SDK costs 0.7 s, and most commands never reach a provider
        from openai import DefaultHttpxClient, OpenAI

        loopback = urlsplit(self._base_url or "").hostname in {"127.0.0.1", "::1", "localhost"}
        return OpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            timeout=self._timeout,
            http_client=DefaultHttpxClient(trust_env=False) if loopback else None,
        )

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Upload unless the ticket names a file already, then create. See `BatchProvider.submit`."""
        input_file_id = ticket.input_file_id or self._upload(requests, ticket)
        before_create(input_file_id)
        with self._creating():
            return _shown(
                self._client.batches.create(
                    input_file_id=input_file_id,
                    endpoint=ENDPOINT,
                    completion_window="24h",
                    metadata=dict(ticket.marks),
                    output_expires_after={"anchor": "created_at", "seconds": FILE_LIFETIME_SECONDS},
                )
            )

    def find(self, ticket: Ticket) -> ProviderJob | None:
        """By our own mark in the metadata, or by the uploaded file where a host drops metadata."""
        with self._reading():
            for batch in self._listed(ticket.not_before):
                marked = (batch.metadata or {}).get("cj_job") == ticket.job_id
                if marked or (ticket.input_file_id is not None and batch.input_file_id == ticket.input_file_id):
                    return _shown(batch)
        return None

    def poll(self, provider_job_ids: set[str], not_before: datetime) -> dict[str, ProviderJob]:
        """Newest first, until all are found or the list is older than any of them."""
        found: dict[str, ProviderJob] = {}
        with self._reading():
            for batch in self._listed(not_before):
                if batch.id in provider_job_ids:
                    found[batch.id] = _shown(batch)
                    if len(found) == len(provider_job_ids):
                        break
        return found

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Output and error file, streamed."""
        for name, file_id in job.result_files.items():
            yield name, self._content(file_id)

    def cancel(self, provider_job_id: str) -> None:
        """See `BatchProvider.cancel`."""
        with self._reading():
            self._client.batches.cancel(provider_job_id)

    def _upload(self, requests: IO[bytes], ticket: Ticket) -> str:
        with self._reading():
            # the name carries our job id, so that an upload nobody used can be recognised
            upload = self._client.files.create(
                file=(f"{ticket.job_id}.jsonl", requests, "application/jsonl"),
                purpose="batch",
                expires_after={"anchor": "created_at", "seconds": FILE_LIFETIME_SECONDS},
            )
            return _identified(upload.id)

    @contextmanager
    def _creating(self) -> Iterator[None]:
        """The one call that costs money: a definite no is told from everything after which a job may exist."""
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            if error.status_code in {401, 403}:
                raise ProviderBusy(
                    f"{self.name}: HTTP {error.status_code}. Check the account's key, then run again."
                ) from None
            if error.status_code == 429:
                raise ProviderBusy(
                    f"{self.name}: too many requests for now ({self._said(error)}). Try again later."
                ) from None
            if 400 <= error.status_code < 500 and error.status_code not in {408, 409}:
                raise ProviderRefused(
                    f"{self.name} refused the job: HTTP {error.status_code}, {self._said(error)}"
                ) from None
            raise ProviderUncertain(f"{self.name}: HTTP {error.status_code} on create; the job may exist.") from None
        except (openai.APIError, httpx2.HTTPError, *_NO_REPLY_OF_THIS_API) as error:
            raise ProviderUncertain(f"{self.name}: {type(error).__name__} on create; the job may exist.") from None

    def _listed(self, not_before: datetime) -> Iterator["OpenAIBatch"]:
        for batch in self._client.batches.list(limit=PAGE):
            if _time(batch.created_at) < not_before - CLOCK_SKEW:
                return
            yield batch

    def _content(self, file_id: str) -> Iterator[bytes]:
        with self._reading(), self._client.files.with_streaming_response.content(file_id) as response:
            yield from response.iter_bytes(CHUNK_BYTES)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Calls that create nothing: whatever goes wrong in them says nothing about a job."""
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            hint = " Check the key and project of the account." if error.status_code in {401, 403} else ""
            # the reply itself is not shown: it can quote part of the key
            raise ProviderUnreachable(
                f"{self.name} answered HTTP {error.status_code}.{hint} Nothing was changed."
            ) from None
        except (openai.APIError, httpx2.HTTPError) as error:
            raise ProviderUnreachable(
                f"{self.name} could not be reached ({type(error).__name__}). Nothing was changed; run again."
            ) from None
        except _NO_REPLY_OF_THIS_API as error:
            raise ProviderUnreachable(
                f"{self.name} answered something that is no reply of this API ({type(error).__name__}). "
                "Check base_url and any proxy between. Nothing was changed."
            ) from None

    def _said(self, error: "APIStatusError") -> str:
        body: object = error.body
        said = body.get("message") or body.get("code") if isinstance(body, dict) else None
        return str(said or type(error).__name__).replace(self._api_key, "[key]")[:MAX_QUOTED_CHARS]


def _shown(batch: "OpenAIBatch") -> ProviderJob:
    phase = _PHASES.get(str(batch.status).lower(), Phase.UNHEARD_OF)
    ended = batch.completed_at or batch.failed_at or batch.expired_at or batch.cancelled_at
    files = {"output": batch.output_file_id, "error": batch.error_file_id}
    return ProviderJob(
        provider_job_id=_identified(batch.id),
        phase=phase,
        status=str(batch.status),
        created_at=_time(batch.created_at),
        ended_at=_time(ended) if ended else None,
        result_files={name: file_id for name, file_id in files.items() if file_id},
        settled=_settled(batch, phase),
        failure=_failure(batch),
        failure_code=_failure_code(batch),
    )


def _settled(batch: "OpenAIBatch", phase: Phase) -> bool:
    promised = batch.request_counts.completed if batch.request_counts else 0
    if phase is not Phase.COMPLETED or batch.output_file_id or not promised:
        return True
    return batch.completed_at is not None and datetime.now(UTC) - _time(batch.completed_at) > OUTPUT_GRACE


def _failures(batch: "OpenAIBatch") -> list[Any]:
    """The batch's errors; compatible hosts also send a plain string."""
    errors: Any = batch.errors
    return [errors] if isinstance(errors, str) else list(getattr(errors, "data", None) or [])


def _failure(batch: "OpenAIBatch") -> str | None:
    return "; ".join(_failure_line(error) for error in _failures(batch)[:3]) or None


def _failure_line(error: Any) -> str:
    if isinstance(error, str):
        return error
    return f"{error.code or 'error'}{f' (line {error.line})' if error.line else ''}: {error.message or ''}"


def _failure_code(batch: "OpenAIBatch") -> str | None:
    codes = (getattr(error, "code", None) for error in _failures(batch))
    return next((str(code) for code in codes if code), None)


def _time(moment: float | str) -> datetime:
    """Unix seconds, or ISO 8601 as some compatible hosts write it."""
    if not isinstance(moment, str):
        return datetime.fromtimestamp(moment, UTC)
    read = datetime.fromisoformat(moment)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _identified(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError("a reply without an id")
    return name
