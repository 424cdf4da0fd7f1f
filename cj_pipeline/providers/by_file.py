"""Hand-over by file, for `vllm run-batch` and other programs that read a request file and write a result file.

A job is `JOB.requests.jsonl` in a folder; it has ended when `JOB.results.jsonl` lies beside it, whole.
"""

from collections.abc import Callable, Iterator, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cj_pipeline.errors import ProviderBusy, ProviderUnreachable
from cj_pipeline.providers.calls import RESULTS_GRACE
from cj_pipeline.providers.openai_wire import LIMITS
from cj_pipeline.providers.protocol import Erased, Erasure, Phase, ProviderJob, Ticket
from cj_pipeline.store import CHUNK_BYTES, Store

REQUESTS, RESULTS, CANCELLED = "requests", "results", "cancelled"


class FileHandOver:
    """The verbs, over a folder. What it lists is what there is, so a job not found was never handed over."""

    limits = LIMITS
    list_is_authoritative = True

    def __init__(self, *, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def submit(self, requests: IO[bytes], ticket: Ticket, before_create: Callable[[str | None], None]) -> ProviderJob:
        """Put the request file into the folder, whole or not at all. See `BatchProvider.submit`."""
        before_create(None)
        try:
            Store(str(self._folder.absolute())).write(self._path(ticket.job_id, REQUESTS).name, _chunks(requests))
        except OSError as error:
            raise ProviderBusy(self._told(error)) from None
        return self._job(ticket.job_id)

    def find(self, ticket: Ticket, owned: Set[str]) -> ProviderJob | None:
        """The job of that name, if its request file lies there."""
        there = ticket.job_id not in owned and self._is_there(ticket.job_id)
        return self._job(ticket.job_id) if there else None

    def poll(
        self,
        provider_job_ids: set[str],
        not_before: datetime,  # noqa: ARG002 (the protocol's; nothing is listed here)
    ) -> dict[str, ProviderJob]:
        """Ended are the jobs whose results lie there, and those that were cancelled."""
        return {name: self._job(name) for name in sorted(provider_job_ids) if self._is_there(name)}

    def fetch(self, job: ProviderJob) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The one result file; `vllm run-batch` writes errors into it as well."""
        for name, file_name in job.result_files.items():
            yield name, self._content(self._folder / file_name)

    def cancel(self, provider_job_id: str) -> None:
        """Take the request file back. A program that has read it goes on; what it writes is still collected."""
        try:
            self._path(provider_job_id, REQUESTS).replace(self._path(provider_job_id, CANCELLED))
        except OSError as error:
            raise ProviderUnreachable(self._told(error)) from None

    def erase(
        self,
        job: ProviderJob | None,
        input_file_id: str | None,  # noqa: ARG002 (the protocol's; the request file goes by the job's name)
    ) -> Iterator[Erased]:
        """Remove request and result file from the folder."""
        if job is None:
            return
        for what, kinds in {"input": (REQUESTS, CANCELLED), "results": (RESULTS,)}.items():
            paths = [path for path in (self._path(job.provider_job_id, kind) for kind in kinds) if path.exists()]
            for path in paths:
                path.unlink(missing_ok=True)
            yield Erased(what, job.provider_job_id, Erasure.DELETED if paths else Erasure.WAS_GONE)

    def _path(self, job_id: str, kind: str) -> Path:
        return self._folder / f"{job_id}.{kind}.jsonl"

    def _is_there(self, job_id: str) -> bool:
        return any(self._path(job_id, kind).exists() for kind in (REQUESTS, RESULTS, CANCELLED))

    def _job(self, job_id: str) -> ProviderJob:
        kinds = (REQUESTS, RESULTS, CANCELLED)
        requested, answered, cancelled = (_written_at(self._path(job_id, kind)) for kind in kinds)
        phase = Phase.COMPLETED if answered else Phase.CANCELLED if cancelled else Phase.WAITING
        return ProviderJob(
            provider_job_id=job_id,
            phase=phase,
            status=str(phase),
            created_at=requested or cancelled or answered or datetime.now(UTC),
            ended_at=answered or cancelled,
            result_files={"output": self._path(job_id, RESULTS).name} if answered else {},
            settled=answered is None or self._is_whole(job_id, answered),
        )

    def _is_whole(self, job_id: str, written_at: datetime) -> bool:
        """A line for every request, or not written to for a while: the file may still be growing."""
        if datetime.now(UTC) - written_at > RESULTS_GRACE:
            return True
        asked = next((path for kind in (REQUESTS, CANCELLED) if (path := self._path(job_id, kind)).exists()), None)
        return asked is None or _lines(self._path(job_id, RESULTS)) >= _lines(asked)

    def _content(self, path: Path) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                yield from _chunks(file)
        except OSError as error:
            raise ProviderUnreachable(self._told(error)) from None

    def _told(self, error: OSError) -> str:
        return (
            f"{self.name}: {error.filename or self._folder}: {error.strerror or type(error).__name__}. "
            "Correct the folder (CJ_HANDOVER) or its permissions, then run again."
        )


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _written_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
