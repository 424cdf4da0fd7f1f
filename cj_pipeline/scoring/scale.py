"""Everything a batch needs from its comparisons, in one call."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.evidence import weight_of_differing
from cj_pipeline.scoring.fit import DEFAULT_PRIOR_SD, ORDER_EFFECT_PRIOR_SD, checked_comparisons, fit_mode
from cj_pipeline.scoring.judge_fit import JudgeFit, fit_judges
from cj_pipeline.scoring.likelihood import win_probabilities
from cj_pipeline.scoring.newton import Mode
from cj_pipeline.scoring.pair_counts import PairCounts, count_pairs
from cj_pipeline.scoring.pair_fit import leverages
from cj_pipeline.scoring.residuals import misfit, pair_dispersion
from cj_pipeline.scoring.separation import separate
from cj_pipeline.scoring.solution import LARGEST_PANEL, Answers, Solution, panel_reliability, panel_solution
from cj_pipeline.scoring.standard_errors import centred_variances
from cj_pipeline.scoring.unshrunk import unshrunk_scores


@dataclass(frozen=True, slots=True)
class ScaleFit:
    """Scores in logits (centred per component) with their diagnostics; arrays have one entry per essay.

    An essay without comparisons has NaN for score, standard error, infit and outfit, and is a component of
    its own. Standard errors are inflated by sqrt(phi).
    """

    scores: FloatArray
    standard_errors: FloatArray
    unshrunk_scores: FloatArray  # free of the prior's pull and of first-order bias: what grades are cut on
    unshrunk_standard_errors: FloatArray
    comparisons: IntArray
    wins: FloatArray  # a tie is half a win
    infit: FloatArray
    outfit: FloatArray
    leverage: FloatArray  # mean weight of an answer in its own fitted value
    component: IntArray  # 0 is the largest
    n_components: int
    order_effect: float  # of the first seat, in logits; with a panel, the judges' mean weighted by comparisons
    order_effect_standard_error: float
    gradient_norm: float
    iterations: int
    prior_sd: float
    auto_prior_sd: float  # by Laplace marginal likelihood: the spread of the essays themselves
    reliability: float  # sd^2 / (sd^2 + mean se^2) of the fit with auto_prior_sd, times weight_of_differing
    ssr: float  # No More Marking / sirt::btm(eps=.3): 1 - mean(se^2) / var(score), = 1 - 1 / separation^2
    separation: float  # G in the same convention
    phi: float  # dispersion of repeated pairs; 1 when no pair repeats
    standard_error_accuracy: float  # largest relative error found at the exact columns; 0 when all are exact
    uses_discrimination: bool  # the scores weigh judges by their discrimination
    probability: FloatArray  # (m,) fitted P(A wins) of each comparison
    judges: JudgeFit


def score_comparisons(
    essay_a: ArrayLike,
    essay_b: ArrayLike,
    outcome: ArrayLike,
    judge: ArrayLike,
    n_items: int,
    *,
    n_judges: int,
    prior_sd: float | Literal["auto"] = DEFAULT_PRIOR_SD,
    discrimination: bool = False,
) -> ScaleFit:
    """Scores, uncertainty, reliability and misfit of comparisons (m,), A being shown first.

    `outcome` is 1 if A wins, 0 if B wins, .5 a tie; `judge` (m,) is 0..n_judges-1. Up to 32 judges have an
    order effect each, fitted jointly with the scores; with more, the fit shares one and each judge's own is
    estimated at the fitted scores. `discrimination` lets 2 to 32 judges weigh by how sharply they tell essays apart;
    scores are then in logits of a judge of discrimination 1. Works for any number of comparisons, none included.
    Raises ValueError on arrays that do not fit together, NotConverged, and NoMaximumLikelihood for prior_sd=np.inf.
    """
    first, second, won, _ = checked_comparisons(essay_a, essay_b, outcome, n_items)
    judge = _checked_judges(judge, first.size, n_judges)
    panel = 0 if not first.size else 1 if n_judges > LARGEST_PANEL else n_judges
    counts = count_pairs(first, second, won, n_items, judge=judge, n_orders=panel)
    components = counts.components()
    answers = Answers(first, second, won, judge, n_judges)
    mode, sd = fit_mode(counts, components, prior_sd)
    weighs = discrimination and 2 <= np.unique(judge).size <= LARGEST_PANEL
    solution = (
        panel_solution(answers, components, sd, mode.scores) if weighs else _solution(counts, components, mode, sd)
    )
    residual, information = won - solution.probability, solution.probability * (1 - solution.probability)
    n_components = int(components.max(initial=-1)) + 1
    phi = pair_dispersion(first, second, residual, information, n_items - n_components)
    item_fit = misfit(np.tile(residual, 2), np.tile(information, 2), np.concatenate([first, second]), n_items)
    compared = counts.comparisons > 0
    auto_sd, reliability, differing = _reliability(counts, components, phi)
    if weighs and np.isfinite(reliability):
        reliability = panel_reliability(answers, components, auto_sd, phi, solution.scores, compared) * differing
    separation = separate(_without_orders(counts), components)
    judges = fit_judges(answers, components, solution, sd, phi)
    order_effect, order_error = _mean_order_effect(judges, solution, phi)
    return ScaleFit(
        scores=np.where(compared, solution.scores, np.nan),
        standard_errors=np.where(compared, np.sqrt(phi * solution.variances), np.nan),
        unshrunk_scores=np.where(compared, solution.unshrunk, np.nan),
        unshrunk_standard_errors=np.where(compared, np.sqrt(phi * solution.unshrunk_variances), np.nan),
        comparisons=counts.comparisons.astype(np.int64),
        wins=counts.wins,
        infit=item_fit.infit,
        outfit=item_fit.outfit,
        leverage=leverages(first, second, information, solution.variances, n_items),
        component=components,
        n_components=n_components,
        order_effect=order_effect,
        order_effect_standard_error=order_error,
        gradient_norm=solution.gradient_norm,
        iterations=solution.iterations,
        prior_sd=sd,
        auto_prior_sd=auto_sd,
        reliability=reliability,
        ssr=separation.ssr,
        separation=separation.separation,
        phi=phi,
        standard_error_accuracy=solution.largest_error,
        uses_discrimination=weighs,
        probability=solution.probability,
        judges=judges,
    )


def _solution(counts: PairCounts, components: IntArray, mode: Mode, sd: float) -> Solution:
    """The mode with its uncertainty, and what it says of each comparison in the order of the input."""
    variances = centred_variances(mode.information, components)
    unshrunk, unshrunk_variances = unshrunk_scores(counts, mode, components, variances.scores, sd**-2)
    probability = np.empty(counts.position.size)
    probability[counts.position] = _first_seat(counts, win_probabilities(counts, mode.scores, mode.orders))
    return Solution(
        scores=mode.scores,
        variances=variances.scores,
        unshrunk=unshrunk,
        unshrunk_variances=unshrunk_variances,
        orders=mode.orders,
        order_variances=variances.orders,
        probability=probability,
        gradient_norm=mode.gradient_norm,
        iterations=mode.iterations,
        largest_error=variances.largest_error,
    )


def _checked_judges(judge: ArrayLike, size: int, n_judges: int) -> IntArray:
    judges = np.asarray(judge)
    if judges.shape != (size,):
        raise ValueError(f"judge must name the judge of each of the {size} comparisons, not {judges.shape}")
    judges = judges.astype(np.int64)
    if size and not 0 <= judges.min() <= judges.max() < n_judges:
        raise ValueError(f"judge holds {judges.min()}..{judges.max()}, outside the judges 0..{n_judges - 1}")
    return judges


def _first_seat(counts: PairCounts, row_wins: FloatArray) -> FloatArray:
    return np.where(counts.seat > 0, row_wins, 1 - row_wins)


def _without_orders(counts: PairCounts) -> PairCounts:
    return replace(counts, n_orders=0, judge=None, first_wins=np.zeros(0), second_seat_weight=np.zeros(0))


def _reliability(counts: PairCounts, components: IntArray, phi: float) -> tuple[float, float, float]:
    """(auto prior sd, reliability, weight of differing) of the fit whose prior is as wide as the essays are.

    sd^2 / (sd^2 + mean se^2) times the weight. From a fixed wide prior the same form says .53 for coin tosses.
    """
    compared = counts.comparisons > 0
    free = int(compared.sum()) - np.unique(components[compared]).size
    if free < 2:
        return np.nan, np.nan, np.nan
    mode, sd = fit_mode(counts, components, "auto")
    weight = weight_of_differing(counts, components, mode, sd, ORDER_EFFECT_PRIOR_SD**-2)
    spread = float((mode.scores[compared] ** 2).sum()) / free
    error = phi * float(centred_variances(mode.information, components).scores[compared].mean())
    return sd, spread / (spread + error) * weight, weight


def _mean_order_effect(judges: JudgeFit, solution: Solution, phi: float) -> tuple[float, float]:
    """Weighted by comparisons; judges' order effects are all but uncorrelated when seats are balanced."""
    orders, variances = solution.orders, phi * solution.order_variances
    if not orders.size:
        return np.nan, np.nan
    if orders.size == 1:
        return float(orders[0]), float(np.sqrt(variances[0]))
    share = judges.comparisons / judges.comparisons.sum()
    return float(share @ orders), float(np.sqrt(share**2 @ variances))
