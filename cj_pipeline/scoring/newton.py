"""The penalised likelihood's mode: damped Newton steps, solved by Cholesky (small) or Jacobi-PCG (large)."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.information import DENSE_UP_TO, Information, centred, newton_step
from cj_pipeline.scoring.likelihood import Prior, derivatives
from cj_pipeline.scoring.pair_counts import PairCounts

MAX_NEWTON = 60
PATIENCE = 12  # steps; a design on which conjugate gradients crawl is then solved exactly
EXACT_UP_TO = 3_000  # parameters; Cholesky takes about a second there
GRADIENT_TOLERANCE = 1e-8  # per unit of median information, infinity norm
FARTHEST_START = 8.0  # logits; further out the likelihood is flat, and a Newton step from there goes anywhere
ROUNDING = 4e-12  # of an item's comparisons: what sums of so many probabilities can be off by
SETTLED = 1e-2  # logits; where no maximum exists, steps of about one go on for ever


@dataclass(frozen=True, slots=True)
class Mode:
    """Where the penalised likelihood is highest, and how well that was reached."""

    scores: FloatArray
    orders: FloatArray
    log_tie: float  # log of the tie parameter; NaN without one
    information: Information
    gradient_norm: float  # infinity norm
    gradient_total: float  # sum of absolute entries
    tolerance: float
    last_step: float  # infinity norm of the last Newton step; stays large where no maximum exists
    iterations: int

    @property
    def converged(self) -> bool:
        """Whether the gradient met its tolerance."""
        return self.gradient_norm <= self.tolerance

    @property
    def settled(self) -> bool:
        """Whether it stands still, too."""
        return self.converged and self.last_step <= SETTLED

    @property
    def border(self) -> FloatArray:
        """Order effects, and the log of the tie parameter if there is one."""
        return self.orders if np.isnan(self.log_tie) else np.append(self.orders, self.log_tie)


def find_mode(
    counts: PairCounts, components: IntArray, prior: Prior, start: Mode | None = None, *, at_most: int = MAX_NEWTON
) -> Mode:
    """Maximise in at most so many steps from the items' win logits, or from `start`.

    Never raises: the caller reads `converged` and, without a prior, `settled`.
    """
    n_items = counts.n_items
    point = np.zeros(n_items + counts.n_borders)
    if start is None:
        point[:n_items] = win_logits(counts, components) + prior.mean
        point[prior.fixed] = np.broadcast_to(prior.mean, n_items)[prior.fixed]
    else:
        point[:n_items], point[n_items:] = start.scores, start.border
    loose = prior.loose(components)
    gradient, information = derivatives(counts, point, prior)
    norm = float(np.abs(gradient).max(initial=0.0))
    first_norm = norm or 1.0
    tolerance = GRADIENT_TOLERANCE * _median(information.diagonal, at_least=1.0)
    tolerance = max(tolerance, ROUNDING * float(counts.comparisons.max(initial=0.0)))
    aim = tolerance if point.size > DENSE_UP_TO else 1e-3 * tolerance  # quadratic: a digit more costs nothing
    step_size, previous, iterations = np.inf, np.inf, 0
    while iterations < at_most:
        enough = norm <= aim or (
            norm <= tolerance and norm > 0.1 * previous
        )  # the latter: rounding is all that is left
        if enough and (not prior.improper or step_size <= SETTLED):
            break
        forcing = min(0.1, max(norm / first_norm, 0.1 * tolerance / norm if norm else 1.0))
        try:
            dense_up_to = EXACT_UP_TO if iterations >= PATIENCE else DENSE_UP_TO
            step = newton_step(information, components, loose, gradient, forcing, dense_up_to)
        except LinAlgError:  # without a prior, information can run out on the way to infinity
            step_size = np.inf
            break
        if not prior.has_origin:  # equal priors hold every component's mean at zero exactly
            step[:n_items] = centred(step[:n_items], components)
        slope = float(np.einsum("i,i->", gradient, step))
        scale = 1.0
        for _ in range(30):
            trial = point + scale * step
            trial_gradient, trial_information = derivatives(counts, trial, prior)
            overshoot = -float(np.einsum("i,i->", trial_gradient, step))
            if overshoot <= 0.5 * slope:
                break
            scale *= min(0.9, max(0.1, slope / (slope + overshoot)))  # the secant, unless it is hardly a step
        point, gradient, information = trial, trial_gradient, trial_information
        previous, norm = norm, float(np.abs(gradient).max(initial=0.0))
        step_size = scale * float(np.abs(step).max(initial=0.0))
        iterations += 1
    return Mode(
        scores=point[:n_items],
        orders=point[n_items : n_items + counts.n_orders],
        log_tie=float(point[-1]) if counts.ties is not None else np.nan,
        information=information,
        gradient_norm=norm,
        gradient_total=float(np.abs(gradient).sum()),
        tolerance=tolerance,
        last_step=step_size,
        iterations=iterations,
    )


def _median(values: FloatArray, *, at_least: float) -> float:
    """The upper median; np.median takes longer than a pass over a class's comparisons."""
    middle = values.size // 2
    return max(at_least, float(np.partition(values, middle)[middle])) if values.size else at_least


def win_logits(counts: PairCounts, components: IntArray) -> FloatArray:
    """Each item's win logit, widened for the spread of its opponents: about two Newton steps saved."""
    logits = np.log((counts.wins + 0.5) / (counts.comparisons - counts.wins + 0.5))
    if logits.size:
        logits -= logits.mean()
        logits *= np.sqrt(1 + np.einsum("i,i->", logits, logits) / (2.9 * logits.size))
    np.clip(logits, -FARTHEST_START, FARTHEST_START, out=logits)
    return centred(logits, components)
