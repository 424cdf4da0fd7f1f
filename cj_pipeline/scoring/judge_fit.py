"""What the fit says of each judge: order effect, discrimination, misfit, ties, and flips on mirrored pairs."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.fit import ORDER_EFFECT_PRIOR_SD, NotConverged
from cj_pipeline.scoring.panel import conditional_discriminations
from cj_pipeline.scoring.residuals import conditional_order_effects, count_flips, misfit
from cj_pipeline.scoring.solution import LARGEST_PANEL, Answers, Solution, active_panel

JOINT_UP_TO = 200_000  # comparisons; beyond, discriminations are estimated at the fitted scores


@dataclass(frozen=True, slots=True)
class JudgeFit:
    """One entry per judge; NaN where a judge has no comparisons (or no mirrored pairs)."""

    comparisons: IntArray
    order_effect: FloatArray  # logits in favour of the essay shown first
    order_effect_standard_error: FloatArray
    discrimination: FloatArray  # geometric mean of the panel 1; NaN with fewer than two judges
    discrimination_standard_error: FloatArray
    infit: FloatArray
    outfit: FloatArray
    infit_z: FloatArray  # (infit - 1) / its standard error under the model
    tie_share: FloatArray
    mirrored_pairs: IntArray
    flip_rate: FloatArray  # share of mirrored pairs in which the other essay wins; a tie is half a flip
    expected_flip_rate: FloatArray  # what the fitted model expects


def fit_judges(answers: Answers, components: IntArray, solution: Solution, prior_sd: float, phi: float) -> JudgeFit:
    """Figures per judge at the fitted scores; `phi` widens the errors for repeated pairs."""
    judge, n_judges, outcome, probability = answers.judge, answers.n_judges, answers.outcome, solution.probability
    count = np.bincount(judge, minlength=n_judges)
    silent = count == 0
    orders, order_errors = _order_effects(answers, solution)
    sharpness, sharpness_errors = _discriminations(answers, components, solution, orders, prior_sd)
    information = probability * (1 - probability)
    fit = misfit(outcome - probability, information, judge, n_judges)
    flips = count_flips(answers.first, answers.second, outcome, probability, judge, n_judges)
    with np.errstate(invalid="ignore", divide="ignore"):
        tie_share = np.bincount(judge, outcome == 0.5, n_judges) / count
        # var (y-p)^2 = p(1-p) (1 - 4 p(1-p)) for a Bernoulli y
        variance = grouped_sums(judge, information * (1 - 4 * information), n_judges)
        infit_z = (fit.infit - 1) * grouped_sums(judge, information, n_judges) / np.sqrt(variance)
    return JudgeFit(
        comparisons=count,
        order_effect=np.where(silent, np.nan, orders),
        order_effect_standard_error=np.where(silent, np.nan, order_errors * np.sqrt(phi)),
        discrimination=sharpness,
        discrimination_standard_error=sharpness_errors * np.sqrt(phi),
        infit=fit.infit,
        outfit=fit.outfit,
        infit_z=np.where(np.isfinite(infit_z), infit_z, np.nan),
        tie_share=tie_share,
        mirrored_pairs=flips.n_pairs,
        flip_rate=flips.observed,
        expected_flip_rate=flips.expected,
    )


def _order_effects(answers: Answers, solution: Solution) -> tuple[FloatArray, FloatArray]:
    if not answers.first.size:
        return np.full(answers.n_judges, np.nan), np.full(answers.n_judges, np.nan)
    if answers.n_judges > LARGEST_PANEL:
        return conditional_order_effects(
            solution.scores[answers.first] - solution.scores[answers.second],
            answers.outcome,
            answers.judge,
            answers.n_judges,
            start=float(solution.orders[0]),
            precision=ORDER_EFFECT_PRIOR_SD**-2,
        )
    return solution.orders, np.sqrt(solution.order_variances)


def _discriminations(
    answers: Answers, components: IntArray, solution: Solution, orders: FloatArray, prior_sd: float
) -> tuple[FloatArray, FloatArray]:
    """Jointly with the scores for a panel; at the fitted scores for a crowd or a very large batch."""
    unknown = np.full(answers.n_judges, np.nan)
    active = np.unique(answers.judge)
    if active.size < 2 or not np.isfinite(prior_sd):
        return unknown, unknown
    if answers.n_judges > LARGEST_PANEL or answers.first.size > JOINT_UP_TO:
        margin = solution.scores[answers.first] - solution.scores[answers.second]
        found = conditional_discriminations(
            margin, orders[answers.judge], answers.outcome, answers.judge, answers.n_judges
        )
        silent = np.bincount(answers.judge, minlength=answers.n_judges) == 0
        return np.where(silent, np.nan, found[0]), np.where(silent, np.nan, found[1])
    try:
        panel, _ = active_panel(answers, components, prior_sd, solution.scores)
    except NotConverged:
        return unknown, unknown
    values, errors = unknown.copy(), unknown.copy()
    values[active], errors[active] = panel.discriminations, panel.discrimination_standard_errors
    return values, errors
