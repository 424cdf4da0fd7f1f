"""From positions and cuts to grade probabilities, the median grade and the range around it."""

from bisect import bisect_left

import numpy as np
from scipy.special import ndtr

from cj_pipeline.pairing.arrays import FloatArray, IntArray

ROUNDING = 1e-12


def believed(
    positions: FloatArray, variances: FloatArray, middle: FloatArray | float, reach: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """(means, variances) of where essays are: their scores, and before them that work lies on the scale at all.

    The prior is normal around the scale's middle with half the scale's length as standard deviation. It knows
    nothing of the other essays, so equal scores with equal errors mean equal grades in every batch.
    """
    weight = np.square(reach) / (np.square(reach) + variances)
    return middle + weight * (positions - middle), weight * variances


def label_probabilities(
    positions: FloatArray, variances: FloatArray, cuts: FloatArray, cut_variances: FloatArray
) -> FloatArray:
    """P(label) of each position (n, n_labels), over the uncertainty of the position and of the cuts.

    `cuts` and their variances are (n_labels - 1,) for all positions or (n, n_labels - 1), a row each.
    """
    spread = np.sqrt(variances[:, None] + cut_variances)
    below = ndtr((cuts - positions[:, None]) / spread)
    below = np.maximum.accumulate(below, axis=1)  # cuts of unequal uncertainty can cross far out in the tails
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def median_labels(probabilities: FloatArray) -> IntArray:
    """The posterior median label of each row: the first at which half of the probability is reached."""
    reached = np.cumsum(probabilities, axis=1) >= 0.5 - ROUNDING
    return reached.argmax(axis=1).astype(np.int64)


def shortest_ranges(probabilities: FloatArray, centre: IntArray, mass: float) -> tuple[IntArray, IntArray]:
    """The shortest run of labels around `centre` with at least `mass`; the heaviest of several."""
    held, starts = _heaviest_runs(probabilities, centre)
    length = (held >= mass - ROUNDING).argmax(axis=1)
    rows = np.arange(centre.size)
    return starts[rows, length], starts[rows, length] + length


def least_mass(probabilities: FloatArray, centre: IntArray, mean_mass: float) -> float:
    """The lowest `mass` with which the shortest ranges hold `mean_mass` or more on average.

    Grades are whole: ranges that each hold at least 80 % hold nearly 90 on average, and 93 where grades are wide.
    """
    held, _ = _heaviest_runs(probabilities, centre)
    rows = np.arange(centre.size)

    def on_average(mass: float) -> float:
        return float(held[rows, (held >= mass - ROUNDING).argmax(axis=1)].mean())

    candidates = np.unique(held)
    enough = bisect_left(candidates, mean_mass - ROUNDING, key=on_average)
    return float(candidates[min(enough, candidates.size - 1)])


def _heaviest_runs(probabilities: FloatArray, centre: IntArray) -> tuple[FloatArray, IntArray]:
    """Of the runs of 1, 2, ... labels around `centre` the heaviest: (probability, start), each (n, n_labels)."""
    n_rows, n_labels = probabilities.shape
    total = np.cumsum(np.pad(probabilities, ((0, 0), (1, 0))), axis=1)
    held, starts = np.ones((n_rows, n_labels)), np.zeros((n_rows, n_labels), dtype=np.int64)
    for length in range(1, n_labels):
        start = np.arange(n_labels - length + 1)
        around = (start <= centre[:, None]) & (centre[:, None] < start + length)
        inside = np.where(around, total[:, start + length] - total[:, start], -1.0)
        held[:, length - 1], starts[:, length - 1] = inside.max(axis=1), inside.argmax(axis=1)
    return held, starts


def held_near(probabilities: FloatArray, labels: IntArray, distance: int) -> FloatArray:
    """P(label within `distance` of the given one) of each row."""
    near = np.abs(np.arange(probabilities.shape[1]) - labels[:, None]) <= distance
    return np.minimum((probabilities * near).sum(axis=1), 1.0)
