"""Cuts between grades from anchors: ordinal probit with measurement error and smooth spacing.

P(grade g of anchor a) = Phi((c_g - t_a) / s_a) - Phi((c_(g-1) - t_a) / s_a), s_a^2 = se_a^2 + (.5 step)^2
(McCullagh 1980). Widths are exp(m + e_k), e_k ~ N(0, .5^2): increasing by construction, so that grades
without an anchor, or with one, still have a place.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr

from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray

SPACING_SD = 0.5  # of log widths around their mean
STEP_SD = 1.0  # of the log mean width around the anchors' own spread per grade
WITHIN_GRADE_SD = 0.5  # steps: uniform within a grade would be .29; anchors' grades are judgments, too


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Increasing cuts between a scale's labels, in logits, with their variances and the mean grade width."""

    cuts: FloatArray  # (n_labels - 1,)
    variances: FloatArray  # (n_labels - 1,)
    step: float
    parameters: FloatArray  # first cut, m, e_1, ... : (G,)
    covariance: FloatArray  # (G, G) of the parameters


def fit_thresholds(
    positions: FloatArray,
    variances: FloatArray,
    grades: IntArray,
    scale: GradeScale,
    near: Thresholds | None = None,
) -> Thresholds:
    """Posterior mode (Laplace) of the cuts of `scale`, from anchors' positions, variances and grade indices.

    `near` is the fit of almost the same anchors, from which the search then starts.
    """
    prior_log_step = float(np.log(_typical_step(positions, variances, grades)))

    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        return _negative_log_posterior(parameters, positions, variances, grades, prior_log_step)

    if near is None:
        start = np.zeros(len(scale.grades))
        start[0] = float(np.mean(positions - (grades - 0.5) * np.exp(prior_log_step)))
        start[1] = prior_log_step
        mode = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-6}).x
    else:
        begin = near.parameters
        mode = minimize(
            objective, begin, jac=True, method="BFGS", options={"gtol": 1e-6, "hess_inv0": near.covariance}
        ).x
    covariance = np.linalg.inv(_hessian(lambda parameters: objective(parameters)[1], mode))
    covariance = (covariance + covariance.T) / 2
    cuts, jacobian, step = _cuts(mode), _cut_jacobian(mode), float(np.exp(mode[1]))
    if scale.below_lowest is not None:
        one_step_lower = np.eye(mode.size)[0] - step * np.eye(mode.size)[1]
        cuts, jacobian = np.insert(cuts, 0, cuts[0] - step), np.vstack([one_step_lower, jacobian])
    return Thresholds(
        cuts=cuts,
        variances=np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian),
        step=step,
        parameters=mode,
        covariance=covariance,
    )


def _typical_step(positions: FloatArray, variances: FloatArray, grades: IntArray) -> float:
    """The anchors' own spread, measurement error taken off, per grade of their spread in grades."""
    spread = max(positions.var() - variances.mean(), 0.1 * positions.var(), 1e-6)
    return float(np.sqrt(spread) / max(grades.std(), 0.5))


def _cuts(parameters: FloatArray) -> FloatArray:
    widths = np.exp(parameters[1] + parameters[2:])
    return parameters[0] + np.concatenate([[0.0], np.cumsum(widths)])


def _cut_jacobian(parameters: FloatArray) -> FloatArray:
    """d cuts / d (first cut, m, e_1, ...): (G - 1, G)."""
    widths = np.exp(parameters[1] + parameters[2:])
    by_width = np.tril(np.ones((widths.size + 1, widths.size)), -1) * widths
    return np.column_stack([np.ones(widths.size + 1), by_width.sum(axis=1), by_width])


def _negative_log_posterior(
    parameters: FloatArray, positions: FloatArray, variances: FloatArray, grades: IntArray, prior_log_step: float
) -> tuple[float, FloatArray]:
    edges = np.concatenate([[-np.inf], _cuts(parameters), [np.inf]])
    slack = (WITHIN_GRADE_SD * np.exp(parameters[1])) ** 2
    spread = np.sqrt(variances + slack)
    lower, upper = (edges[grades] - positions) / spread, (edges[grades + 1] - positions) / spread
    log_probability = log_interval(lower, upper)
    at_lower, at_upper = _density_ratio(lower, log_probability), _density_ratio(upper, log_probability)

    by_cut = np.bincount(grades, at_upper / spread, edges.size - 1)[:-1]
    by_cut -= np.bincount(grades, at_lower / spread, edges.size - 1)[1:]
    gradient = by_cut @ _cut_jacobian(parameters)
    moved = np.where(np.isfinite(upper), upper, 0.0) * at_upper - np.where(np.isfinite(lower), lower, 0.0) * at_lower
    gradient[1] -= (moved * slack / spread**2).sum()
    deviations = parameters[2:] / SPACING_SD
    step_deviation = (parameters[1] - prior_log_step) / STEP_SD
    gradient[1] -= step_deviation / STEP_SD
    gradient[2:] -= deviations / SPACING_SD
    value = log_probability.sum() - 0.5 * (deviations @ deviations + step_deviation**2)
    return -float(value), -gradient


def log_interval(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """log(Phi(upper) - Phi(lower)), accurate in both tails."""
    mirrored = lower + upper > 0
    low, high = np.where(mirrored, -upper, lower), np.where(mirrored, -lower, upper)
    log_high = log_ndtr(high)
    return log_high + np.log1p(-np.exp(np.minimum(log_ndtr(low) - log_high, -1e-15)))


def _density_ratio(edge: FloatArray, log_probability: FloatArray) -> FloatArray:
    return np.exp(-0.5 * edge**2 - log_probability) / np.sqrt(2 * np.pi)


def _hessian(gradient: Callable[[FloatArray], FloatArray], point: FloatArray) -> FloatArray:
    columns = []
    for index in range(point.size):
        shift = np.zeros(point.size)
        shift[index] = 1e-4
        columns.append((gradient(point + shift) - gradient(point - shift)) / 2e-4)
    matrix = np.array(columns)
    return (matrix + matrix.T) / 2
