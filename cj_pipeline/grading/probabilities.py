"""From positions and cuts to grade probabilities, the median grade and the 80 % range."""

import numpy as np
from scipy.special import ndtr

from cj_pipeline.pairing.arrays import FloatArray, IntArray


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
    reached = np.cumsum(probabilities, axis=1) >= 0.5 - 1e-12
    return reached.argmax(axis=1).astype(np.int64)


def shortest_ranges(probabilities: FloatArray, centre: IntArray, mass: float) -> tuple[IntArray, IntArray]:
    """The shortest run of labels around `centre` with at least `mass`; the heaviest of several."""
    n_rows, n_labels = probabilities.shape
    total = np.cumsum(np.pad(probabilities, ((0, 0), (1, 0))), axis=1)
    low, high = np.zeros(n_rows, dtype=np.int64), np.full(n_rows, n_labels - 1, dtype=np.int64)
    open_rows = np.ones(n_rows, dtype=bool)
    for length in range(1, n_labels + 1):
        starts = np.arange(n_labels - length + 1)
        held = total[:, starts + length] - total[:, starts]
        around = (starts <= centre[:, None]) & (centre[:, None] < starts + length)
        best = np.where(around, held, -1.0).argmax(axis=1)
        settled = open_rows & (held[np.arange(n_rows), best] >= mass - 1e-12)
        low[settled], high[settled] = best[settled], best[settled] + length - 1
        open_rows &= ~settled
    return low, high


def held_near(probabilities: FloatArray, labels: IntArray, distance: int) -> FloatArray:
    """P(label within `distance` of the given one) of each row."""
    near = np.abs(np.arange(probabilities.shape[1]) - labels[:, None]) <= distance
    return np.minimum((probabilities * near).sum(axis=1), 1.0)
