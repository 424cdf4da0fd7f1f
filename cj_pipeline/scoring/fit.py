"""Bradley-Terry scores from comparisons: MAP with a Gaussian prior, order effect, honest standard errors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from cj_pipeline.errors import CjError
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.evidence import estimate_prior_sd
from cj_pipeline.scoring.newton import Mode, find_mode
from cj_pipeline.scoring.pair_counts import PairCounts, count_pairs
from cj_pipeline.scoring.standard_errors import centred_variances

DEFAULT_PRIOR_SD = 3.0  # wide enough for a sharp judge (scores of sd 4), tight enough for 14 comparisons
ORDER_EFFECT_PRIOR_SD = 3.0  # keeps the order effect finite when the first essay always wins


class NotConverged(CjError):
    """The fit did not reach its gradient tolerance; no scores are given."""


class NoMaximumLikelihood(CjError):
    """Maximum likelihood was asked for where it does not exist: some scores would be infinite."""


@dataclass(frozen=True, slots=True)
class BradleyTerryFit:
    """Scores in logits, centred on zero within each connected component.

    An essay without comparisons has NaN for score and standard error. Standard errors are those of the
    centred score (Laplace). The order effect is the first-seat advantage in logits, NaN when not fitted.
    """

    scores: FloatArray  # (n_items,)
    standard_errors: FloatArray  # (n_items,)
    order_effect: float
    order_effect_standard_error: float
    gradient_norm: float
    iterations: int
    prior_sd: float
    components: IntArray  # (n_items,) 0 is the largest
    standard_error_accuracy: float  # largest relative error found at the exact columns; 0 when all are exact


def fit_bradley_terry(
    essay_a: ArrayLike,
    essay_b: ArrayLike,
    outcome: ArrayLike,
    n_items: int,
    *,
    prior_sd: float | Literal["auto"] = DEFAULT_PRIOR_SD,
    order_effect: bool = True,
    weights: ArrayLike | None = None,
) -> BradleyTerryFit:
    """Fit logit P(A wins) = score[A] - score[B] + order effect, A being shown first.

    `essay_a`, `essay_b` (m,) are items 0..n_items-1; `outcome` (m,) is 1 if A wins, 0 if B wins, .5 a tie
    (half a win each) or any fraction between; `weights` (m,) count a comparison more or less than once.
    `prior_sd` is the standard deviation of the scores' Gaussian prior, np.inf for maximum likelihood, or
    "auto" for the one of highest marginal likelihood. At equal prior this is the objective of
    choix.opt_pairwise(alpha=1/(2 prior_sd^2)).

    Raises ValueError on arrays that do not fit together, NoMaximumLikelihood, NotConverged.
    """
    first, second, won, weight = checked_comparisons(essay_a, essay_b, outcome, n_items, weights)
    counts = count_pairs(first, second, won, n_items, n_orders=int(order_effect and first.size > 0), weights=weight)
    components = counts.components()
    if prior_sd == np.inf:
        _refuse_separated(first, second, won, components)
    mode, sd = fit_mode(counts, components, prior_sd)
    variances = centred_variances(mode.information, components)
    compared = counts.comparisons > 0
    return BradleyTerryFit(
        scores=np.where(compared, mode.scores, np.nan),
        standard_errors=np.where(compared, np.sqrt(variances.scores), np.nan),
        order_effect=float(mode.orders[0]) if mode.orders.size else np.nan,
        order_effect_standard_error=float(np.sqrt(variances.orders[0])) if mode.orders.size else np.nan,
        gradient_norm=mode.gradient_norm,
        iterations=mode.iterations,
        prior_sd=sd,
        components=components,
        standard_error_accuracy=variances.largest_error,
    )


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
    if not ((won >= 0) & (won <= 1)).all():
        row = int(np.flatnonzero(~((won >= 0) & (won <= 1)))[0])
        raise ValueError(f"outcome[{row}] is {won[row]}; it must lie between 0 (B wins) and 1 (A wins)")
    if weight is None:
        return first, second, won, None
    if weight.shape != first.shape or not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weights must be one finite number of at least 0 per comparison")
    counted = weight > 0
    return first[counted], second[counted], won[counted], weight[counted]


def fit_mode(
    counts: PairCounts, components: IntArray, prior_sd: float | Literal["auto"] = DEFAULT_PRIOR_SD
) -> tuple[Mode, float]:
    """The converged mode and the prior sd it was reached with; NotConverged or NoMaximumLikelihood otherwise."""
    order_precision = 0.0 if prior_sd == np.inf else ORDER_EFFECT_PRIOR_SD**-2
    if prior_sd == "auto":
        prior_sd = estimate_prior_sd(counts, components, order_precision) if counts.row.size else DEFAULT_PRIOR_SD
    if not prior_sd > 0:
        raise ValueError(f"prior_sd must be above zero (np.inf for maximum likelihood), not {prior_sd}")
    mode = find_mode(counts, components, float(prior_sd) ** -2, order_precision)
    if prior_sd == np.inf and mode.last_step > 1e-3:
        raise NoMaximumLikelihood(
            "the likelihood rises without end along some mix of scores and order effect; "
            "use a finite prior_sd, or order_effect=False"
        )
    if not mode.converged:
        raise NotConverged(
            f"Bradley-Terry stopped after {mode.iterations} steps with a gradient of {mode.gradient_norm:.2g} "
            f"(tolerance {mode.tolerance:.2g}); check the outcomes and weights for extreme values"
        )
    return mode, float(prior_sd)


def _refuse_separated(first: IntArray, second: IntArray, won: FloatArray, components: IntArray) -> None:
    """Ford's condition: within a component everyone must beat everyone through some chain of wins."""
    beats = np.concatenate([first[won > 0], second[won < 1]])
    beaten = np.concatenate([second[won > 0], first[won < 1]])
    shape = (components.size, components.size)
    graph = sp.coo_array((np.ones(beats.size, dtype=np.int8), (beats, beaten)), shape=shape)
    _, groups = connected_components(graph, directed=True, connection="strong")
    sizes = np.bincount(groups)[groups]
    apart = np.flatnonzero(sizes < np.bincount(components)[components])
    if apart.size:
        smallest = apart[np.argmin(sizes[apart])]
        example = np.flatnonzero(groups == groups[smallest])[:5].tolist()
        raise NoMaximumLikelihood(
            f"no finite maximum likelihood: essays {example} never lose to, or never beat, some of the others "
            "they are linked with (Ford 1957); use a finite prior_sd"
        )
