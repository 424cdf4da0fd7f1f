"""OpenAI's Batch API and every host that speaks it, over the real SDK. Facts: Batch API guide, openai 3.x."""

import functools
from collections.abc import Callable, Iterator, Set
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from cj_pipeline.providers.calls import (
    Account,
    creating,
    erased,
    found_among,
    identified,
    is_loopback,
    moment,
    reading,
    recent,
    results_gone_after,
)
from cj_pipeline.providers.openai_wire import ENDPOINT, LIMITS
from cj_pipeline.providers.protocol import Erased, Phase, ProviderJob, Ticket
from cj_pipeline.store import CHUNK_BYTES

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch as OpenAIBatch

OPENAI = "https://api.openai.com/v1"  # said outright: the SDK would else obey OPENAI_BASE_URL
PAGE = 100  # largest page of batches.list
FILE_LIFETIME_SECONDS = 7 * 24 * 3600  # pupils' texts do not stay at the provider longer than that

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
    """The verbs, for one account. `base_url` None is OpenAI itself; a local host is reached past any proxy."""

    limits = LIMITS

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
        self._api_key, self._base_url, self._timeout = api_key, base_url or OPENAI, timeout_seconds

    @functools.cached_property
    def _client(self) -> "OpenAI":
        # imported late: the SDK costs 0.7 s, and most commands never reach a provider
        from openai import DefaultHttpxClient, OpenAI

        return OpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            timeout=self._timeout,
            http_client=DefaultHttpxClient(trust_env=False) if is_loopback(self._base_url) else None,
        )

    @functools.cached_property
    def _account(self) -> Account:
        import openai

        return Account(self.name, self._api_key, openai.APIStatusError, openai.APIError, busy=frozenset({429}))

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Upload unless the ticket names a file already, then create. See `BatchProvider.submit`."""
        input_file_id = ticket.input_file_id or self._upload(requests, ticket)
        before_create(input_file_id)
        with creating(self._account):
            return _shown(
                self._client.batches.create(
                    input_file_id=input_file_id,
                    endpoint=ENDPOINT,
                    completion_window="24h",
                    metadata=dict(ticket.marks),
                    output_expires_after={"anchor": "created_at", "seconds": FILE_LIFETIME_SECONDS},
                )
            )

    def find(self, ticket: Ticket, owned: Set[str]) -> ProviderJob | None:
        """By our own mark in the metadata, or by the uploaded file where a host drops metadata."""
        with reading(self._account):
            for batch in self._listed(ticket.not_before):
                marked = (batch.metadata or {}).get("cj_job") == ticket.job_id
                uploaded = ticket.input_file_id is not None and batch.input_file_id == ticket.input_file_id
                if (marked or uploaded) and batch.id not in owned:
                    return _shown(batch)
        return None

    def poll(self, provider_job_ids: set[str], not_before: datetime) -> dict[str, ProviderJob]:
        """Newest first, until all are found or the list is older than any of them."""
        with reading(self._account):
            return found_among(self._listed(not_before), provider_job_ids, _shown)

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Output and error file, streamed."""
        late = not results_gone_after(job.ended_at, job.created_at)
        for name, file_id in job.result_files.items():
            gone = f"{self.name} no longer keeps the {name} file of job {job.provider_job_id}."
            yield name, self._content(file_id, gone=None if late else gone)

    def cancel(self, provider_job_id: str) -> None:
        """See `BatchProvider.cancel`."""
        with reading(self._account):
            self._client.batches.cancel(provider_job_id)

    def erase(self, job: ProviderJob | None, input_file_id: str | None) -> Iterator[Erased]:
        """Input, output and error file; the job's own row stays, there is no call that removes it."""
        files = {"input": input_file_id, **(job.result_files if job else {})}
        for what, file_id in files.items():
            if file_id:
                yield erased(self._account, what, file_id, self._client.files.delete)

    def _upload(self, requests: IO[bytes], ticket: Ticket) -> str:
        with reading(self._account, spends=True):
            # the name carries our job id, so that an upload nobody used can be recognised
            upload = self._client.files.create(
                file=(f"{ticket.job_id}.jsonl", requests, "application/jsonl"),
                purpose="batch",
                expires_after={"anchor": "created_at", "seconds": FILE_LIFETIME_SECONDS},
            )
            return identified(upload.id)

    def _listed(self, not_before: datetime) -> Iterator["OpenAIBatch"]:
        yield from recent(self._client.batches.list(limit=PAGE), not_before)

    def _content(self, file_id: str, *, gone: str | None) -> Iterator[bytes]:
        with (
            reading(self._account, gone=gone),
            self._client.files.with_streaming_response.content(file_id) as response,
        ):
            yield from response.iter_bytes(CHUNK_BYTES)


def _shown(batch: "OpenAIBatch") -> ProviderJob:
    phase = _PHASES.get(str(batch.status).lower(), Phase.UNHEARD_OF)
    ended = batch.completed_at or batch.failed_at or batch.expired_at or batch.cancelled_at
    files = {"output": batch.output_file_id, "error": batch.error_file_id}
    created_at, ended_at = moment(batch.created_at), moment(ended) if ended else None
    promised = batch.request_counts.completed if batch.request_counts else 0
    awaited = phase.ended and phase is not Phase.FAILED and promised and not batch.output_file_id
    return ProviderJob(
        provider_job_id=identified(batch.id),
        phase=phase,
        status=str(batch.status),
        created_at=created_at,
        ended_at=ended_at,
        result_files={name: file_id for name, file_id in files.items() if file_id},
        settled=not awaited or results_gone_after(ended_at, created_at),
        failure="; ".join(map(_failure_line, _failures(batch)[:3])) or None,
        failure_code=next((str(code) for code in map(_code, _failures(batch)) if code), None),
    )


def _failures(batch: "OpenAIBatch") -> list[Any]:
    """The batch's errors; compatible hosts also send a bare list or a plain string."""
    errors: Any = batch.errors
    if isinstance(errors, str):
        return [errors]
    return list(errors if isinstance(errors, list) else _part(errors, "data") or [])


def _failure_line(error: Any) -> str:
    if isinstance(error, str):
        return error
    line = _part(error, "line")
    return f"{_code(error) or 'error'}{f' (line {line})' if line else ''}: {_part(error, 'message') or ''}"


def _code(error: Any) -> Any:
    """Hosts that send an error as a string put its code first: "token_limit_exceeded: ..."."""
    if isinstance(error, str):
        return error.partition(":")[0].strip() if ":" in error else None
    return _part(error, "code")


def _part(whole: Any, name: str) -> Any:
    return whole.get(name) if isinstance(whole, dict) else getattr(whole, name, None)
