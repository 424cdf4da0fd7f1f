"""The re-read list as a choice: how much reading buys how many right grades."""

import math
from dataclasses import dataclass

from cj_pipeline.report.figures import Review

SHARES = (0.1, 0.2, 0.3, 0.5)  # of the graded pupils' scripts


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """Re-reading the first `scripts` of the list: wrong grades expected before, after, and after as many by lot."""

    share: float
    scripts: int
    before: float
    after: float
    by_lot: float


def review_steps(review: Review) -> list[ReviewStep]:
    """One step per share that adds scripts to the one before; none without graded pupils."""
    graded, before = len(review.graded), review.expected_wrong[0]
    counts = {math.ceil(share * graded): share for share in reversed(SHARES) if graded}
    return [
        ReviewStep(share, scripts, before, review.expected_wrong[scripts], before * (1 - scripts / graded))
        for scripts, share in sorted(counts.items())
    ]
