"""Where a batch stands at a moment: a pure function of the times stored with it.

Nothing moves a batch from state to state, so nothing is lost when the server is killed. A phase lasts its
appointed seconds, or as long as the real work takes if that is longer.
"""

import math
from dataclasses import dataclass

from cj_pipeline.emulator.faults import SLOW_CANCEL, STUCK_FINALIZING, STUCK_IN_PROGRESS
from cj_pipeline.emulator.store.batches import WINDOW_SECONDS, Batch

TERMINAL = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class Standing:
    """The status, when each state was entered (unix seconds), and how much of the work counts as done (0 to 1)."""

    status: str
    entered: dict[str, float]
    progress: float

    @property
    def terminal(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in TERMINAL


def standing(batch: Batch, now: float) -> Standing:
    """validating, in_progress, finalizing, completed; or failed, expired, cancelling, cancelled."""
    entered = {status: at for status, at in _course(batch).items() if at <= now or status == "validating"}
    started = entered.get("in_progress")
    return Standing(
        status=list(entered)[-1],
        entered=entered,
        progress=0.0 if started is None else _share(now - started, batch.seconds_per_phase),
    )


def ends_at(batch: Batch) -> float | None:
    """When the batch reaches a terminal state, if that is known yet."""
    course = _course(batch)
    last = list(course)[-1]
    return course[last] if last in TERMINAL else None


def done_by(batch: Batch, now: float) -> int:
    """How many items count as done at a moment, by the clock."""
    return math.floor((batch.total or 0) * standing(batch, now).progress)


def _course(batch: Batch) -> dict[str, float]:
    """The states in order with the time each begins, as far as can be known from what is stored."""
    course = _undisturbed_course(batch)
    if batch.cancelling_at is None:
        return course
    course = {status: at for status, at in course.items() if at <= batch.cancelling_at or status == "validating"}
    course["cancelling"] = batch.cancelling_at
    if batch.judged_at is not None:
        ready = max(batch.cancelling_at + batch.seconds_per_phase, batch.judged_at)
        course["cancelled"] = ready + batch.faults.get(SLOW_CANCEL, 0.0)
    return course


def _undisturbed_course(batch: Batch) -> dict[str, float]:
    phase = batch.seconds_per_phase
    course = {"validating": batch.created_at}
    if batch.validated_at is None:
        return course
    ready = max(batch.created_at + phase, batch.validated_at)
    if batch.errors:
        return course | {"failed": ready}
    course["in_progress"] = ready
    if batch.judged_at is None or batch.cancelling_at is not None:
        return course
    done = max(ready + phase, batch.judged_at) + batch.faults.get(STUCK_IN_PROGRESS, 0.0)
    if batch.expires_after is not None:
        return course | {"expired": min(done, max(batch.created_at + WINDOW_SECONDS, batch.judged_at))}
    return course | {"finalizing": done, "completed": done + phase + batch.faults.get(STUCK_FINALIZING, 0.0)}


def _share(elapsed: float, phase: float) -> float:
    return 1.0 if phase <= 0 else min(1.0, max(0.0, elapsed / phase))
