"""Cuts between grades from anchors: ordinal probit with measurement error and smooth spacing.

P(grade g of anchor a) = Phi((c_g - t_a) / s_a) - Phi((c_(g-1) - t_a) / s_a), s_a^2 = se_a^2 + (.5 step)^2
(McCullagh 1980). Widths are exp(m + e_k), e_k ~ N(0, .5^2): increasing by construction, so that grades
without an anchor, or with one, still have a place.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr

from cj_pipeline.grading.scales import GradeScale
from cj_pipeline.pairing.arrays import FloatArray, IntArray

SPACING_SD = 0.5  # of log widths around their mean
STEP_SD = 1.0  # of the log mean width around the anchors' own spread per grade
WITHIN_GRADE_SD = 0.5  # steps: uniform within a grade would be .29; anchors' grades are judgments, too
GRADIENT_TOLERANCE = 1e-6
NEWTON_STEPS = 12  # two to five are enough from the fit of all anchors; what has not settled then is searched for
DIFFERENCE = 1e-4
LARGEST_LOG = 30.0  # of a width; where the search may look without overflow


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Increasing cuts between a scale's labels, in logits, with their variances and the mean grade width."""

    cuts: FloatArray  # (n_labels - 1,)
    variances: FloatArray  # (n_labels - 1,)
    step: float
    parameters: FloatArray  # first cut, m, e_1, ... : (G,)
    covariance: FloatArray  # (G, G) of the parameters

    @property
    def middle(self) -> float:
        """Half way between the outer cuts, in logits."""
        return float(self.cuts[0] + self.cuts[-1]) / 2

    @property
    def reach(self) -> float:
        """Half the length of the scale in logits, its open ends counted as one mean grade width each."""
        return float(self.cuts[-1] - self.cuts[0]) / 2 + self.step


@dataclass(frozen=True, slots=True)
class _Anchors:
    """What cuts are fitted to: (n,) each, and which of them each of m fits counts, (m, n)."""

    positions: FloatArray
    variances: FloatArray
    grades: IntArray
    counted: FloatArray
    prior_log_steps: FloatArray  # (m,)
    by_lower: FloatArray  # (n, G - 1): 1 where the cut is the lower edge of the anchor's grade
    by_upper: FloatArray

    def only(self, row: int) -> "_Anchors":
        """One of the fits."""
        return replace(self, counted=self.counted[[row]], prior_log_steps=self.prior_log_steps[[row]])

    def repeated(self, times: int) -> "_Anchors":
        """All of the fits, and again."""
        counted, log_steps = np.tile(self.counted, (times, 1)), np.tile(self.prior_log_steps, times)
        return replace(self, counted=counted, prior_log_steps=log_steps)


def fit_thresholds(positions: FloatArray, variances: FloatArray, grades: IntArray, scale: GradeScale) -> Thresholds:
    """Posterior mode (Laplace) of the cuts of `scale`, from anchors' positions, variances and grade indices."""
    anchors = _anchors(positions, variances, grades, np.ones((1, grades.size)), len(scale.grades))
    mode = _search(anchors, _start(anchors, len(scale.grades)))
    return _described(mode, _hessians(mode[None, :], anchors)[0], scale)


def fit_thresholds_without_each(
    positions: FloatArray, variances: FloatArray, grades: IntArray, scale: GradeScale, near: Thresholds
) -> list[Thresholds]:
    """The same from all anchors but one, for each of them in turn; `near` is the fit of all."""
    anchors = _anchors(positions, variances, grades, 1 - np.eye(grades.size), len(scale.grades))
    modes = np.tile(near.parameters, (grades.size, 1))
    for _ in range(NEWTON_STEPS):
        _, gradients = _negative_log_posteriors(modes, anchors)
        hessians = _hessians(modes, anchors)
        modes = modes - np.clip(np.linalg.solve(hessians, gradients[:, :, None])[:, :, 0], -1.0, 1.0)
        if np.abs(gradients).max() < GRADIENT_TOLERANCE:
            break
    _, gradients = _negative_log_posteriors(modes, anchors)
    hessians = _hessians(modes, anchors)
    settled = (np.abs(gradients).max(axis=1) < GRADIENT_TOLERANCE) & (np.linalg.eigvalsh(hessians)[:, 0] > 0)
    for row in np.flatnonzero(~settled).tolist():
        modes[row] = _search(anchors.only(row), near.parameters)
        hessians[row] = _hessians(modes[[row]], anchors.only(row))[0]
    return [_described(mode, hessian, scale) for mode, hessian in zip(modes, hessians, strict=True)]


def _anchors(
    positions: FloatArray, variances: FloatArray, grades: IntArray, counted: FloatArray, n_grades: int
) -> _Anchors:
    cut = np.arange(n_grades - 1)
    steps = [_typical_step(positions[row], variances[row], grades[row]) for row in counted > 0]
    return _Anchors(
        positions=positions,
        variances=variances,
        grades=grades,
        counted=counted,
        prior_log_steps=np.log(steps),
        by_lower=(cut == grades[:, None] - 1).astype(np.float64),
        by_upper=(cut == grades[:, None]).astype(np.float64),
    )


def _start(anchors: _Anchors, n_grades: int) -> FloatArray:
    start = np.zeros(n_grades)
    log_step = anchors.prior_log_steps[0]
    start[0] = float(np.mean(anchors.positions - (anchors.grades - 0.5) * np.exp(log_step)))
    start[1] = log_step
    return start


def _search(anchors: _Anchors, start: FloatArray) -> FloatArray:
    def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
        values, gradients = _negative_log_posteriors(parameters[None, :], anchors)
        return float(values[0]), gradients[0]

    return minimize(objective, start, jac=True, method="BFGS", options={"gtol": GRADIENT_TOLERANCE}).x


def _described(mode: FloatArray, hessian: FloatArray, scale: GradeScale) -> Thresholds:
    covariance = np.linalg.inv(hessian)
    covariance = (covariance + covariance.T) / 2
    cuts, jacobian, step = _cuts(mode), _cut_jacobian(mode), float(_bounded_exp(mode[1]))
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


def _bounded_exp(logarithm: FloatArray) -> FloatArray:
    return np.exp(np.clip(logarithm, -LARGEST_LOG, LARGEST_LOG))


def _cuts(parameters: FloatArray) -> FloatArray:
    widths = _bounded_exp(parameters[1] + parameters[2:])
    return parameters[0] + np.concatenate([[0.0], np.cumsum(widths)])


def _cut_jacobian(parameters: FloatArray) -> FloatArray:
    """d cuts / d (first cut, m, e_1, ...): (G - 1, G)."""
    widths = _bounded_exp(parameters[1] + parameters[2:])
    by_width = np.tril(np.ones((widths.size + 1, widths.size)), -1) * widths
    return np.column_stack([np.ones(widths.size + 1), by_width.sum(axis=1), by_width])


def _negative_log_posteriors(parameters: FloatArray, anchors: _Anchors) -> tuple[FloatArray, FloatArray]:
    """(m,) values and (m, G) gradients of m fits at once."""
    steps, widths = _bounded_exp(parameters[:, 1]), _bounded_exp(parameters[:, [1]] + parameters[:, 2:])
    edges = np.empty((len(parameters), parameters.shape[1] + 1))
    edges[:, 0], edges[:, -1] = -np.inf, np.inf
    edges[:, 1] = parameters[:, 0]
    edges[:, 2:-1] = parameters[:, [0]] + np.cumsum(widths, axis=1)
    slack = (WITHIN_GRADE_SD * steps[:, None]) ** 2
    spread = np.sqrt(anchors.variances + slack)
    lower = (edges[:, anchors.grades] - anchors.positions) / spread
    upper = (edges[:, anchors.grades + 1] - anchors.positions) / spread
    log_probability = log_interval(lower, upper)
    at_lower = anchors.counted * _density_ratio(lower, log_probability)
    at_upper = anchors.counted * _density_ratio(upper, log_probability)

    by_cut = (at_upper / spread) @ anchors.by_upper - (at_lower / spread) @ anchors.by_lower
    by_width = widths * np.cumsum(by_cut[:, :0:-1], axis=1)[:, ::-1]
    moved = np.where(np.isfinite(upper), upper, 0.0) * at_upper - np.where(np.isfinite(lower), lower, 0.0) * at_lower
    deviations = parameters[:, 2:] / SPACING_SD
    step_deviations = (parameters[:, 1] - anchors.prior_log_steps) / STEP_SD
    gradients = np.empty_like(parameters)
    gradients[:, 0] = by_cut.sum(axis=1)
    gradients[:, 1] = by_width.sum(axis=1) - (moved * slack / spread**2).sum(axis=1) - step_deviations / STEP_SD
    gradients[:, 2:] = by_width - deviations / SPACING_SD
    values = (anchors.counted * log_probability).sum(axis=1)
    return 0.5 * ((deviations**2).sum(axis=1) + step_deviations**2) - values, -gradients


def log_interval(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """log(Phi(upper) - Phi(lower)), accurate in both tails."""
    mirrored = lower + upper > 0
    low, high = np.where(mirrored, -upper, lower), np.where(mirrored, -lower, upper)
    log_high = log_ndtr(high)
    return log_high + np.log1p(-np.exp(np.minimum(log_ndtr(low) - log_high, -1e-15)))


def _density_ratio(edge: FloatArray, log_probability: FloatArray) -> FloatArray:
    return np.exp(-0.5 * edge**2 - log_probability) / np.sqrt(2 * np.pi)


def _hessians(modes: FloatArray, anchors: _Anchors) -> FloatArray:
    """(m, G, G) by central differences of the gradients."""
    n_fits, n_parameters = modes.shape
    shifts = DIFFERENCE * np.concatenate([np.eye(n_parameters), -np.eye(n_parameters)])
    shifted = (modes[None, :, :] + shifts[:, None, :]).reshape(-1, n_parameters)
    _, gradients = _negative_log_posteriors(shifted, anchors.repeated(2 * n_parameters))
    above, below = gradients.reshape(2, n_parameters, n_fits, n_parameters)
    matrices = (above - below).transpose(1, 0, 2) / (2 * DIFFERENCE)
    return (matrices + matrices.transpose(0, 2, 1)) / 2
