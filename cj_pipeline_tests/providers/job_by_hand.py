"""A job taken through a provider's verbs by hand, and what an emulator says of it."""

import json
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

from cj_pipeline.providers import BatchProvider, ProviderJob, Ticket


def now() -> datetime:
    """Not a constant: a whole run takes longer than what is late."""
    return datetime.now(UTC)


def ticket(job_id: str = "job-1", *, input_file_id: str | None = None, items: int = 3) -> Ticket:
    return Ticket(job_id, "lexical", items, {"cj_job": job_id}, input_file_id, now())


def ended(provider: BatchProvider, job: ProviderJob) -> ProviderJob:
    """The job at its end, which is waited for."""
    deadline = time.monotonic() + 20
    while not job.phase.ended:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = provider.poll({job.provider_job_id}, now())[job.provider_job_id]
    return job


def call(url: str, method: str, path: str, body: object = None) -> Any:
    """An emulator's reply, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def created(url: str) -> int:
    """How many jobs an emulator has made."""
    return int(call(url, "GET", "/admin/bill")["batches_created"])
