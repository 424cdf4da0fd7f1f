"""Anthropic's Message Batches, over the real SDK. Facts: Message Batches guide, anthropic 2.x.

The API keeps no metadata of ours, so a job is recognised by time and size, and by its answers once it ended.
"""

import functools
from collections.abc import Callable, Iterator, Set
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from cj_pipeline.errors import ProviderRefused, ResultsGone, Undecided
from cj_pipeline.providers.anthropic_wire import LIMITS, MAX_BODY_BYTES, request_body
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
from cj_pipeline.providers.protocol import Erased, Phase, ProviderJob, Ticket
from cj_pipeline.providers.result_line import attributed
from cj_pipeline.store import CHUNK_BYTES

if TYPE_CHECKING:
    from anthropic import Anthropic, APIResponse
    from anthropic.types.messages import MessageBatch

ANTHROPIC = "https://api.anthropic.com"  # said outright: the SDK would else obey ANTHROPIC_BASE_URL or a profile
BATCHES = "/v1/messages/batches"
PAGE = 1_000  # largest page of batches.list
HEAD_BYTES = 1 << 16  # chunk in which the first result line is looked for

_RUNNING = {"in_progress", "canceling", "cancelling"}


class AnthropicBatches:
    """The verbs, for one workspace. `base_url` None is Anthropic itself; a local host is reached past any proxy."""

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
        # the SDK's paths begin with /v1
        self._base_url = (base_url or ANTHROPIC).rstrip("/").removesuffix("/v1")
        self._api_key, self._timeout = api_key, timeout_seconds

    @functools.cached_property
    def _client(self) -> "Anthropic":
        # imported late: the SDK costs 1.3 s, and most commands never reach a provider
        from anthropic import Anthropic, DefaultHttpxClient

        return Anthropic(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            timeout=self._timeout,
            http_client=DefaultHttpxClient(trust_env=False) if is_loopback(self._base_url) else None,
        )

    @functools.cached_property
    def _account(self) -> Account:
        import anthropic

        # 529 is Anthropic's own: overloaded, the request was not taken
        return Account(
            self.name, self._api_key, anthropic.APIStatusError, anthropic.APIError, busy=frozenset({429, 529})
        )

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Translate and create; there is no upload. See `BatchProvider.submit`."""
        from anthropic.types.messages import MessageBatch

        body = b"".join(request_body(requests))
        if len(body) > MAX_BODY_BYTES:
            raise ProviderRefused(
                f"{self.name}: job {ticket.job_id} has {len(body):,} bytes of requests, {MAX_BODY_BYTES:,} are the "
                "limit. Lower CJ_REQUEST_MEGABYTES_PER_JOB."
            )
        before_create(None)
        with creating(self._account):
            # our own bytes: the SDK's create would build and hold every request as objects first
            created = self._client.post(
                BATCHES,
                cast_to=MessageBatch,
                content=body,
                options={"headers": {"Content-Type": "application/json"}},
            )
            return _shown(created)

    def find(self, ticket: Ticket, owned: Set[str]) -> ProviderJob | None:
        """By time and size, and by the custom_ids of its answers. Raises `Undecided` while one of its size runs."""
        undecided = []
        with reading(self._account):
            candidates = [
                batch for batch in self._listed(ticket.not_before) if batch.id not in owned and _may_be(batch, ticket)
            ]
        for batch in candidates:
            first = self._first_custom_id(batch)
            if first is None:
                undecided.append(batch.id)
            elif first.startswith(f"{ticket.job_id}-"):
                return _shown(batch)
        if undecided:
            raise Undecided(
                f"{self.name} lists {len(undecided)} jobs of {ticket.items} requests that may be this one "
                f"({', '.join(undecided[:3])}). Which it is shows when they end, within 24 hours. Nothing is bought."
            )
        return None

    def poll(self, provider_job_ids: set[str], not_before: datetime) -> dict[str, ProviderJob]:
        """Newest first, until all are found or the list is older than any of them."""
        with reading(self._account):
            return found_among(self._listed(not_before), provider_job_ids, _shown)

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The one file of results, streamed from our own address: a reply's `results_url` would be sent the key."""
        late = not results_gone_after(job.ended_at, job.created_at)
        gone = f"{self.name} no longer keeps the results of job {job.provider_job_id}."
        for name, batch_id in job.result_files.items():
            yield name, self._results(batch_id, CHUNK_BYTES, gone=None if late else gone)

    def cancel(self, provider_job_id: str) -> None:
        """See `BatchProvider.cancel`."""
        with reading(self._account):
            self._client.messages.batches.cancel(provider_job_id)

    def erase(
        self,
        job: ProviderJob | None,
        input_file_id: str | None,  # noqa: ARG002 (the protocol's; nothing is uploaded here)
    ) -> Iterator[Erased]:
        """The job with its requests and results in one; a job that is not listed cannot be named."""
        if job is not None:
            yield erased(self._account, "results", job.provider_job_id, self._client.messages.batches.delete)

    def _listed(self, not_before: datetime) -> Iterator["MessageBatch"]:
        yield from recent(self._client.messages.batches.list(limit=PAGE), not_before)

    def _first_custom_id(self, batch: "MessageBatch") -> str | None:
        """Of the first result line that can be read; None while there is none."""
        if batch.processing_status != "ended":
            return None
        rest = b""
        try:
            for chunk in self._results(batch.id, HEAD_BYTES, gone="not kept"):
                *whole, rest = (rest + chunk).split(b"\n")
                named = next(filter(None, map(attributed, whole)), None)
                if named is not None:
                    return named[0]
        except ResultsGone:
            return None
        named = attributed(rest)
        return named[0] if named else None

    def _results(self, batch_id: str, chunk_bytes: int, *, gone: str | None) -> Iterator[bytes]:
        with reading(self._account, gone=gone):
            response = cast(
                "APIResponse[Any]",
                self._client.get(
                    f"{BATCHES}/{quote(batch_id, safe='')}/results",
                    cast_to=object,
                    # the SDK's own way to leave a reply unread, which `with_streaming_response` sets too
                    options={"headers": {"Accept": "application/binary", "X-Stainless-Raw-Response": "stream"}},
                ),
            )
            try:
                yield from response.iter_bytes(chunk_bytes)
            finally:
                response.close()


def _may_be(batch: "MessageBatch", ticket: Ticket) -> bool:
    """Whether a job has the size of ours, and answers that could prove it: archived ones have none left."""
    requests = _requests(batch)
    return not batch.archived_at and (requests is None or requests == ticket.items)


def _shown(batch: "MessageBatch") -> ProviderJob:
    created_at = moment(batch.created_at)
    ended_at = moment(batch.ended_at) if batch.ended_at else None
    phase = _phase(batch)
    promised = batch.results_url or batch.archived_at
    return ProviderJob(
        provider_job_id=identified(batch.id),
        phase=phase,
        status=str(batch.processing_status),
        created_at=created_at,
        ended_at=ended_at,
        result_files={"output": batch.id} if phase.ended else {},
        settled=not phase.ended or bool(promised) or results_gone_after(ended_at, created_at),
    )


def _phase(batch: "MessageBatch") -> Phase:
    """How a job ended shows only in what became of its requests; while it runs all of them count as processing."""
    status, counts = str(batch.processing_status).lower(), batch.request_counts
    if status in _RUNNING:
        return Phase.RUNNING
    if status != "ended":
        return Phase.UNHEARD_OF
    if getattr(counts, "canceled", 0) or (counts is None and batch.cancel_initiated_at):
        return Phase.CANCELLED
    return Phase.EXPIRED if getattr(counts, "expired", 0) else Phase.COMPLETED


def _requests(batch: "MessageBatch") -> int | None:
    counts = batch.request_counts
    kinds = ("processing", "succeeded", "errored", "canceled", "expired")
    return sum(getattr(counts, kind, None) or 0 for kind in kinds) if counts else None
