"""The work behind a batch, on threads beside the server: read the input, let the judge answer, write the results.

The items are done in an order drawn from their ids, which is also the order of the result lines. All of it is
a function of the input, so work that a kill interrupted is simply done again, to the same bytes.
"""

import contextlib
import logging
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from cj_pipeline.emulator import faults
from cj_pipeline.emulator.apis import APIS, Api
from cj_pipeline.emulator.budget import over_budget
from cj_pipeline.emulator.faulty_items import server_error_line
from cj_pipeline.emulator.items import carried_out, circumstances
from cj_pipeline.emulator.openai_input import error
from cj_pipeline.emulator.prompt_cache import CacheUse, PromptCache
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.requests_file import Inspection, Located, read_line, request_id
from cj_pipeline.emulator.results import Results
from cj_pipeline.emulator.store import Batch, Store

_AT_ONCE = 2
_VALIDATING = threading.Lock()  # so that two batches are not both let in where the budget has room for one
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
    inspection = APIS[batch.api].inspect(path, batch)
    with _VALIDATING:
        inspection.errors = _errors_by_fault(batch, inspection) or _errors_by_rule(store, batch, inspection)
        store.batches.set_validated(batch.id, total=inspection.total, model=inspection.model, errors=inspection.errors)
    return inspection


def _errors_by_rule(store: Store, batch: Batch, inspection: Inspection) -> list[dict[str, Any]]:
    if batch.api != "openai" or batch.validated_at is not None:
        return inspection.errors
    file = store.files.get(batch.input_file_id, batch.project)
    if file is None or file.purpose != "batch":
        message = f"The input file {batch.input_file_id} does not exist or its purpose is not 'batch'."
        return [error("invalid_file", message, param="input_file_id")]
    if not inspection.errors and over_budget(store, batch.project, inspection.model, file.bytes):
        return [_token_limit(inspection)]
    return inspection.errors


def _errors_by_fault(batch: Batch, inspection: Inspection) -> list[dict[str, Any]]:
    if faults.TOKEN_LIMIT_EXCEEDED in batch.faults:
        return [_token_limit(inspection)]
    if faults.FAIL_AT_LINE in batch.faults:
        bad = error("invalid_json_line", "This line is not parseable as valid JSON.")
        return [bad | {"line": int(batch.faults[faults.FAIL_AT_LINE])}]
    if faults.FAIL_WITHOUT_LINE in batch.faults:
        return [error("invalid_request", "The batch could not be validated.")]
    return []


def _token_limit(inspection: Inspection) -> dict[str, Any]:
    message = f"Enqueued token limit reached for {inspection.model}. Please try again once some batches completed."
    return error("token_limit_exceeded", message)


def _done(store: Store, batch: Batch, inspection: Inspection, path: Path, stopping: threading.Event) -> bool:
    """Whether the results were published; not when the server stops or the batch was cancelled meanwhile."""
    api = APIS[batch.api]
    order = sorted(inspection.requests, key=lambda located: request_id(batch.id, located.custom_id))
    stop = _stop(batch, len(order))
    with Results(store.files, one_file=api.one_file) as results, path.open("rb") as requests:
        caches = _cache_uses(batch, inspection, requests) if batch.prompt_cache else {}
        for rank, located in enumerate(order[:stop]):
            if stopping.is_set():
                return False
            request = _request(requests, located, api)
            item, lines, as_answer = carried_out(batch, rank, located.custom_id, request, caches.get(located.custom_id))
            results.add(item, lines, as_answer=as_answer)
        for located in order[stop:]:
            for line in _unrun_lines(batch, located.custom_id):
                results.add_unrun(line)
        store.bill.replace_items(batch.id, results.items)
        outcome = results.outcome(batch, store.now())
    published = store.batches.set_judged(batch, outcome)
    if not published:
        for file in filter(None, (outcome.output, outcome.error)):
            store.files.path(file.id).unlink(missing_ok=True)
    return published


def _stop(batch: Batch, total: int) -> int:
    """The item before which the work ends: all, unless the batch was cancelled or is to expire."""
    if batch.stop_rank is not None:
        return min(batch.stop_rank, total)
    return total if batch.expires_after is None else math.floor(total * batch.expires_after)


def _request(requests: BinaryIO, located: Located, api: Api) -> dict[str, Any]:
    requests.seek(located.start)
    request: dict[str, Any] = read_line(requests.read(located.length))[api.request_key]
    return request


def _cache_uses(batch: Batch, inspection: Inspection, requests: BinaryIO) -> dict[str, CacheUse]:
    """In the order of the input file, whatever the order of the work."""
    cache, api = PromptCache(), APIS[batch.api]
    uses: dict[str, CacheUse] = {}
    for located in inspection.requests:
        with contextlib.suppress(Refused):
            asked = api.dialect.read(_request(requests, located, api), circumstances(batch, located.custom_id))
            uses[located.custom_id] = cache.use(asked.model, asked.blocks, by_itself=api.dialect.caches_by_itself)
    return uses


def _unrun_lines(batch: Batch, custom_id: str) -> list[dict[str, Any]]:
    api = APIS[batch.api]
    if batch.cancelling_at is not None:
        if faults.CANCEL_LEAVES_NO_LINES in batch.faults:
            return []
        return [api.unrun_line(batch.id, custom_id, api.cancelled)]
    if faults.EXPIRE_WITH_ERRORS in batch.faults:
        return [server_error_line(batch.api, custom_id)]
    return [api.unrun_line(batch.id, custom_id, api.expired)]
