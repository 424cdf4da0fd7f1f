"""The five verbs every provider speaks, and what they hand over. Nothing here knows the ledger or a batch."""

from collections.abc import Callable, Iterator, Mapping
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


class BatchProvider(Protocol):
    """A batch API. Every method may raise `ProviderUnreachable`, which says nothing about any job."""

    name: str
    # False where a list may lag behind a create, so that a job not found may still exist
    list_is_authoritative: bool

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Create the job, once.

        `before_create` is called with the id of the uploaded input file (or None) when only the create call
        itself remains; it must make the intent durable. Raises `ProviderRefused` (nothing exists),
        `ProviderBusy` (nothing exists, try later) or `ProviderUncertain` (reconcile with `find`).
        """
        ...

    def find(self, ticket: Ticket) -> ProviderJob | None:
        """The job made from a ticket whose `submit` was uncertain, if the provider lists it."""
        ...

    def poll(self, provider_job_ids: set[str], not_before: datetime) -> dict[str, ProviderJob]:
        """The jobs as they stand, by listing; those the provider does not list are left out."""
        ...

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The result files of an ended job, each as a name ("output", "error") and its bytes in chunks."""
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Ask the provider to stop a job. What ran until then is billed and fetched as usual."""
        ...
