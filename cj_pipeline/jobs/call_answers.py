"""The answers to synchronous calls in the store: one file each as they come, one result file when all have an end."""

from collections.abc import Iterator

from cj_pipeline.errors import CjError
from cj_pipeline.jobs.call_book import CallState, states_of
from cj_pipeline.jobs.job import Job
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.providers import Phase, unrun_line
from cj_pipeline.store import Store

_UNRUN = {CallState.EXPIRED: Phase.EXPIRED, CallState.CANCELLED: Phase.CANCELLED}


def keep_answer(store: Store, job: Job, custom_id: str, line: bytes) -> None:
    """Store one answer as it came, as a line of the provider's results."""
    store.write(_path(job, custom_id), [line, b"\n"])


def kept_answers(store: Store, job: Job) -> set[str]:
    """The custom_ids whose answers are in the store."""
    return {path.rpartition("/call-")[2].removesuffix(".json") for path in store.paths(_path(job, "*"))}


def remove_answers(store: Store, job: Job) -> None:
    """Take the single answers away, once the result file holds them all; half-written ones of dead processes too."""
    for path in store.paths(_path(job, "*"), _path(job, "*") + ".*"):
        store.remove(path)


def result_file(ledger: Ledger, store: Store, job: Job) -> Iterator[bytes]:
    """The lines of the job's result file, in the order of its requests; a call in doubt has none.

    Raises `CjError` when an answer that came is no longer in the store.
    """
    states, kept = states_of(ledger, job), kept_answers(store, job)
    for custom_id in store.read_parquet(job.items_path)["custom_id"].to_pylist():
        state = states.get(custom_id)
        if custom_id in kept:
            yield store.read(_path(job, custom_id))
        elif state is CallState.ANSWERED:
            raise CjError(
                f"job {job.job_id}: the answer {_path(job, custom_id)} is not in the store. Restore it from a backup, "
                f"or `cj jobs give-up {job.job_id}`: it is booked at its upper bound and can be asked again."
            )
        elif state in _UNRUN:
            yield unrun_line(job.provider, custom_id, _UNRUN[state]) + b"\n"


def _path(job: Job, custom_id: str) -> str:
    return f"jobs/{job.batch_id}/{job.job_id}/call-{custom_id}.json"
