"""A panel in one fit: scores, an order effect and a discrimination per judge.

Model: logit P(A wins) = a[judge] (score[A] - score[B]) + order[judge]; log a ~ N(0, .5^2), product of a = 1.
Crowd-BT's (Chen et al. 2013) sharper and blunter judges, kept positive; Newton's method on the joint mode.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.fit import NotConverged
from cj_pipeline.scoring.information import centred, pin_components
from cj_pipeline.scoring.newton import GRADIENT_TOLERANCE
from cj_pipeline.scoring.panel_likelihood import (
    DENSE_UP_TO,
    DISCRIMINATION_PRIOR_SD,
    PanelInformation,
    PanelLikelihood,
)
from cj_pipeline.scoring.standard_errors import EXACT_UP_TO, cavity_variances

MAX_STEPS = 100
LONGEST_STEP = 3.0  # logits of a score, and units of log a


@dataclass(frozen=True, slots=True)
class PanelFit:
    """The joint mode; scores are centred within components, judges numbered as in the input.

    `scores` (n,) are in logits of a judge of discrimination 1, the panel's geometric mean. Orders and
    discriminations are (J,), `probability` (m,) is P(A wins).
    """

    scores: FloatArray
    orders: FloatArray
    order_variances: FloatArray
    discriminations: FloatArray
    discrimination_standard_errors: FloatArray
    probability: FloatArray
    gradient_norm: float
    iterations: int
    components: IntArray
    likelihood: PanelLikelihood
    information: PanelInformation


@dataclass(frozen=True, slots=True)
class PanelErrors:
    """Variances of a panel's centred scores, and its scores without the prior's pull; all (n,)."""

    variances: FloatArray
    unshrunk: FloatArray
    unshrunk_variances: FloatArray


def fit_panel(
    first: IntArray,
    second: IntArray,
    outcome: FloatArray,
    judge: IntArray,
    components: IntArray,
    n_judges: int,
    *,
    prior_sd: float,
    start: FloatArray | None = None,
) -> PanelFit:
    """Fit at least two judges, each with a comparison; arguments are taken as checked. Raises `NotConverged`.

    `components` (n,) are the connected components of the essays; `start` (n,) are scores to begin from.
    """
    fit = PanelLikelihood(first, second, outcome, judge, components.size, n_judges, prior_sd**-2)
    point = np.concatenate([np.zeros(components.size) if start is None else start, np.zeros(2 * n_judges)])
    value = fit.log_posterior(point)
    for iteration in range(1, MAX_STEPS + 1):
        gradient, blocks = fit.derivatives(point)
        norm = float(np.abs(gradient).max())
        if norm <= GRADIENT_TOLERANCE * max(1.0, float(np.median(blocks.diagonal))):
            return _finished(fit, point, blocks, components, iteration - 1)
        step = blocks.solve(gradient)
        step *= min(1.0, LONGEST_STEP / float(np.abs(step).max()))
        for _ in range(30):
            trial = fit.log_posterior(point + step)
            if trial >= value - 1e-12 * abs(value):
                break
            step *= 0.5
        point, value = point + step, trial
    raise NotConverged(
        f"the panel's fit stopped after {MAX_STEPS} steps with a gradient of {norm:.2g}; "
        "score it without discriminations"
    )


def _finished(
    fit: PanelLikelihood, point: FloatArray, information: PanelInformation, components: IntArray, iterations: int
) -> PanelFit:
    scores, orders, logs = fit.parts(point)
    _, schur, _ = information.eliminated()
    contrasts = information.contrasts()
    of_orders, of_logs = np.split(np.einsum("ij,jk,ik->i", contrasts, np.linalg.inv(schur), contrasts), 2)
    return PanelFit(
        scores=centred(scores, components),
        orders=orders,
        order_variances=of_orders,
        discriminations=np.exp(logs),
        discrimination_standard_errors=np.exp(logs) * np.sqrt(of_logs),
        probability=fit.probability(point),
        gradient_norm=float(np.abs(fit.derivatives(point)[0]).max()),
        iterations=iterations,
        components=components,
        likelihood=fit,
        information=information,
    )


def panel_errors(panel: PanelFit) -> PanelErrors:
    """Centred Laplace variances, orders and discriminations estimated, and scores unshrunk as in `unshrunk`."""
    information, components, likelihood = panel.information, panel.components, panel.likelihood
    first, second, precision = likelihood.first, likelihood.second, likelihood.score_precision
    _, schur, solved = information.eliminated()
    variances = _own_variances(information, components, precision)
    variances = variances + np.einsum("ij,jk,ik->i", solved, np.linalg.inv(schur), solved)
    slope = panel.discriminations[likelihood.judge]
    squared = slope**2 * panel.probability * (1 - panel.probability)
    one, other = variances[first], variances[second]
    # Cox & Snell's bias: the variance of a margin to first order
    outward = likelihood.by_item(
        slope * squared * (panel.probability - 0.5) * (one + other - 2 * squared * one * other)
    )
    bias = information.solve_scores(outward[:, None])[:, 0]
    return PanelErrors(
        variances=variances,
        unshrunk=centred(_unpulled(information, panel.scores, components, precision) - bias, components),
        unshrunk_variances=variances / (1 - np.minimum(precision * variances, 0.99)),
    )


def _own_variances(blocks: PanelInformation, components: IntArray, precision: float) -> FloatArray:
    """Centred variances of scores at known orders and discriminations."""
    if components.size > EXACT_UP_TO:
        return cavity_variances(blocks.upper, blocks.diagonal)
    # a component's mean is an eigenvector whose eigenvalue is the prior's precision
    return np.diagonal(np.linalg.inv(blocks.dense())) - 1.0 / (np.bincount(components)[components] * precision)


def _unpulled(blocks: PanelInformation, scores: FloatArray, components: IntArray, precision: float) -> FloatArray:
    """(I - precision H^-1)^-1 scores: the likelihood's own information turned on what the whole one explains."""
    pulled = blocks.diagonal * scores - blocks.upper @ scores - blocks.upper.T @ scores
    own = replace(blocks, diagonal=blocks.diagonal - precision)
    if components.size > DENSE_UP_TO:
        return own.solve_scores(pulled[:, None])[:, 0]
    matrix = own.dense()
    pin_components(matrix, components)
    return np.asarray(np.linalg.solve(matrix, pulled))


def conditional_discriminations(
    margin: FloatArray, order: FloatArray, outcome: FloatArray, judge: IntArray, n_judges: int
) -> tuple[FloatArray, FloatArray]:
    """(discriminations, standard errors) of a crowd, scores and order effects taken as known.

    `margin` (m,) is score[A] - score[B], `order` (m,) the order effect that applies. One Newton per judge on log a
    under the same prior; the crowd's scale has discrimination 1 by definition.
    """
    logs = np.zeros(n_judges)
    for _ in range(50):
        steep = np.exp(logs)[judge] * margin
        expected = expit(steep + order)
        information = grouped_sums(judge, steep**2 * expected * (1 - expected), n_judges) + DISCRIMINATION_PRIOR_SD**-2
        gradient = grouped_sums(judge, steep * (outcome - expected), n_judges) - logs / DISCRIMINATION_PRIOR_SD**2
        step = np.clip(gradient / information, -0.5, 0.5)
        logs += step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return np.exp(logs), np.exp(logs) / np.sqrt(information)
