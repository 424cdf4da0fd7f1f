"""The array types of the numeric library (pairing, scoring, grading), and its one common operation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def grouped_sums(groups: IntArray, values: FloatArray | None, n_groups: int) -> FloatArray:
    """Sum of the values (None: the count) in each group 0..n_groups-1."""
    sums: FloatArray = np.bincount(groups, values, minlength=n_groups).astype(np.float64, copy=False)
    return sums
