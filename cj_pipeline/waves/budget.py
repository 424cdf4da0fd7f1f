"""How many pairs a batch may ask, and who said so."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ComparisonBudget:
    """The pairs of all waves together. `source`, in the predecessor's words: the batch's own cap, or the default."""

    pairs: int
    source: Literal["runner_override", "service_default"]
