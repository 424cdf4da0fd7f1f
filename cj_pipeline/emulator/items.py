"""Carrying out one item of a batch: what it is billed, and the lines that tell of it, faults included."""

from collections.abc import Callable, Mapping
from typing import Any

from cj_pipeline.emulator.answer import Answered, Circumstances, answer, body_sha256, refusal, replicate_of
from cj_pipeline.emulator.apis import APIS
from cj_pipeline.emulator.faults import item_fault
from cj_pipeline.emulator.faulty_items import AMONG_ANSWERS, faulty_lines, instead
from cj_pipeline.emulator.faulty_replies import FAULTY_REPLIES
from cj_pipeline.emulator.judges import Reply
from cj_pipeline.emulator.prompt_cache import CacheUse
from cj_pipeline.emulator.requests_file import request_id
from cj_pipeline.emulator.store import Batch, DoneItem

_SUCCESS = 200


def circumstances(batch: Batch, custom_id: str) -> Circumstances:
    """Of an item of a batch."""
    return Circumstances(
        request_id=request_id(batch.id, custom_id),
        created=int(batch.created_at),
        in_batch=True,
        api_version=batch.api_version,
        replicate=replicate_of(custom_id),
    )


def carried_out(
    batch: Batch, rank: int, custom_id: str, request: Mapping[str, Any], cache: CacheUse | None
) -> tuple[DoneItem, list[bytes], bool]:
    """The item for the bill, its lines, and whether they stand among the answers (else among the errors)."""
    api = APIS[batch.api]
    fault, number = item_fault(batch.faults, rank) or (None, 0)
    within = circumstances(batch, custom_id)
    error = instead(fault, batch, request)
    if error is not None:
        answered = refusal(api.dialect, error, within)
    else:
        faulty = FAULTY_REPLIES.get(fault or "")
        answered = answer(api.dialect, request, within, cache=cache, spoil=_numbered(faulty, number))
    lines = faulty_lines(fault, api.answered_line(batch.id, custom_id, answered), number)
    return _item(rank, custom_id, request, answered), lines, answered.status_code == _SUCCESS or fault in AMONG_ANSWERS


def _numbered(faulty: Callable[[Reply, int], Reply] | None, number: int) -> Callable[[Reply], Reply] | None:
    return None if faulty is None else lambda reply: faulty(reply, number)


def _item(rank: int, custom_id: str, request: Mapping[str, Any], answered: Answered) -> DoneItem:
    return DoneItem(
        rank=rank,
        custom_id=custom_id,
        body_sha256=body_sha256(request),
        status_code=answered.status_code,
        prompt_tokens=answered.tokens.input,
        completion_tokens=answered.tokens.output,
        cached_tokens=answered.tokens.cached,
        cache_write_tokens=answered.tokens.cache_write,
        model=str(request.get("model") or ""),
    )
