"""Do the anchors stand where their grades say, as far as chance allows?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import kendalltau

from cj_pipeline.grading.calibration import Calibration
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray

LOWEST_QUANTILE = 0.01  # false blocks of a judge that agrees with the grades
CHANCE_QUANTILE = 0.95  # false passes of a judge that does not
LARGEST_DEVIATION = 3.0  # standard errors off the band, among up to a dozen anchors
CHANCE_OF_DEVIATION = 12 * 0.00135  # of any anchor at the limit; holds the false blocks where there are more
SIGNAL = 1.645  # standard errors of the slope of score on grade: 5 % for a coin
FEWEST_FOR_CHANCE = 4  # three anchors fall into order by chance once in six
SIMULATIONS = 2_000
SORT_ABOVE = 60  # anchors; above, sorting beats comparing every two
SIMULATION_SEED = 20_260_501


@dataclass(frozen=True, slots=True)
class AnchorGate:
    """Figures of the anchor gate, of the component with most anchors."""

    kendall_tau: float  # tau-b of score and given grade
    kendall_tau_quantile: float  # its 1 % quantile when the fitted cuts are true
    kendall_tau_chance: float  # its 95 % quantile when the grades are shuffled
    signal: float  # slope of score on grade in standard errors
    largest_deviation: float  # of an anchor from the band of its grade, cuts fitted without it, in SE
    largest_deviation_anchor: int  # item index
    passes: bool
    reason: str | None


def judge_anchors(anchors: Calibration, scale: GradeScale) -> AnchorGate:
    """Compare the anchors' order and places with what the fitted model, and chance, would give."""
    rng = np.random.default_rng(SIMULATION_SEED)
    tau = float(kendall_tau(anchors.positions[None, :], anchors.grades)[0])
    simulated = _simulated(anchors, SIMULATIONS, rng)
    low = float(np.quantile(kendall_tau(simulated, anchors.grades), LOWEST_QUANTILE))
    shuffled = rng.permuted(np.tile(anchors.positions, (SIMULATIONS, 1)), axis=1)
    chance = float(np.quantile(kendall_tau(shuffled, anchors.grades), CHANCE_QUANTILE))
    signal = _slope_in_standard_errors(anchors)
    deviations = _deviations(anchors, scale)
    worst = int(deviations.argmax())
    faults = _faults(anchors, tau, low, chance, signal, float(deviations[worst]))
    return AnchorGate(
        kendall_tau=tau,
        kendall_tau_quantile=low,
        kendall_tau_chance=chance,
        signal=signal,
        largest_deviation=float(deviations[worst]),
        largest_deviation_anchor=int(anchors.items[worst]),
        passes=not faults,
        reason="; ".join(faults) or None,
    )


def _faults(anchors: Calibration, tau: float, low: float, chance: float, signal: float, deviation: float) -> list[str]:
    faults = []
    if signal < SIGNAL:
        faults.append(f"the anchors' scores do not rise with their grades ({signal:.1f} SE, at least {SIGNAL})")
    elif anchors.items.size >= FEWEST_FOR_CHANCE and tau < chance:
        faults.append(f"the anchors are in no better order than chance (Kendall tau {tau:.2f}, chance {chance:.2f})")
    elif tau < low:
        faults.append(f"the anchors are out of order (Kendall tau {tau:.2f}, 1 % quantile {low:.2f})")
    if deviation > max(LARGEST_DEVIATION, float(ndtri(1 - CHANCE_OF_DEVIATION / anchors.items.size))):
        faults.append(f"an anchor stands {deviation:.1f} SE off the band of its grade")
    return faults


def kendall_tau(positions: FloatArray, grades: IntArray) -> FloatArray:
    """Kendall's tau-b of each row of positions (repeats, n) with the grades (n,)."""
    if grades.size > SORT_ABOVE:
        return np.array([kendalltau(row, grades).statistic for row in positions])
    one, other = np.triu_indices(grades.size, 1)
    differ = np.sign(grades[one] - grades[other])
    compared = np.flatnonzero(differ)
    untied = np.sqrt(float(compared.size) * one.size)
    return np.array(
        [
            (np.sign(row[one[compared]] - row[other[compared]]) @ differ[compared]) / untied if untied else np.nan
            for row in positions
        ]
    )


def _simulated(anchors: Calibration, repeats: int, rng: np.random.Generator) -> FloatArray:
    """Anchors uniform within the band of their grade, seen with their errors, over the cuts' own posterior."""
    fitted = anchors.thresholds
    drawn = rng.multivariate_normal(fitted.parameters, fitted.covariance, size=repeats)
    step = np.exp(drawn[:, [1]])
    edges = np.cumsum(np.hstack([drawn[:, [0]] - step, step, np.exp(drawn[:, [1]] + drawn[:, 2:]), step]), axis=1)
    low, high = edges[:, anchors.grades], edges[:, anchors.grades + 1]
    places = low + (high - low) * rng.random(low.shape)
    return places + np.sqrt(anchors.variances) * rng.standard_normal(low.shape)


def _slope_in_standard_errors(anchors: Calibration) -> float:
    centred = anchors.grades - anchors.grades.mean()
    return float(centred @ anchors.positions / np.sqrt(centred**2 @ anchors.variances))


def _deviations(anchors: Calibration, scale: GradeScale) -> FloatArray:
    """How far each anchor lies outside the band of its grade, in standard errors of both; 0 inside."""
    edge = np.pad(anchors.cuts_without[:, scale.labels_below :], ((0, 0), (1, 1)), constant_values=np.inf)
    edge[:, 0] = -np.inf
    variance = np.pad(anchors.cut_variances_without[:, scale.labels_below :], ((0, 0), (1, 1)))
    rows, grade = np.arange(anchors.items.size), anchors.grades
    below = (edge[rows, grade] - anchors.positions) / np.sqrt(anchors.variances + variance[rows, grade])
    above = (anchors.positions - edge[rows, grade + 1]) / np.sqrt(anchors.variances + variance[rows, grade + 1])
    return np.maximum(np.maximum(below, above), 0.0)
