"""The thresholds of the iterative modes, with their defaults: one value that travels through the decision."""

from dataclasses import dataclass
from enum import StrEnum


class StopRule(StrEnum):
    """What may end a batch before its budget does."""

    MEAN_SE = "mean_se"
    RELIABILITY = "reliability"
    MAX_DELTA = "max_delta"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WaveRules:
    """Thresholds a batch may set; `ValueError` names one that cannot be.

    Small nets, resampling passes, success rate and attempts are the predecessor's; targets and floors are in
    docs/waves.md with the simulations they come from.
    """

    rule: StopRule = StopRule.MEAN_SE
    target_mean_se: float = 0.7  # logits, of the centred scores
    target_reliability: float = 0.85
    max_delta: float = 0.025  # logits; the predecessor's rule, which a consistent judge never meets
    min_degree: int = 6  # answered comparisons of the least asked essay, before a rule may stop
    min_comparisons: int = 12  # answered ones in all, before a rule may stop
    min_success_rate: float = 0.8
    signal_floor: float = 0.3  # reliability on pairs drawn at random below which a stop is labelled no_signal
    at_random_share: float = 0.2  # of every coverage wave, drawn without looking at scores
    small_net: int = 3  # essays, at most
    small_net_passes: int = 4
    regular_passes: int = 1
    count_weight: float = 1.0  # of essays asked less often, in the matching
    proximity_weight: float = 0.5  # of essays with close scores
    retry_threshold: int = 20  # failed comparisons that are asked again before the end of the batch
    retry_size: int = 50  # of them at a time
    max_attempts: int = 3

    def __post_init__(self) -> None:
        for name in ("target_reliability", "signal_floor", "at_random_share", "min_success_rate"):
            _within(name, getattr(self, name), 0.0, 1.0)
        for name in ("target_mean_se", "max_delta", "count_weight", "proximity_weight"):
            _within(name, getattr(self, name), 0.0, float("inf"))
        for name in ("min_degree", "min_comparisons", "small_net", "small_net_passes", "regular_passes"):
            _within(name, getattr(self, name), 0, 1_000_000)
        for name in ("retry_threshold", "retry_size", "max_attempts"):
            _within(name, getattr(self, name), 1, 1_000_000)

    def most_passes(self, n_essays: int) -> int:
        """Resampling waves a batch of this size may have; a regular one never more than a small net."""
        if n_essays <= self.small_net:
            return self.small_net_passes
        return min(self.regular_passes, self.small_net_passes) if self.small_net_passes else self.regular_passes


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}; it must lie between {least} and {most}")
