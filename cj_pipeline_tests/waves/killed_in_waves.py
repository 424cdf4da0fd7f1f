"""A process that takes a batch through its waves and kills itself at a named point: python -m ... BATCH POINT WAVE.

It ends with code 0 only where it came to the batch's end.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from cj_pipeline import continuation
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs import call_book
from cj_pipeline.jobs.recorded_waves import waves_of
from cj_pipeline_tests.waves import in_waves

CALLS_BEFORE = 3  # that left in the wave before the kill

POINTS = {
    "with calls on their way": (call_book.CallBook, "write"),
    "when the wave is read": (in_waves, "collect"),
    "when its scores are worked out": (in_waves, "decided_tables"),
    "when the next wave's pairs are written": (continuation, "keep_wave"),
    "when the decision is recorded": (continuation, "record_decision"),
    "when the next wave's jobs are planned": (in_waves, "plan_jobs"),
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: str, wave: int, deployment: Deployment, batch_id: str) -> None:
    owner, name = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)
    called = 0

    def in_that_wave() -> bool:
        provenance = deployment.ledger.provenance(batch_id)
        return len(waves_of(deployment.ledger, batch_id, provenance.revision)) >= wave

    async def after_calls(*arguments: Any, **named: Any) -> Any:
        nonlocal called
        written = await original(*arguments, **named)
        called += in_that_wave()
        if called > CALLS_BEFORE:
            _die()
        return written

    def after(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        if in_that_wave():
            _die()
        return result

    setattr(owner, name, after_calls if point == "with calls on their way" else after)


def main() -> None:
    """Arm the point, if there is one, and go."""
    batch_id, point, wave = sys.argv[1:]
    deployment = Deployment.open()
    if point:
        _arm(point, int(wave), deployment, batch_id)
    print(in_waves.to_its_end(deployment, batch_id))


if __name__ == "__main__":
    main()
