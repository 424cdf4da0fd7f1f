"""Which scripts a person should re-read, and what that prevents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cj_pipeline.report.figures.essays import EssayFigures

REVIEW_SHARE = 0.2  # what the review sentence offers; a school chooses its own point on the curve


@dataclass(frozen=True, slots=True)
class Review:
    """What a person should re-read: scripts without a grade, then graded ones, most useful first.

    `expected_wrong[k]` is the expected number of wrong pupils' grades after the first k of `graded` were
    re-read by a person who is right; `first` is the k that `REVIEW_SHARE` buys.
    """

    ungraded: tuple[EssayFigures, ...]
    graded: tuple[EssayFigures, ...]
    first: int
    expected_wrong: tuple[float, ...]


def review(rows: Sequence[EssayFigures]) -> Review:
    """The re-read list of the pupils' essays and what reading down it prevents."""
    pupils = [row for row in rows if not row.is_anchor]
    graded = sorted(
        (row for row in pupils if row.grade is not None), key=lambda row: (-(row.priority or 0.0), row.essay_id)
    )
    wrong = [1.0 - row.p_exact if row.p_exact is not None else 0.0 for row in graded]
    left = [math.fsum(wrong[read:]) for read in range(len(wrong) + 1)]
    return Review(
        ungraded=tuple(row for row in pupils if row.grade is None),
        graded=tuple(graded),
        first=math.ceil(REVIEW_SHARE * len(graded)),
        expected_wrong=tuple(left),
    )
