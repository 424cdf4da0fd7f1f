"""Do the anchors' scores follow their grades: better than chance, in a likely order, none far off its band?

A judge that differs from the grades a little everywhere has wide ranges, not wrong ones, so the gate allows for
the discrepancy that the projection itself allows for.
"""

from dataclasses import dataclass
from itertools import permutations
from math import factorial, prod

import numpy as np
from scipy.special import ndtri
from scipy.stats import kendalltau

from cj_pipeline.grading.calibration import Calibration
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray

CHANCE = 1 / 24  # of passing without knowing the grades: what four anchors in perfect order show
SIGNAL = 1.645  # standard errors of the slope of score on grade: 5 % for a coin
LOWEST_QUANTILE = 0.01  # false blocks of a judge that agrees with the grades
LARGEST_DEVIATION = 3.0  # standard errors off the band
CHANCE_OF_DEVIATION = 0.005  # that any anchor of an agreeing judge is so far off; with many anchors the limit rises
SIMULATIONS = 2_000
SHUFFLES = 9_999
ALL_ORDERS_UP_TO = 7  # anchors: 5,040 orders
ROUNDING = 1e-9
SORT_ABOVE = 60  # anchors; above, sorting beats comparing every two
SIMULATION_SEED = 20_260_501


@dataclass(frozen=True, slots=True)
class AnchorGate:
    """Figures of the anchor gate, of the component with most anchors."""

    kendall_tau: float  # tau-b of score and given grade
    kendall_tau_quantile: float  # its 1 % quantile when the fitted cuts and discrepancy are true
    chance: float  # share of shuffled grades that the scores rise with as much
    signal: float  # slope of score on grade in standard errors
    largest_deviation: float  # of an anchor from the band of its grade, cuts fitted without it, in SE
    largest_deviation_anchor: int  # item index
    passes: bool
    reason: str | None


def judge_anchors(anchors: Calibration, scale: GradeScale) -> AnchorGate:
    """Compare the anchors' order and places with what the fitted model, and chance, would give."""
    rng = np.random.default_rng(SIMULATION_SEED)
    tau = float(kendall_tau(anchors.positions[None, :], anchors.grades)[0])
    low = float(np.quantile(kendall_tau(_simulated(anchors, rng), anchors.grades), LOWEST_QUANTILE))
    chance = _chance(anchors, rng)
    signal = _slope_in_standard_errors(anchors)
    deviations = _deviations(anchors, scale)
    worst = int(deviations.argmax())
    faults = [*_no_signal(anchors.grades, chance, signal), *_contradictions(tau, low, deviations)]
    return AnchorGate(
        kendall_tau=tau,
        kendall_tau_quantile=low,
        chance=chance,
        signal=signal,
        largest_deviation=float(deviations[worst]),
        largest_deviation_anchor=int(anchors.items[worst]),
        passes=not faults,
        reason="; ".join(faults) or None,
    )


def _no_signal(grades: IntArray, chance: float, signal: float) -> list[str]:
    """Too few anchors fall into perfect order by chance: that is then the least, and their own errors decide too."""
    attainable = _least_chance(grades)
    limit = max(CHANCE, attainable) + ROUNDING
    if chance > limit:
        return [
            f"the anchors' scores rise with their grades no more than with shuffled ones "
            f"(so much in {chance:.0%} of shuffles, at most {limit:.0%})"
        ]
    if attainable > CHANCE + ROUNDING and signal < SIGNAL:
        return [f"the anchors' scores do not rise with their grades ({signal:.1f} SE, at least {SIGNAL})"]
    return []


def _contradictions(tau: float, low: float, deviations: FloatArray) -> list[str]:
    faults = []
    if tau < low:
        faults.append(f"the anchors are out of order (Kendall tau {tau:.2f}, 1 % quantile {low:.2f})")
    if deviations.max() > max(LARGEST_DEVIATION, float(ndtri(1 - CHANCE_OF_DEVIATION / deviations.size))):
        faults.append(f"an anchor stands {deviations.max():.1f} SE off the band of its grade")
    return faults


def kendall_tau(positions: FloatArray, grades: IntArray) -> FloatArray:
    """Kendall's tau-b of each row of positions (repeats, n) with the grades (n,)."""
    if grades.size > SORT_ABOVE:
        return np.array([kendalltau(row, grades).statistic for row in positions])
    one, other = np.triu_indices(grades.size, 1)
    differ = np.sign(grades[one] - grades[other]).astype(np.float64)
    compared = np.flatnonzero(differ)
    untied = np.sqrt(float(compared.size) * one.size)
    if not untied:
        return np.full(len(positions), np.nan)
    return np.sign(positions[:, one[compared]] - positions[:, other[compared]]) @ differ[compared] / untied


def _simulated(anchors: Calibration, rng: np.random.Generator) -> FloatArray:
    """Anchors uniform within the band of their grade, seen with their errors, over the cuts' own posterior."""
    fitted = anchors.thresholds
    drawn = rng.multivariate_normal(fitted.parameters, fitted.covariance, size=SIMULATIONS)
    step = np.exp(drawn[:, [1]])
    edges = np.cumsum(np.hstack([drawn[:, [0]] - step, step, np.exp(drawn[:, [1]] + drawn[:, 2:]), step]), axis=1)
    low, high = edges[:, anchors.grades], edges[:, anchors.grades + 1]
    places = low + (high - low) * rng.random(low.shape)
    discrepancy = rng.choice(anchors.discrepancies, size=(SIMULATIONS, 1), p=anchors.probable)
    return places + np.sqrt(anchors.variances + discrepancy**2) * rng.standard_normal(low.shape)


def _chance(anchors: Calibration, rng: np.random.Generator) -> float:
    """One-sided permutation test of the slope of score on grade (Pitman 1937); all orders of a few anchors."""
    centred = anchors.grades - anchors.grades.mean()
    slope = centred @ anchors.positions
    few = centred.size <= ALL_ORDERS_UP_TO
    shuffled = np.array(list(permutations(centred))) if few else rng.permuted(np.tile(centred, (SHUFFLES, 1)), axis=1)
    as_steep = int((shuffled @ anchors.positions >= slope - ROUNDING).sum())
    return as_steep / len(shuffled) if few else (1 + as_steep) / (1 + SHUFFLES)


def _least_chance(grades: IntArray) -> float:
    """Share of shuffles that leave the grades as they are: the best that a perfect order can show."""
    return prod(factorial(int(count)) for count in np.bincount(grades)) / factorial(grades.size)


def _slope_in_standard_errors(anchors: Calibration) -> float:
    centred = anchors.grades - anchors.grades.mean()
    return float(centred @ anchors.positions / np.sqrt(centred**2 @ anchors.variances))


def _deviations(anchors: Calibration, scale: GradeScale) -> FloatArray:
    """How far each anchor lies outside the band of its grade; 0 inside.

    In standard errors of its score, of the band's edge and of the discrepancy, both fitted without it: an anchor
    with a wrong grade must not excuse itself.
    """
    edge = np.pad(anchors.cuts_without[:, scale.labels_below :], ((0, 0), (1, 1)), constant_values=np.inf)
    edge[:, 0] = -np.inf
    variance = np.pad(anchors.cut_variances_without[:, scale.labels_below :], ((0, 0), (1, 1)))
    rows, grade = np.arange(anchors.items.size), anchors.grades
    own = anchors.variances + anchors.probable_without @ anchors.discrepancies**2
    below = (edge[rows, grade] - anchors.positions) / np.sqrt(own + variance[rows, grade])
    above = (anchors.positions - edge[rows, grade + 1]) / np.sqrt(own + variance[rows, grade + 1])
    return np.maximum(np.maximum(below, above), 0.0)
