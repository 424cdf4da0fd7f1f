"""An index page over batches in every state."""

from datetime import UTC, datetime

from cj_pipeline.jobs.progress import Progress
from cj_pipeline.notices import Matter, Notice
from cj_pipeline.report.index import BatchLine, index_page
from cj_pipeline.status import STATES, BatchStatus

MADE_AT = datetime(2026, 5, 22, 14, 5, tzinfo=UTC)
WAITING = (
    Notice("k1", Matter.APPROVAL_WANTED, "spring-5b", "batch spring-5b is planned", "cj approve spring-5b --max-usd 5"),
    Notice("k2", Matter.ACCOUNT_ON_HOLD, "openai/default", "account openai/default is on hold", "cj jobs lift-hold"),
    Notice("k3", Matter.GATE_RED, "autumn-9a", "batch autumn-9a has no grades: a gate is red", "cj report autumn-9a"),
)


def line(batch_id: str, state: str, *, spent: float = 0.0, reread: int = 0, report: bool = False) -> BatchLine:
    status = BatchStatus(batch_id, state, 37, MADE_AT, spent, 0.25, f"what holds {batch_id} up", f"cj run {batch_id}")
    return BatchLine(status, Progress(waiting=1, done=3), reread, f"{batch_id}.html" if report else None)


def some_page(language: str) -> str:
    lines = [line(f"batch-{state.replace(' ', '-')}", state, spent=1.5) for state in STATES]
    graded = line("spring-6a", "graded", spent=0.41, reread=5, report=True)
    return index_page([*lines, graded], WAITING, MADE_AT, language)
