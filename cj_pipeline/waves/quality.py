"""The predecessor's summary of standard errors, and the flags it raised from it: for people, never a gate."""

from dataclasses import asdict, dataclass

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray

LARGE_MEAN_SE = 0.4  # logits
LARGE_MAX_SE = 0.8
FEW_COMPARISONS = 1.0  # per essay, on average


@dataclass(frozen=True, slots=True)
class SeSummary:
    """Standard errors in logits and comparisons per essay; NaN without any."""

    mean_se: float
    max_se: float
    min_se: float
    item_count: int
    comparison_count: int
    isolated_items: int
    mean_comparisons_per_item: float
    min_comparisons_per_item: int
    max_comparisons_per_item: int

    def flags(self) -> dict[str, bool]:
        """By the predecessor's names; all comparisons strict."""
        return {
            "bt_se_inflated": self.mean_se > LARGE_MEAN_SE or self.max_se > LARGE_MAX_SE,
            "comparison_coverage_sparse": self.mean_comparisons_per_item < FEW_COMPARISONS,
            "has_isolated_items": self.isolated_items > 0,
        }

    def as_dict(self) -> dict[str, float | int]:
        """For `processing_metadata`."""
        return asdict(self)


def summarise(standard_errors: FloatArray, comparisons: IntArray) -> SeSummary:
    """Of the essays of a batch (n,); an essay without comparisons is isolated, and its error is not counted."""
    known = standard_errors[np.isfinite(standard_errors)]
    mean, largest, smallest = (known.mean(), known.max(), known.min()) if known.size else (np.nan,) * 3
    return SeSummary(
        mean_se=float(mean),
        max_se=float(largest),
        min_se=float(smallest),
        item_count=int(comparisons.size),
        comparison_count=int(comparisons.sum()) // 2,
        isolated_items=int((comparisons == 0).sum()),
        mean_comparisons_per_item=float(comparisons.mean()) if comparisons.size else 0.0,
        min_comparisons_per_item=int(comparisons.min()) if comparisons.size else 0,
        max_comparisons_per_item=int(comparisons.max(initial=0)),
    )
