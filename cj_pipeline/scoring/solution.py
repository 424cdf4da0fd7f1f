"""A fitted scale before it is described: what both ways of fitting hand to the diagnostics."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.fit import ORDER_EFFECT_PRIOR_SD
from cj_pipeline.scoring.panel import PanelFit, fit_panel, panel_errors

LARGEST_PANEL = 32  # judges with an order effect each in the joint fit; a larger crowd shares one


@dataclass(frozen=True, slots=True)
class Answers:
    """Checked comparisons (m,) with their judges, A being shown first."""

    first: IntArray
    second: IntArray
    outcome: FloatArray
    judge: IntArray
    n_judges: int


@dataclass(frozen=True, slots=True)
class Solution:
    """Scores (n,) centred within components, order effects (one per judge, or one, or none), P(A wins) (m,)."""

    scores: FloatArray
    variances: FloatArray
    unshrunk: FloatArray
    unshrunk_variances: FloatArray
    orders: FloatArray
    order_variances: FloatArray
    probability: FloatArray
    gradient_norm: float
    iterations: int
    largest_error: float  # relative, of a standard error; 0 when exact


def active_panel(
    answers: Answers, components: IntArray, prior_sd: float, start: FloatArray | None = None
) -> tuple[PanelFit, IntArray]:
    """The panel's fit over the judges who said something, and which these are. Raises `NotConverged`."""
    active, judge = np.unique(answers.judge, return_inverse=True)
    arrays = (answers.first, answers.second, answers.outcome, judge)
    return fit_panel(*arrays, components, active.size, prior_sd=prior_sd, start=start), active


def panel_solution(answers: Answers, components: IntArray, prior_sd: float, start: FloatArray) -> Solution:
    """The scale on which judges weigh by their discrimination. Raises `NotConverged`."""
    fit, active = active_panel(answers, components, prior_sd, start)
    orders = np.zeros(answers.n_judges)
    order_variances = np.full(answers.n_judges, ORDER_EFFECT_PRIOR_SD**2)
    orders[active], order_variances[active] = fit.orders, fit.order_variances
    errors = panel_errors(fit)
    return Solution(
        scores=fit.scores,
        variances=errors.variances,
        unshrunk=errors.unshrunk,
        unshrunk_variances=errors.unshrunk_variances,
        orders=orders,
        order_variances=order_variances,
        probability=fit.probability,
        gradient_norm=fit.gradient_norm,
        iterations=fit.iterations,
        largest_error=0.0,
    )


def panel_reliability(
    answers: Answers, components: IntArray, auto_sd: float, phi: float, start: FloatArray, compared: BoolArray
) -> float:
    """sd^2 / (sd^2 + mean se^2) of the panel's fit whose prior is as wide as the essays are."""
    fit, _ = active_panel(answers, components, auto_sd, start)
    free = int(compared.sum()) - np.unique(components[compared]).size
    spread = float((fit.scores[compared] ** 2).sum()) / free
    return spread / (spread + phi * float(panel_errors(fit).variances[compared].mean()))
