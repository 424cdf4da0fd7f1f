"""Do verdicts follow what they should not: the length of an essay, or the group its writer belongs to?

Both are regressions of scores, which are the logits of the verdicts, with the essay as the unit: an essay's
comparisons all share its luck, so that counting comparisons would find effects everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.linking import link
from cj_pipeline.scoring.regression import Regression, regress
from cj_pipeline.scoring.votes import Votes

Method = Literal["within grades", "given grade", "association", "against the other judges"]
LEAST_FREE_WITHIN = 8  # degrees of freedom that must be left when every grade has a level of its own
LEAST_GROUP = 5  # essays in a group, and outside it
MOST_GROUPS = 12  # values of a column; more of them are names rather than groups
MOST_JUDGES = 8  # each against all others, by group


@dataclass(frozen=True, slots=True)
class Scored:
    """What the regressions stand on; arrays (n,). Scores are those without the prior's pull, NaN where unknown."""

    scores: FloatArray
    variances: FloatArray
    component: IntArray
    grade: IntArray  # place on the scale, of anchors and of pupils with a known grade; -1 where there is none

    @property
    def usable(self) -> BoolArray:
        """Essays with a score in the largest group of linked essays."""
        return (self.component == 0) & np.isfinite(self.scores) & np.isfinite(self.variances)


@dataclass(frozen=True, slots=True)
class LengthEffect:
    """Logits by which an essay gains when its word count doubles, at the same grade where grades are known."""

    effect: float
    standard_error: float
    p_value: float
    method: Method
    essays: int


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """How much higher a group's essays are scored than all others', in logits; `judge` is None for all judges."""

    column: str
    group: str
    judge: int | None
    method: Method
    essays: int
    others: int
    effect: float
    standard_error: float
    p_value: float
    p_adjusted: float  # Bonferroni, over all effects that were looked at


def length_effect(scored: Scored, word_counts: Sequence[int]) -> LengthEffect | None:
    """The effect of a doubled word count on scores; None where the essays are too few or of one length.

    With enough graded essays only essays of the same grade are compared with each other; with fewer a straight line
    over the grades stands for them; without grades it is a plain association, which good long essays explain too.
    """
    words = np.asarray(word_counts, dtype=float)
    doublings = np.log2(np.maximum(words, 1.0))
    for method, kept, adjusted in _adjustments(scored, scored.usable):
        if np.unique(doublings[kept]).size > 1:
            found = regress(scored.scores[kept], scored.variances[kept], np.column_stack([doublings[kept], adjusted]))
            if found is not None:
                return LengthEffect(*_first(found), method, int(kept.sum()))
    return None


def group_effects(
    scored: Scored, votes: Votes, columns: Mapping[str, Sequence[str | None]], phi: float
) -> list[GroupEffect]:
    """Every group of every column against the column's other essays, smallest p value first.

    Over all judges given the grade (or as a plain association without grades), and with 2 to 8 judges each of
    them against all the others, where no grade is needed. A column with fewer than two groups of five essays, or
    with more than twelve values, is passed over.
    """
    contrasts = list(_judge_contrasts(votes, phi)) if columns else []
    found = []
    for column, values in columns.items():
        labels = np.array([value or "" for value in values])
        for group in _groups(labels):
            inside, known = labels == group, labels != ""
            found += _given_grade(scored, column, group, inside, known)
            for judge, difference, variance in contrasts:
                found += _between_judges(judge, difference, variance, column, group, inside, known)
    return sorted(
        (replace(effect, p_adjusted=min(1.0, effect.p_value * len(found))) for effect in found),
        key=lambda effect: (effect.p_value, effect.column, effect.group, -1 if effect.judge is None else effect.judge),
    )


def _adjustments(scored: Scored, usable: BoolArray) -> list[tuple[Method, BoolArray, FloatArray]]:
    """The ways to hold the grade fixed that the graded essays can carry, best first; the last holds nothing."""
    graded = usable & (scored.grade >= 0)
    grades = scored.grade[graded]
    levels = np.unique(grades)
    ways: list[tuple[Method, BoolArray, FloatArray]] = []
    if grades.size - levels.size - 1 >= LEAST_FREE_WITHIN:
        ways.append(("within grades", graded, (grades[:, None] == levels[None, :]).astype(float)))
    elif levels.size > 1:
        ways.append(("given grade", graded, np.column_stack([np.ones(grades.size), grades])))
    ways.append(("association", usable, np.ones((int(usable.sum()), 1))))
    return ways


def _groups(labels: np.ndarray) -> list[str]:
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    if not 2 <= values.size <= MOST_GROUPS:
        return []
    rest = counts.sum() - counts
    large = [str(value) for value in values[(counts >= LEAST_GROUP) & (rest >= LEAST_GROUP)]]
    return large[:1] if values.size == 2 else large  # of two groups one contrast says all


def _given_grade(scored: Scored, column: str, group: str, inside: BoolArray, known: BoolArray) -> list[GroupEffect]:
    for method, kept, adjusted in _adjustments(scored, scored.usable & known):
        if min(int(inside[kept].sum()), int((~inside[kept]).sum())) < LEAST_GROUP:
            continue
        found = regress(
            scored.scores[kept], scored.variances[kept], np.column_stack([inside[kept].astype(float), adjusted])
        )
        if found is not None:
            return [_effect(found, column, group, None, method, inside[kept])]
    return []


def _between_judges(
    judge: int,
    difference: FloatArray,
    variance: FloatArray,
    column: str,
    group: str,
    inside: BoolArray,
    known: BoolArray,
) -> list[GroupEffect]:
    kept = np.isfinite(difference) & np.isfinite(variance) & known
    if min(int(inside[kept].sum()), int((~inside[kept]).sum())) < LEAST_GROUP:
        return []
    design = np.column_stack([inside[kept].astype(float), np.ones(int(kept.sum()))])
    found = regress(difference[kept], variance[kept], design)
    return [] if found is None else [_effect(found, column, group, judge, "against the other judges", inside[kept])]


def _judge_contrasts(votes: Votes, phi: float) -> list[tuple[int, FloatArray, FloatArray]]:
    judges = votes.active
    if not 2 <= judges.size <= MOST_JUDGES:
        return []
    if judges.size == 2:
        judges = judges[:1]  # of two judges one contrast says all
    linked = [(int(judge), link(votes, votes.judge == judge, phi)) for judge in judges]
    return [(judge, found.difference, found.standard_error**2) for judge, found in linked if found is not None]


def _effect(
    found: Regression, column: str, group: str, judge: int | None, method: Method, inside: BoolArray
) -> GroupEffect:
    effect, error, p_value = _first(found)
    return GroupEffect(
        column=column,
        group=group,
        judge=judge,
        method=method,
        essays=int(inside.sum()),
        others=int((~inside).sum()),
        effect=effect,
        standard_error=error,
        p_value=p_value,
        p_adjusted=p_value,
    )


def _first(found: Regression) -> tuple[float, float, float]:
    return float(found.coefficients[0]), float(found.standard_errors[0]), float(found.p_values[0])
