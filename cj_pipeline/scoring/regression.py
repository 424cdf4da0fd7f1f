"""Random-effects regression: what is known about essays against their scores, each score with its own error."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from cj_pipeline.pairing.arrays import FloatArray

LEAST_FREE = 4  # degrees of freedom; below, no standard error deserves its name


@dataclass(frozen=True, slots=True)
class Regression:
    """Coefficients (k,) with standard errors and two-sided p values (t distribution)."""

    coefficients: FloatArray
    standard_errors: FloatArray
    p_values: FloatArray
    degrees_of_freedom: int
    excess_sd: float  # of the essays around the line, beyond the errors of their scores


def regress(values: FloatArray, variances: FloatArray, design: FloatArray) -> Regression | None:
    """Fit values (n,) with known error variances (n,) on design (n, k); None where the data cannot carry it.

    The variance around the line beyond the known errors is Paule & Mandel's (1982), the standard errors are Knapp
    & Hartung's (2003), never below the plain ones: the unit is the essay, however often it was compared.
    """
    n_values, n_columns = design.shape
    free = n_values - n_columns
    if free < LEAST_FREE or np.linalg.matrix_rank(design) < n_columns:
        return None

    def fitted(excess: float) -> tuple[FloatArray, FloatArray, float]:
        weights = 1 / (variances + excess)
        covariance: FloatArray = np.linalg.inv((design.T * weights) @ design).astype(np.float64)
        coefficients = covariance @ (design.T @ (weights * values))
        residual = values - design @ coefficients
        return coefficients, covariance, float(weights @ residual**2)

    excess, most = 0.0, float(np.ptp(values)) ** 2 + float(variances.max())
    if fitted(0.0)[2] > free:
        excess = float(brentq(lambda trial: fitted(trial)[2] - free, 0.0, most * n_values))
    coefficients, covariance, misfit = fitted(excess)
    errors = np.sqrt(np.diagonal(covariance) * max(1.0, misfit / free))
    return Regression(
        coefficients=coefficients,
        standard_errors=errors,
        p_values=2 * stats.t.sf(np.abs(coefficients / errors), free),
        degrees_of_freedom=free,
        excess_sd=float(np.sqrt(excess)),
    )
