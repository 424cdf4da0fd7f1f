"""The request file of a job, read again: only as it was planned and priced, to the byte."""

import hashlib
from collections.abc import Mapping

from cj_pipeline.errors import CjError
from cj_pipeline.jobs.job import Job
from cj_pipeline.jobs.spending import bound_of
from cj_pipeline.providers import TokenPrice
from cj_pipeline.providers.openai_wire import body_bytes, read_request_line
from cj_pipeline.store import CHUNK_BYTES, Store


def refuse_changed_requests(store: Store, job: Job) -> None:
    """Raise `CjError` when the file is not the one that was planned."""
    digest = hashlib.sha256()
    with store.open(job.request_path) as requests:
        while chunk := requests.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != job.request_sha256:
        raise CjError(
            f"job {job.job_id}: {job.request_path} is not the file that was planned (its SHA-256 changed). Restore it "
            f"from a backup of the store, or cancel the job: `cj jobs cancel {job.job_id}`."
        )


def request_lines(store: Store, job: Job) -> dict[str, bytes]:
    """The lines by custom_id, in their order: for jobs of calls, which are small."""
    return {read_request_line(line)[0]: line for line in store.lines(job.request_path)}


def bounds_of(lines: Mapping[str, bytes], price: TokenPrice) -> dict[str, int]:
    """The most that each request can come to, in nano-USD, by custom_id; their sum is the job's bound."""
    return {custom_id: _bound(line, price) for custom_id, line in lines.items()}


def _bound(line: bytes, price: TokenPrice) -> int:
    _, body = read_request_line(line)
    return bound_of(len(body_bytes(line)), body["max_completion_tokens"], price)
