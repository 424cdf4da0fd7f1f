"""Do the anchors stand where their grades say, as far as chance allows?"""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.grading.calibration import Calibration
from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray

LOWEST_QUANTILE = 0.01  # false blocks of a judge that agrees with the grades
CHANCE_QUANTILE = 0.95  # false passes of a judge that does not
LARGEST_DEVIATION = 3.0  # standard errors off the band
SIGNAL = 1.645  # standard errors of the slope of score on grade: 5 % for a coin
FEWEST_FOR_CHANCE = 4  # three anchors fall into order by chance once in six
SIMULATED_SIGNS = 20_000_000  # simulations x pairs of anchors
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
    n_pairs = anchors.items.size * (anchors.items.size - 1) // 2
    repeats = int(np.clip(SIMULATED_SIGNS // n_pairs, 200, 4000))
    low = float(np.quantile(kendall_tau(_simulated(anchors, scale, repeats, rng), anchors.grades), LOWEST_QUANTILE))
    shuffled = rng.permuted(np.tile(anchors.positions, (repeats, 1)), axis=1)
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
    if deviation > LARGEST_DEVIATION:
        faults.append(f"an anchor stands {deviation:.1f} SE off the band of its grade")
    return faults


def kendall_tau(positions: FloatArray, grades: IntArray) -> FloatArray:
    """Kendall's tau-b of each row of positions (repeats, n) with the grades (n,)."""
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


def _simulated(anchors: Calibration, scale: GradeScale, repeats: int, rng: np.random.Generator) -> FloatArray:
    """Anchors uniform within the band of their grade, seen with their standard errors."""
    cuts, step = anchors.thresholds.cuts[scale.labels_below :], anchors.thresholds.step
    edges = np.concatenate([[cuts[0] - step], cuts, [cuts[-1] + step]])
    low, high = edges[anchors.grades], edges[anchors.grades + 1]
    places = low + (high - low) * rng.random((repeats, anchors.items.size))
    return places + np.sqrt(anchors.variances) * rng.standard_normal(places.shape)


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
