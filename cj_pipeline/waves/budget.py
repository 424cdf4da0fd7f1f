"""How many comparisons a batch may ask, who said so, and how many are left."""

from dataclasses import dataclass
from math import comb
from typing import Literal

from cj_pipeline.waves.mode import LLMBatchingMode


@dataclass(frozen=True, slots=True)
class ComparisonBudget:
    """The cap on comparisons, and whether a run's own cap took part in it."""

    comparisons: int
    source: Literal["runner_override", "service_default"]

    def left(self, planned: int) -> int:
        """Comparisons that may still be planned."""
        return max(0, self.comparisons - planned)


def resolve_budget(configured: int | None, override: int | None = None) -> ComparisonBudget:
    """The smaller of both caps: an override can only lower the configured one.

    Caps below one count as absent. Raises `ValueError` when neither is given.
    """
    caps = [cap for cap in (configured, override) if cap is not None and cap > 0]
    if not caps:
        raise ValueError("a batch needs a cap on comparisons; set max_comparisons to one at least")
    return ComparisonBudget(min(caps), "runner_override" if override and override > 0 else "service_default")


def recorded_budget(recorded: int | None, setting: int) -> int:
    """The budget a batch began with; the setting where none was recorded."""
    return recorded if recorded and recorded > 0 else setting


def single_wave_pairs(n_essays: int, cap: int) -> int:
    """Different pairs of a single wave: what the cap allows, of those there are."""
    return min(cap, comb(n_essays, 2))


def completion_denominator(mode: LLMBatchingMode, n_essays: int, cap: int, planned: int) -> int:
    """What counts as all of it: planned comparisons, not the cap, which may lie beyond what can be asked.

    A single wave plans min(cap, nC2); the other modes have planned what their waves so far hold.
    """
    if cap < 1:
        raise ValueError(f"a batch with a cap of {cap} comparisons cannot be complete; set it to one at least")
    return planned if mode.iterative else single_wave_pairs(n_essays, cap)
