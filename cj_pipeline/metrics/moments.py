"""Durations between moments of the ledger."""

from datetime import datetime


def seconds(begin: str | None, end: str | None) -> float:
    """Between two moments in ISO 8601, never below 0: a provider's clock counts whole seconds and may lag ours.

    0 when one of them is not known.
    """
    if begin is None or end is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
