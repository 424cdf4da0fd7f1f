"""How comparisons travel and whether another wave may follow: the three modes, and which one a batch runs in."""

from collections.abc import Collection, Iterable
from enum import StrEnum


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
