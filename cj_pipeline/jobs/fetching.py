"""What a provider sent, kept byte for byte and hashed before anything is read; and read again only as it was."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError, JobBusy, ProviderUnreachable, ResultsGone
from cj_pipeline.jobs.call_answers import remove_answers, result_file
from cj_pipeline.jobs.job import RESULTS_GONE, Job, LostRace, State, advance
from cj_pipeline.jobs.judges import provider_of
from cj_pipeline.jobs.leases import job_lease
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.polling import created_by
from cj_pipeline.providers import Phase, ProviderJob, Transport
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store, Written

log = logging.getLogger(__name__)

FILES = ("output", "error")
RECORD = "job.json"  # the provider's own record of the job, and the hashes of the files


def fetch(ledger: Ledger, store: Store, batch: Batch, settings: Settings, job: Job) -> Job:
    """Store the result files of an ended job as they came, and say so in the ledger.

    When the provider does not give them, those of an earlier fetch are taken if the store has them (the ledger may
    be older than the store, or another process was here a moment ago); without any, a job whose results are gone
    goes on without results.
    """
    if job.transport is Transport.CALLS:
        return _gathered(ledger, store, job)
    try:
        columns = _stored_from_provider(store, batch, settings, job)
    except ProviderUnreachable:
        earlier = fetched_before(store, job)
        if earlier is None:
            raise
        columns = earlier
    except ResultsGone as error:
        columns = fetched_before(store, job) or {"failure_code": RESULTS_GONE, "reason": str(error)}
        if "reason" in columns:
            log.error("job %s of batch %s: %s", job.job_id, job.batch_id, error)
    return advance(ledger, job, State.FETCHED, fetched_at=utc_now(), **columns)


def _gathered(ledger: Ledger, store: Store, job: Job) -> Job:
    """The answers to a job's calls as one result file in their place. Raises `LostRace` while another does the same."""
    try:
        with job_lease(ledger, job.job_id):
            columns = fetched_before(store, job)
            if columns is None:
                written = {"output": store.write(path_of(job, "output"), result_file(ledger, store, job))}
                columns = _recorded(store, job, written, {name: getattr(job, name) for name in _OF_THE_JOB})
            remove_answers(store, job)
            return advance(ledger, job, State.FETCHED, fetched_at=utc_now(), **columns)
    except JobBusy as error:
        raise LostRace(str(error)) from None


def fetched_before(store: Store, job: Job) -> dict[str, Any] | None:
    """What the ledger should say of a job whose results the store has, whole; None when it has not.

    A job's name is a hash of all it asks, so its files in the store prove that it was bought, whatever the ledger
    (restored from a backup, say) or the provider (whose copy was removed) knows of it.
    """
    path = f"jobs/{job.batch_id}/{job.job_id}/{RECORD}"
    if not store.exists(path):
        return None
    record = json.loads(store.read(path))
    paths = {name: path_of(job, name) for name in record["files"]}
    if not all(store.exists(path) for path in paths.values()):
        return None
    columns = {f"{name}_path": path for name, path in paths.items()}
    return columns | {f"{name}_sha256": sha256 for name, sha256 in record["files"].items()} | record["job"]


def fetch_again(store: Store, batch: Batch, settings: Settings, job: Job) -> None:
    """Bring back raw files that are missing from the store. Raises `ResultsGone`, or `CjError` if they differ now."""
    if job.transport is Transport.CALLS:
        raise ResultsGone(
            f"job {job.job_id}: answers to calls are kept nowhere but in the store. Restore {path_of(job, 'output')} "
            "from a backup."
        )
    columns = _stored_from_provider(store, batch, settings, job)
    for name in FILES:
        expected, found = getattr(job, f"{name}_sha256"), columns.get(f"{name}_sha256")
        if expected != found:
            raise CjError(
                f"job {job.job_id}: the provider's {name} file is not the one that was read before. Restore "
                f"{path_of(job, name)} from a backup of the store."
            )


def result_lines(store: Store, job: Job) -> Iterator[bytes]:
    """The lines of a job's raw files. Raises `CjError` when a file is missing or is not what was fetched."""
    for name in FILES:
        path, sha256 = getattr(job, f"{name}_path"), getattr(job, f"{name}_sha256")
        if path is None:
            continue
        digest = hashlib.sha256()
        try:
            for line in store.lines(path, digest.update):
                if line and not line.isspace():
                    yield line
        except FileNotFoundError:
            raise CjError(
                f"job {job.job_id}: its raw answers ({path}) are not in the store. Restore them from a backup, or, "
                f"while the provider still has them, run `cj jobs fetch-again {job.job_id}`."
            ) from None
        if sha256 is not None and digest.hexdigest() != sha256:
            raise CjError(
                f"job {job.job_id}: {path} is not the file that was fetched (its SHA-256 changed). Restore it from a "
                f"backup, or run `cj jobs fetch-again {job.job_id}`."
            )


def path_of(job: Job, name: str) -> str:
    """Where a raw file of a job lies in the store."""
    return f"jobs/{job.batch_id}/{job.job_id}/{name}.jsonl"


def _stored_from_provider(store: Store, batch: Batch, settings: Settings, job: Job) -> dict[str, Any]:
    provider = provider_of(batch, job, settings)
    shown = provider.poll({str(job.provider_job_id)}, created_by(job)).get(str(job.provider_job_id))
    if shown is None:
        raise ProviderUnreachable(
            f"job {job.job_id}: the provider does not list it now. Check that the key belongs to the project or "
            f"workspace of account {job.account!r}. Nothing was changed."
        )
    written = {name: store.write(path_of(job, name), chunks) for name, chunks in provider.fetch(shown)}
    columns = _recorded(store, job, written, _as_columns(shown))
    return {name: value for name, value in columns.items() if name not in _OF_THE_JOB}


def _recorded(
    store: Store, job: Job, written: Mapping[str, Written], of_the_job: Mapping[str, str | None]
) -> dict[str, Any]:
    """Write the record beside the files, last, so that its presence says that all of them are there."""
    files = {name: file.sha256 for name, file in written.items()}
    record = {"files": files, "job": of_the_job}
    store.write(f"jobs/{job.batch_id}/{job.job_id}/{RECORD}", [json.dumps(record, indent=1).encode()])
    paths = {f"{name}_path": file.path for name, file in written.items()}
    return paths | {f"{name}_sha256": sha256 for name, sha256 in files.items()} | dict(of_the_job)


# what a job.json says of the job itself
_OF_THE_JOB = ("provider_job_id", "phase", "submitted_at", "ended_at", "reason", "failure_code")


def _as_columns(shown: ProviderJob) -> dict[str, str | None]:
    return {
        "provider_job_id": shown.provider_job_id,
        "phase": str(shown.phase),
        "submitted_at": shown.created_at.isoformat(timespec="microseconds"),
        "ended_at": shown.ended_at.isoformat() if shown.ended_at else None,
        "reason": shown.failure if shown.phase is Phase.FAILED else None,
        "failure_code": shown.failure_code,
    }
