"""Which failed comparisons are asked again, and when: many at once while a batch runs, all of them at its end.

What fails is not drawn at random; without the round at the end, scores would lean on which pairs failed.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from cj_pipeline.waves.rules import WaveRules

Key = TypeVar("Key", bound=Hashable)
DEFAULT_RULES = WaveRules()


@dataclass(frozen=True, slots=True)
class FailedComparison(Generic[Key]):
    """One without a verdict whose error allows another attempt; `key` is whatever the caller knows it by."""

    key: Key
    asked_again: int = 0


@dataclass(frozen=True, slots=True)
class RetryRound(Generic[Key]):
    """What to do about each: ask it now (counted already), leave it for a later round, or give it up."""

    now: tuple[FailedComparison[Key], ...]
    waiting: tuple[FailedComparison[Key], ...]
    given_up: tuple[FailedComparison[Key], ...]


def retry_round(
    failed: Iterable[FailedComparison[Key]], rules: WaveRules = DEFAULT_RULES, *, end_of_batch: bool = False
) -> RetryRound[Key]:
    """Sort the failed comparisons, oldest first.

    While a batch runs a round is due once `rules.retry_threshold` may be asked, and takes `rules.retry_size` at
    most. At its end every one that may be asked is. Each is asked again `rules.max_attempts` times at most.
    """
    pool = tuple(failed)
    eligible = tuple(one for one in pool if one.asked_again < rules.max_attempts)
    given_up = tuple(one for one in pool if one.asked_again >= rules.max_attempts)
    due = len(eligible) if end_of_batch else rules.retry_size if len(eligible) >= rules.retry_threshold else 0
    now = tuple(replace(one, asked_again=one.asked_again + 1) for one in eligible[:due])
    return RetryRound(now, eligible[due:], given_up)
