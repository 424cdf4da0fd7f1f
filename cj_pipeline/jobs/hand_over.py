"""Jobs that are run by hand: which request files wait, and which job a result file answers."""

from collections.abc import Iterator
from pathlib import Path

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.job import Job, State, jobs_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.providers import read_result
from cj_pipeline.settings import Settings
from cj_pipeline.store import CHUNK_BYTES, Store

BY_HAND = "vllm"


def waiting_requests(ledger: Ledger, store: Store, batch_id: str) -> Iterator[tuple[Job, bytes]]:
    """The batch's jobs that wait for a result file, with their request files. Raises `CjError` when there are none."""
    waiting = _waiting(ledger, batch_id)
    if not waiting:
        raise CjError(
            f"batch {batch_id}: no job waits to be run by hand. Jobs of a {BY_HAND} judge without base_url do, "
            f"once `cj run {batch_id}` has handed them over."
        )
    for job in waiting:
        yield job, store.read(job.request_path)


def import_result_file(ledger: Ledger, batch: Batch, settings: Settings, path: Path) -> tuple[Job, int]:
    """Put a result file where the job's answers are looked for; returns the job and how many lines answer it.

    Raises `CjError` when the file answers no waiting job, or several.
    """
    waiting = {job.job_id: job for job in _waiting(ledger, batch.batch_id)}
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise CjError(f"{path}: cannot be read ({error.strerror}).") from None
    named = [read.custom_id.partition("-")[0] for line in lines if (read := read_result(BY_HAND, line, ties=True))]
    answered = sorted(set(named) & waiting.keys())
    if len(answered) != 1:
        found = f"answers {' and '.join(answered)}" if answered else "answers no job that waits"
        raise CjError(
            f"{path}: {found}. Give the output of `vllm run-batch` for one request file of {batch.batch_id}; "
            f"waiting are {', '.join(sorted(waiting)) or 'none'}."
        )
    job = waiting[answered[0]]
    with path.open("rb") as file:
        Store(str(settings.handover.absolute())).write(
            f"{job.job_id}.results.jsonl", iter(lambda: file.read(CHUNK_BYTES), b"")
        )
    return job, named.count(job.job_id)


def _waiting(ledger: Ledger, batch_id: str) -> list[Job]:
    return [
        job
        for job in jobs_of(ledger, batch_id)
        if job.provider == BY_HAND and not job.base_url and job.state is State.SUBMITTED
    ]
