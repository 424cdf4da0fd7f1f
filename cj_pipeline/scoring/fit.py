"""Bradley-Terry scores from comparisons: MAP with Gaussian priors, order effect, ties, honest standard errors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cj_pipeline.errors import CjError
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.evidence import estimate_prior_sd
from cj_pipeline.scoring.existence import (
    NoMaximumLikelihood,
    proves_no_separation,
    refuse_one_sided_ties,
    refuse_separated,
)
from cj_pipeline.scoring.likelihood import Prior
from cj_pipeline.scoring.newton import PATIENCE, SETTLED, Mode, find_mode
from cj_pipeline.scoring.pair_counts import PairCounts, count_pairs
from cj_pipeline.scoring.standard_errors import centred_variances

DEFAULT_PRIOR_SD = 3.0  # wide enough for a sharp judge (scores of sd 4), tight enough for 14 comparisons
ORDER_EFFECT_PRIOR_SD = 3.0  # keeps order effects finite when the first essay always wins, and the tie parameter
RUNAWAY = 30.0  # logits; beyond, doubles cannot tell a maximum from a likelihood that rises for ever


class NotConverged(CjError):
    """The fit did not reach its gradient tolerance; no scores are given."""


@dataclass(frozen=True, slots=True)
class BradleyTerryFit:
    """Scores in logits, centred on zero within each connected component.

    An essay without comparisons has NaN for score and standard error. Standard errors are those of the
    centred score (Laplace). With priors of each item's own, scores stand on the origin of those priors and
    standard errors are the scores' own: zero for a fixed item, the prior's for one without comparisons.
    The order effect is the first-seat advantage in logits, NaN when not fitted; so is the tie parameter.
    """

    scores: FloatArray  # (n_items,)
    standard_errors: FloatArray  # (n_items,)
    order_effect: float
    order_effect_standard_error: float
    gradient_norm: float
    iterations: int
    prior_sd: float  # NaN when items have their own
    components: IntArray  # (n_items,) 0 is the largest
    standard_error_accuracy: float  # largest relative error found at the exact columns; 0 when all are exact
    tie_parameter: float = np.nan  # Davidson's nu: P(tie) = nu / (2 + nu) between equals without order effect
    tie_parameter_standard_error: float = np.nan


def fit_bradley_terry(
    essay_a: ArrayLike,
    essay_b: ArrayLike,
    outcome: ArrayLike,
    n_items: int,
    *,
    prior_sd: float | Literal["auto"] | ArrayLike = DEFAULT_PRIOR_SD,
    prior_mean: ArrayLike | None = None,
    order_effect: bool = True,
    weights: ArrayLike | None = None,
    ties: Literal["half", "davidson"] = "half",
) -> BradleyTerryFit:
    """Fit logit P(A wins) = score[A] - score[B] + order effect, A being shown first.

    `essay_a`, `essay_b` (m,) are items 0..n_items-1; `outcome` (m,) is 1 if A wins, 0 if B wins, .5 a tie
    (half a win each) or any fraction between; `weights` (m,) count a comparison more or less than once.
    `prior_sd` is the standard deviation of the scores' Gaussian prior, np.inf for maximum likelihood, or
    "auto" for the one of highest marginal likelihood. At equal prior this is the objective of
    choix.opt_pairwise(alpha=1/(2 prior_sd^2)).

    `prior_mean` (n_items,) and a `prior_sd` of shape (n_items,) give each item its own prior; an sd of zero
    fixes an item at its mean, np.inf leaves it free. `ties="davidson"` takes ties as an outcome of their own
    (outcomes 0, .5 and 1 only): P(first) : P(tie) : P(second) = exp(margin/2) : nu : exp(-margin/2), nu being
    estimated with the scores (Davidson 1970; with an order effect Davidson & Beaver 1977).

    Raises ValueError on arrays that do not fit together, NoMaximumLikelihood, NotConverged.
    """
    first, second, won, weight = checked_comparisons(essay_a, essay_b, outcome, n_items, weights)
    davidson = _has_tie_parameter(ties, won)
    prior = item_priors(prior_sd, prior_mean, n_items)
    counts = count_pairs(
        first,
        second,
        won,
        n_items,
        n_orders=int(order_effect and first.size > 0),
        weights=weight,
        tie_parameter=davidson and first.size > 0,
    )
    components = counts.components()
    if prior == np.inf:
        mode, sd = _maximum_likelihood(counts, components, first, second, won), np.inf
    else:
        mode, sd = fit_mode(counts, components, prior)
    return _as_fit(counts, components, mode, prior if isinstance(prior, Prior) else Prior(sd**-2, 0.0), sd)


def _maximum_likelihood(
    counts: PairCounts, components: IntArray, first: IntArray, second: IntArray, won: FloatArray
) -> Mode:
    """The mode without a prior; where there is none, the refusal says which essays it is.

    Where there is one, a few steps reach it, and the gradient there proves it; the wins are looked through only
    where it does not.
    """
    if counts.ties is not None:
        refuse_one_sided_ties(counts.ties, counts.comparisons.sum() / 2)
    prior = Prior(0.0, 0.0)
    mode = find_mode(counts, components, prior, at_most=PATIENCE)
    if not proves_no_separation(counts, mode):
        refuse_separated(first, second, won, components)
    if not mode.settled:
        mode = find_mode(counts, components, prior, start=mode)
    return _accepted(mode, prior)


def _as_fit(counts: PairCounts, components: IntArray, mode: Mode, prior: Prior, sd: float) -> BradleyTerryFit:
    centre = prior.loose(components) if prior.has_origin else None
    variances = centred_variances(mode.information, components, centre)
    known = (counts.comparisons > 0) | (prior.holds(counts.n_items) if prior.has_origin else False)
    orders, nu = mode.orders, np.exp(mode.log_tie)
    return BradleyTerryFit(
        scores=np.where(known, mode.scores, np.nan),
        standard_errors=np.where(known, np.sqrt(variances.scores), np.nan),
        order_effect=float(orders[0]) if orders.size else np.nan,
        order_effect_standard_error=float(np.sqrt(variances.border[0])) if orders.size else np.nan,
        gradient_norm=mode.gradient_norm,
        iterations=mode.iterations,
        prior_sd=sd,
        components=components,
        standard_error_accuracy=variances.largest_error,
        tie_parameter=float(nu),
        tie_parameter_standard_error=float(nu * np.sqrt(variances.border[-1])) if nu == nu else np.nan,
    )


def item_priors(
    prior_sd: float | Literal["auto"] | ArrayLike, prior_mean: ArrayLike | None, n_items: int
) -> float | Literal["auto"] | Prior:
    """What the caller said about the scores beforehand; one spread for all around zero stays a number."""
    if prior_mean is None and (isinstance(prior_sd, str) or np.ndim(prior_sd) == 0):
        return "auto" if prior_sd == "auto" else float(np.asarray(prior_sd, dtype=np.float64))
    if isinstance(prior_sd, str):
        raise ValueError('prior_sd="auto" estimates one spread around zero; give numbers beside prior_mean')
    sd = np.broadcast_to(np.asarray(prior_sd, dtype=np.float64), n_items)
    mean = np.zeros(n_items) if prior_mean is None else np.array(prior_mean, dtype=np.float64)
    if mean.shape != (n_items,) or not np.isfinite(mean).all():
        raise ValueError(f"prior_mean must hold one finite number for each of the {n_items} items")
    if not (sd >= 0).all():
        raise ValueError("prior_sd must be at least zero for every item: zero fixes it, np.inf leaves it free")
    fixed = np.flatnonzero(sd == 0)
    precision = np.divide(1.0, sd**2, out=np.zeros(n_items), where=sd > 0)
    border = ORDER_EFFECT_PRIOR_SD**-2 if precision.any() else 0.0
    return Prior(precision, border, mean, fixed)


def _has_tie_parameter(ties: str, won: FloatArray) -> bool:
    if ties not in ("half", "davidson"):
        raise ValueError(f'ties must be "half" or "davidson", not {ties!r}')
    fractions = (won != 0) & (won != 0.5) & (won != 1) if ties == "davidson" else np.zeros(0, dtype=bool)
    if fractions.any():
        row = int(np.flatnonzero(fractions)[0])
        raise ValueError(f'outcome[{row}] is {won[row]}; with ties="davidson" an outcome is 0, .5 (a tie) or 1')
    return ties == "davidson"


def checked_comparisons(
    essay_a: ArrayLike, essay_b: ArrayLike, outcome: ArrayLike, n_items: int, weights: ArrayLike | None = None
) -> tuple[IntArray, IntArray, FloatArray, FloatArray | None]:
    """The arguments as arrays, without comparisons of weight zero; ValueError says which row is wrong."""
    first, second = np.asarray(essay_a), np.asarray(essay_b)
    won = np.asarray(outcome, dtype=np.float64)
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    if first.ndim != 1 or not first.shape == second.shape == won.shape:
        shapes = f"{first.shape}, {second.shape}, {won.shape}"
        raise ValueError(f"essay_a, essay_b and outcome must be three vectors of one length, not {shapes}")
    if not first.size:
        first, second = first.astype(np.int64), second.astype(np.int64)
    for name, essays in (("essay_a", first), ("essay_b", second)):
        if not np.issubdtype(essays.dtype, np.integer):
            raise ValueError(f"{name} must hold item numbers (integers), not {essays.dtype}")
        if essays.size and not 0 <= essays.min() <= essays.max() < n_items:
            row = int(np.flatnonzero((essays < 0) | (essays >= n_items))[0])
            raise ValueError(f"{name}[{row}] is {essays[row]}, outside the items 0..{n_items - 1}")
    if (first == second).any():
        row = int(np.flatnonzero(first == second)[0])
        raise ValueError(f"comparison {row} sets essay {first[row]} against itself")
    if won.size and not (won.min() >= 0 and won.max() <= 1):
        row = int(np.flatnonzero(~((won >= 0) & (won <= 1)))[0])
        raise ValueError(f"outcome[{row}] is {won[row]}; it must lie between 0 (B wins) and 1 (A wins)")
    if weight is None:
        return first, second, won, None
    if weight.shape != first.shape or not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weights must be one finite number of at least 0 per comparison")
    counted = weight > 0
    return first[counted], second[counted], won[counted], weight[counted]


def fit_mode(
    counts: PairCounts, components: IntArray, prior_sd: float | Literal["auto"] | Prior = DEFAULT_PRIOR_SD
) -> tuple[Mode, float]:
    """The converged mode and the prior sd it was reached with; NotConverged or NoMaximumLikelihood otherwise.

    `prior_sd` as a `Prior` is taken as it is, and NaN returned for its sd.
    """
    sd = np.nan
    if isinstance(prior_sd, Prior):
        prior = prior_sd
    else:
        sd = _spread(counts, components, prior_sd)
        prior = Prior(sd**-2, 0.0 if sd == np.inf else ORDER_EFFECT_PRIOR_SD**-2)
    return _accepted(find_mode(counts, components, prior), prior), sd


def _accepted(mode: Mode, prior: Prior) -> Mode:
    """The mode, if it is one. Raises NoMaximumLikelihood or NotConverged."""
    if prior.improper and (mode.last_step > SETTLED or np.abs(mode.border).max(initial=0.0) > RUNAWAY):
        raise NoMaximumLikelihood(
            "the likelihood rises without end along some mix of scores, order effect and tie parameter; "
            "use a finite prior_sd, or order_effect=False"
        )
    if not mode.converged:
        raise NotConverged(
            f"Bradley-Terry stopped after {mode.iterations} steps with a gradient of {mode.gradient_norm:.2g} "
            f"(tolerance {mode.tolerance:.2g}); check the outcomes and weights for extreme values"
        )
    return mode


def _spread(counts: PairCounts, components: IntArray, prior_sd: float | Literal["auto"]) -> float:
    if prior_sd == "auto":
        if not counts.row.size:
            return DEFAULT_PRIOR_SD
        return estimate_prior_sd(counts, components, ORDER_EFFECT_PRIOR_SD**-2)
    if not prior_sd > 0:
        raise ValueError(f"prior_sd must be above zero (np.inf for maximum likelihood), not {prior_sd}")
    return float(prior_sd)
