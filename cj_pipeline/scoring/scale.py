"""Everything a batch needs from its comparisons, in one call."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.fit import (
    DEFAULT_PRIOR_SD,
    ORDER_EFFECT_PRIOR_SD,
    checked_comparisons,
    fit_mode,
)
from cj_pipeline.scoring.newton import Mode, win_probabilities
from cj_pipeline.scoring.pair_counts import PairCounts, count_pairs
from cj_pipeline.scoring.residuals import conditional_order_effects, count_flips, misfit, pair_dispersion
from cj_pipeline.scoring.separation import separate
from cj_pipeline.scoring.standard_errors import centred_variances
from cj_pipeline.scoring.unshrunk import unshrunk_scores

LARGEST_PANEL = 32  # judges with an order effect each in the joint fit; a larger crowd shares one


@dataclass(frozen=True, slots=True)
class JudgeFit:
    """One entry per judge; NaN where a judge has no comparisons (or no mirrored pairs)."""

    comparisons: IntArray
    order_effect: FloatArray  # logits in favour of the essay shown first
    order_effect_standard_error: FloatArray
    infit: FloatArray
    outfit: FloatArray
    tie_share: FloatArray
    mirrored_pairs: IntArray
    flip_rate: FloatArray  # share of mirrored pairs in which the other essay wins; a tie is half a flip
    expected_flip_rate: FloatArray  # what the fitted model expects


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
    component: IntArray  # 0 is the largest
    n_components: int
    order_effect: float  # of the first seat, in logits; with a panel, the judges' mean weighted by comparisons
    order_effect_standard_error: float
    gradient_norm: float
    iterations: int
    prior_sd: float
    auto_prior_sd: float  # by Laplace marginal likelihood: the spread of the essays themselves
    reliability: float  # sd^2 / (sd^2 + mean se^2) of the fit with auto_prior_sd; NaN below three essays
    ssr: float  # No More Marking / sirt::btm(eps=.3): 1 - mean(se^2) / var(score), = 1 - 1 / separation^2
    separation: float  # G in the same convention
    phi: float  # dispersion of repeated pairs; 1 when no pair repeats
    standard_error_accuracy: float  # largest relative error found at the exact columns; 0 when all are exact
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
) -> ScaleFit:
    """Scores, uncertainty, reliability and misfit of comparisons (m,), A being shown first.

    `outcome` is 1 if A wins, 0 if B wins, .5 a tie; `judge` (m,) is 0..n_judges-1. Up to 32 judges have an
    order effect each, fitted jointly with the scores; with more, the fit shares one and each judge's own is
    estimated at the fitted scores. Works for any number of comparisons, none included. Raises ValueError on
    arrays that do not fit together, NotConverged, and NoMaximumLikelihood for prior_sd=np.inf.
    """
    first, second, won, _ = checked_comparisons(essay_a, essay_b, outcome, n_items)
    judge = _checked_judges(judge, first.size, n_judges)
    panel = 0 if not first.size else 1 if n_judges > LARGEST_PANEL else n_judges
    counts = count_pairs(first, second, won, n_items, judge=judge, n_orders=panel)
    components = counts.components()
    mode, sd = fit_mode(counts, components, prior_sd)
    variances = centred_variances(mode.information, components)
    unshrunk, unshrunk_variances = unshrunk_scores(counts, mode, components, variances.scores, sd**-2)

    probability = np.empty(first.size)
    probability[counts.position] = _first_seat(counts, win_probabilities(counts, mode.scores, mode.orders))
    residual, information = won - probability, probability * (1 - probability)
    n_components = int(components.max(initial=-1)) + 1
    phi = pair_dispersion(first, second, residual, information, n_items - n_components)
    item_fit = misfit(np.tile(residual, 2), np.tile(information, 2), np.concatenate([first, second]), n_items)
    compared = counts.comparisons > 0
    auto_sd, reliability = _reliability(counts, components, phi)
    separation = separate(_without_orders(counts), components)
    judges = _judge_fit(first, second, won, judge, n_judges, mode, variances.orders, probability, phi)
    order_effect, order_error = _mean_order_effect(judges, mode, variances.orders * phi)
    return ScaleFit(
        scores=np.where(compared, mode.scores, np.nan),
        standard_errors=np.where(compared, np.sqrt(phi * variances.scores), np.nan),
        unshrunk_scores=np.where(compared, unshrunk, np.nan),
        unshrunk_standard_errors=np.where(compared, np.sqrt(phi * unshrunk_variances), np.nan),
        comparisons=counts.comparisons.astype(np.int64),
        wins=counts.wins,
        infit=item_fit.infit,
        outfit=item_fit.outfit,
        component=components,
        n_components=n_components,
        order_effect=order_effect,
        order_effect_standard_error=order_error,
        gradient_norm=mode.gradient_norm,
        iterations=mode.iterations,
        prior_sd=sd,
        auto_prior_sd=auto_sd,
        reliability=reliability,
        ssr=separation.ssr,
        separation=separation.separation,
        phi=phi,
        standard_error_accuracy=variances.largest_error,
        judges=judges,
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


def _reliability(counts: PairCounts, components: IntArray, phi: float) -> tuple[float, float]:
    """(auto prior sd, sd^2 / (sd^2 + mean se^2)) of the fit whose prior is as wide as the essays are.

    From a fixed wide prior the same form says .53 for coin tosses.
    """
    compared = counts.comparisons > 0
    free = int(compared.sum()) - np.unique(components[compared]).size
    if free < 2:
        return np.nan, np.nan
    mode, sd = fit_mode(counts, components, "auto")
    spread = float((mode.scores[compared] ** 2).sum()) / free
    error = phi * float(centred_variances(mode.information, components).scores[compared].mean())
    return sd, spread / (spread + error)


def _judge_fit(
    first: IntArray,
    second: IntArray,
    outcome: FloatArray,
    judge: IntArray,
    n_judges: int,
    mode: Mode,
    order_variances: FloatArray,
    probability: FloatArray,
    phi: float,
) -> JudgeFit:
    count = np.bincount(judge, minlength=n_judges)
    silent = count == 0
    if not first.size:
        effects, errors = np.full((2, n_judges), np.nan)
    elif n_judges > LARGEST_PANEL:
        effects, errors = conditional_order_effects(
            mode.scores[first] - mode.scores[second],
            outcome,
            judge,
            n_judges,
            start=float(mode.orders[0]),
            precision=ORDER_EFFECT_PRIOR_SD**-2,
        )
    else:
        effects, errors = mode.orders, np.sqrt(order_variances)
    fit = misfit(outcome - probability, probability * (1 - probability), judge, n_judges)
    flips = count_flips(first, second, outcome, probability, judge, n_judges)
    with np.errstate(invalid="ignore"):
        tie_share = np.bincount(judge, outcome == 0.5, n_judges) / count
    return JudgeFit(
        comparisons=count,
        order_effect=np.where(silent, np.nan, effects),
        order_effect_standard_error=np.where(silent, np.nan, errors * np.sqrt(phi)),
        infit=fit.infit,
        outfit=fit.outfit,
        tie_share=tie_share,
        mirrored_pairs=flips.n_pairs,
        flip_rate=flips.observed,
        expected_flip_rate=flips.expected,
    )


def _mean_order_effect(judges: JudgeFit, mode: Mode, variances: FloatArray) -> tuple[float, float]:
    """Weighted by comparisons; judges' order effects are all but uncorrelated when seats are balanced."""
    if not mode.orders.size:
        return np.nan, np.nan
    if mode.orders.size == 1:
        return float(mode.orders[0]), float(np.sqrt(variances[0]))
    share = judges.comparisons / judges.comparisons.sum()
    return float(share @ mode.orders), float(np.sqrt(share**2 @ variances))
