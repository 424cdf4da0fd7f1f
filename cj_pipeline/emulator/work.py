"""The work behind a batch, on threads beside the server: read the input, let the judge answer, write the results.

The items are done in an order drawn from their ids, which is also the order of the result lines. All of it is
a function of the input, so work that a kill interrupted is simply done again, to the same bytes.
"""

import logging
import math
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from cj_pipeline.emulator.answer import Answered, answer, body_sha256, too_many_requests
from cj_pipeline.emulator.faults import (
    DUPLICATE_LINES,
    EXPIRE_AFTER,
    LOSE_LINES,
    RATE_LIMIT_LINES,
    TOKEN_LIMIT_EXCEEDED,
    line_fault,
)
from cj_pipeline.emulator.openai_batches import answered_line, request_id, unrun_line
from cj_pipeline.emulator.openai_input import Inspection, Located, error, inspect, read_line
from cj_pipeline.emulator.results import Results
from cj_pipeline.emulator.store import Batch, DoneItem, Store

_AT_ONCE = 2
_log = logging.getLogger(__name__)


class Work:
    """Takes batches up and carries them out, a few at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="work")

    def resume(self) -> None:
        """Take up what an earlier server left."""
        for batch_id in self._store.batches.unfinished():
            self.take_up(batch_id)

    def take_up(self, batch_id: str) -> None:
        """Soon, in the background."""
        self._threads.submit(self._carry_out, batch_id)

    def stop(self) -> None:
        """Leave what is unfinished for the next start."""
        self._stopping.set()
        self._threads.shutdown(cancel_futures=True)

    def _carry_out(self, batch_id: str) -> None:
        try:
            carry_out(self._store, batch_id, self._stopping)
        except Exception:
            _log.exception("batch %s: the work failed; it is tried again when the server restarts", batch_id)


def carry_out(store: Store, batch_id: str, stopping: threading.Event) -> None:
    """Validate a batch, do it and publish the result; anew when it was cancelled meanwhile."""
    batch = _found(store, batch_id)
    path = store.files.path(batch.input_file_id)
    inspection = _inspected(store, batch, path)
    while not stopping.is_set():
        batch = _found(store, batch_id)
        if batch.judged_at is not None or batch.errors:
            return
        if _done(store, batch, inspection, path, stopping):
            return


def _found(store: Store, batch_id: str) -> Batch:
    batch = store.batches.get(batch_id)
    if batch is None:
        raise LookupError(batch_id)
    return batch


def _inspected(store: Store, batch: Batch, path: Path) -> Inspection:
    inspection = inspect(path, endpoint=batch.endpoint)
    file = store.files.get(batch.input_file_id, now=time.time())
    if batch.validated_at is None and (file is None or file.purpose != "batch"):
        message = f"The input file {batch.input_file_id} does not exist or its purpose is not 'batch'."
        inspection.errors = [error("invalid_file", message, param="input_file_id")]
    if TOKEN_LIMIT_EXCEEDED in batch.faults:
        message = f"Enqueued token limit reached for {inspection.model}. Please try again once some batches completed."
        inspection.errors = [error("token_limit_exceeded", message)]
    store.batches.set_validated(batch.id, total=inspection.total, model=inspection.model, errors=inspection.errors)
    return inspection


def _done(store: Store, batch: Batch, inspection: Inspection, path: Path, stopping: threading.Event) -> bool:
    """Whether the results were published; not when the server stops or the batch was cancelled meanwhile."""
    order = sorted(inspection.requests, key=lambda located: request_id(batch.id, located.custom_id))
    stop = _stop(batch, len(order))
    with Results(store.files) as results, path.open("rb") as requests:
        for rank, located in enumerate(order[:stop]):
            if stopping.is_set():
                return False
            _do_one(batch, rank, located, requests, results)
        unrun = "batch_cancelled" if batch.cancelling_at is not None else "batch_expired"
        for located in order[stop:]:
            results.errors.write(unrun_line(batch.id, located.custom_id, unrun))
        store.bill.replace_items(batch.id, results.items)
        outcome = results.outcome(batch)
    published = store.batches.set_judged(batch, outcome)
    if not published:
        for file in filter(None, (outcome.output, outcome.error)):
            store.files.path(file.id).unlink(missing_ok=True)
    return published


def _stop(batch: Batch, total: int) -> int:
    """The item before which the work ends: all, unless the batch was cancelled or is to expire."""
    if batch.stop_rank is not None:
        return min(batch.stop_rank, total)
    return math.floor(total * batch.faults.get(EXPIRE_AFTER, 1.0))


def _do_one(batch: Batch, rank: int, located: Located, requests: BinaryIO, results: Results) -> None:
    requests.seek(located.start)
    body = read_line(requests.read(located.length))["body"]
    fault = line_fault(batch.faults, rank)
    if fault == RATE_LIMIT_LINES:
        answered = too_many_requests(body.get("model"))
    else:
        answered = answer(body, created=int(batch.created_at), request_id=request_id(batch.id, located.custom_id))
    line = answered_line(batch.id, located.custom_id, answered)
    copies = {LOSE_LINES: 0, DUPLICATE_LINES: 2}.get(fault or "", 1)
    results.add(_item(rank, located, body, answered), [line] * copies)


def _item(rank: int, located: Located, body: Mapping[str, Any], answered: Answered) -> DoneItem:
    return DoneItem(
        rank=rank,
        custom_id=located.custom_id,
        body_sha256=body_sha256(body),
        status_code=answered.status_code,
        prompt_tokens=answered.prompt_tokens,
        completion_tokens=answered.completion_tokens,
    )
