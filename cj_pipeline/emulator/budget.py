"""The budget of enqueued tokens: how much input of one model a project may have waiting and running at once."""

from cj_pipeline.emulator.answer import BYTES_PER_TOKEN
from cj_pipeline.emulator.lifecycle import standing
from cj_pipeline.emulator.store import Store


def over_budget(store: Store, project: str, model: str | None, input_bytes: int) -> bool:
    """Whether a batch of so many bytes is too much on top of those that run; a token for every four bytes."""
    budget = store.settings.current().enqueued_tokens
    if budget is None:
        return False
    now = store.now()
    running = [batch.id for batch in store.batches.maybe_running() if not standing(batch, now).terminal]
    enqueued = store.batches.enqueued_bytes(project, model, running)
    return (enqueued + input_bytes) / BYTES_PER_TOKEN > budget
