"""Reliability and grade accuracy against budget, by a law instead of a simulation: instant at any size.

An essay met K times by a judge that follows the model has a squared error of about 1 / (K E[pq]), pq being the
information of one comparison. A curve through a simulated plan follows the law and keeps the plan's own level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from cj_pipeline.grading.forecast import Forecast, grade_edges
from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.pairing.single_wave import divide_budget
from cj_pipeline.scoring.fit import DEFAULT_PRIOR_SD

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(81)  # quadrature over a standard normal
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_SWEEPS = 200


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who is compared: pupils with normally distributed quality, and anchors. Without grades `n_grades` is 0."""

    n_pupils: int
    n_anchors: int
    n_grades: int = 0

    @property
    def n_essays(self) -> int:
        """All of them."""
        return self.n_pupils + self.n_anchors

    @property
    def gradable(self) -> bool:
        """Whether there are pupils, and anchors with grades to grade them by."""
        return min(self.n_pupils, self.n_anchors, self.n_grades) > 0

    @property
    def every_pair(self) -> int:
        """The most different pairs there are."""
        return comb(self.n_essays, 2)

    def pairs_for(self, comparisons_per_essay: float) -> int:
        """Pairs that put each essay into that many comparisons on average, at most every pair."""
        return max(1, min(self.every_pair, round(comparisons_per_essay * self.n_essays / 2)))


def expected(cohort: Cohort, pairs: int, judge_sd: float) -> Forecast:
    """What a plan of that many pairs promises by the law alone.

    Simulated plans of 4 to 40 comparisons per essay lie within .05 in reliability and .1 in the share of exact
    grades: the law knows the mean information of a comparison, not that of each essay.
    """
    variance = _variance(2 * pairs / cohort.n_essays, mean_information(judge_sd), DEFAULT_PRIOR_SD**-2)
    exact, adjacent = _accuracy(cohort, pairs, judge_sd, 1.0) if cohort.gradable else (None, None)
    return Forecast(
        judge_sd=judge_sd,
        reliability=expected_reliability(cohort, pairs, judge_sd),
        mean_standard_error=float(np.sqrt(variance)),
        exact=exact,
        adjacent=adjacent,
    )


def expected_reliability(cohort: Cohort, pairs: int, judge_sd: float) -> float:
    """Squared correlation of score and quality by the law: 1 - v / sd^2 under a prior as wide as the essays are."""
    variance = _variance(2 * pairs / cohort.n_essays, mean_information(judge_sd), judge_sd**-2)
    return float(np.clip(1 - variance / judge_sd**2, 0, 1))


def expected_beside(cohort: Cohort, pairs: int, simulated: Forecast, simulated_pairs: int) -> Forecast:
    """The law, moved so that it passes through a simulated plan.

    Reliability moves in logits, the standard error by a factor; the error behind the grades is stretched until the
    share of exact grades is the simulated one.
    """
    here = expected(cohort, pairs, simulated.judge_sd)
    there = expected(cohort, simulated_pairs, simulated.judge_sd)
    exact, adjacent = here.exact, here.adjacent
    if cohort.gradable and simulated.exact is not None:
        stretch = _stretch(cohort, simulated_pairs, simulated.judge_sd, simulated.exact)
        exact, adjacent = _accuracy(cohort, pairs, simulated.judge_sd, stretch)
    return replace(
        here,
        reliability=_moved(here.reliability, there.reliability, simulated.reliability),
        mean_standard_error=here.mean_standard_error * simulated.mean_standard_error / there.mean_standard_error,
        exact=exact,
        adjacent=adjacent,
    )


def smallest_budget(cohort: Cohort, target: float, simulated: Forecast, simulated_pairs: int) -> int | None:
    """The fewest pairs whose expected reliability reaches the target; None when every pair does not.

    The plan's own pairs, being simulated, answer for themselves. Raises ValueError unless 0 < target < 1.
    """
    if not 0 < target < 1:
        raise ValueError(f"a reliability lies between 0 and 1; {target} does not")

    there = expected_reliability(cohort, simulated_pairs, simulated.judge_sd)

    def reached(pairs: int) -> bool:
        here = expected_reliability(cohort, pairs, simulated.judge_sd)
        return _moved(here, there, simulated.reliability) >= target

    too_few, enough = 0, cohort.every_pair
    if not reached(enough):
        return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if reached(middle) else (middle, enough)
    return enough


def usual_budgets(cohort: Cohort, pairs: int, per_essay: Sequence[int] = (4, 6, 8, 10, 14, 20, 28, 40)) -> list[int]:
    """Numbers of pairs for a curve: the usual comparisons per essay, as far as there are pairs, and the plan's own."""
    return sorted({pairs, *(cohort.pairs_for(count) for count in per_essay if count < cohort.n_essays)})


def mean_information(judge_sd: float) -> float:
    """E[p(1-p)] of a comparison between two essays of a normal cohort: .146 at sd 1.5, .101 at 2.5."""
    p = expit(np.sqrt(2) * judge_sd * _NODES)
    return float(_WEIGHTS @ (p * (1 - p)))


def _variance(per_essay: float, information: float, precision: float) -> float:
    """Squared error of a score: v = 1 / (K w + precision - K w^2 v), the opponents' own errors included."""
    variance = 0.0
    for _ in range(_SWEEPS):
        variance = 1 / max(per_essay * information + precision - per_essay * information**2 * variance, 1e-3)
    return variance


def _accuracy(cohort: Cohort, pairs: int, judge_sd: float, stretch: float) -> tuple[float, float]:
    """Shares of pupils graded exactly and within one; cuts err as a line through the anchors does."""
    among, across, among_anchors = divide_budget(cohort.n_pupils, cohort.n_anchors, pairs)
    information, edges = mean_information(judge_sd), grade_edges(cohort.n_grades, judge_sd)
    precision, width = DEFAULT_PRIOR_SD**-2, float(edges[1] - edges[0])
    pupil = _variance((2 * among + across) / cohort.n_pupils, information, precision)
    anchor = _variance((across + 2 * among_anchors) / cohort.n_anchors, information, precision)
    spread = stretch * np.sqrt(pupil + 2 * (anchor + width**2 / 12) / cohort.n_anchors)
    quality, cuts = judge_sd * _NODES, edges[1:-1]
    below: FloatArray = ndtr((cuts - quality[:, None]) / spread)
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    distance = np.abs(np.arange(cohort.n_grades) - np.searchsorted(cuts, quality)[:, None])
    exact, adjacent = (float(_WEIGHTS @ (shares * (distance <= most)).sum(axis=1)) for most in (0, 1))
    return exact, adjacent


def _stretch(cohort: Cohort, pairs: int, judge_sd: float, exact: float) -> float:
    """The factor on the error at which the law's share of exact grades is the one given; within 1/3 to 3."""

    def surplus(log_stretch: float) -> float:
        return _accuracy(cohort, pairs, judge_sd, float(np.exp(log_stretch)))[0] - exact

    low, high = -np.log(3.0), np.log(3.0)
    if surplus(low) <= 0 or surplus(high) >= 0:
        return float(np.exp(low if surplus(low) <= 0 else high))
    return float(np.exp(brentq(surplus, low, high)))


def _moved(here: float, there: float, simulated: float) -> float:
    low, high = 1e-3, 1 - 1e-3
    shift = logit(np.clip(simulated, low, high)) - logit(np.clip(there, low, high))
    return float(expit(logit(np.clip(here, low, high)) + shift))
