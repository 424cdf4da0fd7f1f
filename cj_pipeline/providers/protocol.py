"""The verbs every provider speaks, how its copy of our data goes, and what they hand over.

Nothing here knows the ledger or a batch.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Protocol


class Phase(StrEnum):
    """Where a job stands at the provider, in words common to all providers."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNHEARD_OF = "unheard_of"  # a status this version does not know; never taken for an end

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self in {Phase.COMPLETED, Phase.FAILED, Phase.EXPIRED, Phase.CANCELLED}


class Transport(StrEnum):
    """How a job's requests reach the provider: as one batch job there, or by one synchronous call each."""

    BATCH = "batch"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What identifies one of our jobs towards a provider, before and after it was created.

    `marks` go out as metadata and hold no more than hashes. `items` is the number of requests.
    """

    job_id: str
    model: str
    items: int
    marks: Mapping[str, str]
    input_file_id: str | None
    not_before: datetime


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """A job as the provider shows it. `status` is its own word, `failure` its own reason for a failed job.

    `result_files` maps "output" and "error" to what `fetch` needs. `settled` is False while a job calls
    itself done but promised results are not there yet.
    """

    provider_job_id: str
    phase: Phase
    status: str
    created_at: datetime
    ended_at: datetime | None
    result_files: Mapping[str, str]
    settled: bool
    failure: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What one job may hold at the most: requests, and bytes of the request file as the provider counts them."""

    requests: int
    request_bytes: int


class Erasure(StrEnum):
    """What became of a provider's copy."""

    DELETED = "deleted"
    WAS_GONE = "was gone"


@dataclass(frozen=True, slots=True)
class Erased:
    """A copy at the provider that is no longer there: `what` is input, output, error or results."""

    what: str
    provider_name: str
    how: Erasure


class BatchProvider(Protocol):
    """A batch API. Every method may raise `ProviderUnreachable`, which says nothing about any job."""

    name: str
    limits: JobLimits
    # False where a list may lag behind a create, so that a job not found may still exist
    list_is_authoritative: bool

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Create the job, once.

        `before_create` is called with the id of the uploaded input file (or None) when only the create call
        itself remains; it must make the intent durable. Raises `ProviderRefused` (nothing exists),
        `ProviderBusy` (nothing exists, try later), `OutOfCredit` (nothing exists, somebody must pay first) or
        `ProviderUncertain` (reconcile with `find`).
        """
        ...

    def find(self, ticket: Ticket, owned: Set[str]) -> ProviderJob | None:
        """The job made from a ticket, if the provider lists it; `owned` are provider ids known to be other jobs'.

        Raises `Undecided` when a job is listed that may or may not be it, and only time can tell.
        """
        ...

    def poll(self, provider_job_ids: set[str], not_before: datetime) -> dict[str, ProviderJob]:
        """The jobs as they stand, by listing; those the provider does not list are left out."""
        ...

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The result files of an ended job, each as a name ("output", "error") and its bytes in chunks.

        Raises `ResultsGone` when the provider says for certain that it keeps them no longer.
        """
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Ask the provider to stop a job. What ran until then is billed and fetched as usual."""
        ...

    def erase(self, job: ProviderJob | None, input_file_id: str | None) -> Iterator[Erased]:
        """Remove what the provider still keeps of an ended job, copy by copy.

        `job` is None when the provider lists it no longer; then only the input file can be removed.
        """
        ...


class Caller(Protocol):
    """A provider's synchronous endpoint, for the event loop it was opened in."""

    name: str

    async def call(self, line: bytes) -> bytes:
        """Make the call of a request line, once; what was answered, as a line of the provider's batch results.

        A definite no to this request is an answer. Raises `TurnedAway` (not done, ask later), `ProviderBusy`,
        `OutOfCredit` or `ProviderUnreachable` (not done, and no other call would be), and `ProviderUncertain` when
        it may have been done, and billed, without our hearing of it.
        """
        ...

    async def close(self) -> None:
        """Let its connections go."""
        ...
