"""How comparisons travel and whether another wave may follow: the three modes, and which one a batch runs in."""

from collections.abc import Collection, Iterable
from enum import StrEnum

MOST_IN_A_BUNDLE = 64  # calls in flight, and items of one job of the iterative modes


class LLMBatchingMode(StrEnum):
    """The word in `batch.toml`, the ledger and the metrics."""

    PER_REQUEST = "per_request"
    SERIAL_BUNDLE = "serial_bundle"
    PROVIDER_BATCH_API = "provider_batch_api"

    @property
    def iterative(self) -> bool:
        """Whether a decision may ask for another wave."""
        return self is not LLMBatchingMode.PROVIDER_BATCH_API


def mode_named(name: str | None) -> LLMBatchingMode | None:
    """The mode of that name, blanks and letter case forgiven; None for any other word."""
    word = (name or "").strip().lower()
    return LLMBatchingMode(word) if word in set(LLMBatchingMode) else None


def effective_mode(
    setting: LLMBatchingMode,
    override: LLMBatchingMode | None = None,
    *,
    providers: Iterable[str] = (),
    allowed: Collection[str] = (),
) -> LLMBatchingMode:
    """The mode a batch runs in: its own, else the installation's setting.

    `provider_batch_api` needs every provider of the batch on the list `allowed` (empty: any will do). Where one
    is not, the setting takes over, and `serial_bundle` where the setting is no way out.
    """
    wanted = override or setting
    if wanted.iterative or not allowed or {name.strip().lower() for name in providers} <= set(allowed):
        return wanted
    return setting if setting.iterative else LLMBatchingMode.SERIAL_BUNDLE


def recorded_mode(recorded: str | None, setting: LLMBatchingMode | None = None) -> LLMBatchingMode:
    """The mode a batch began with and stays in; the setting, else `serial_bundle`, where none was recorded."""
    return mode_named(recorded) or setting or LLMBatchingMode.SERIAL_BUNDLE


def bundle_size(mode: LLMBatchingMode, comparisons: int) -> int:
    """Calls in flight at once for a wave of this many comparisons: one per request, 64 at most in a bundle."""
    most = 1 if mode is LLMBatchingMode.PER_REQUEST else MOST_IN_A_BUNDLE
    return min(most, comparisons)
