"""Seeded comparisons to fit, and how well a solution fits them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import BradleyTerryFit, NoMaximumLikelihood, fit_bradley_terry

SIGMA = 1.0  # so that the maximum likelihood exists
LIKELIHOOD_UP_TO = 10_000  # essays; above, no draw is likely to have a maximum likelihood
PRIOR_PRECISION = 1 / 9
GRADIENT_ASKED = 1e-6  # per unit of median information: of every library the same


@dataclass(frozen=True)
class Problem:
    """Comparisons of seeded essays; `precision` is that of the prior, 0 for maximum likelihood."""

    first: IntArray
    second: IntArray
    won: FloatArray
    n_items: int
    precision: float

    @property
    def name(self) -> str:
        return f"{self.n_items:,} / {self.first.size:,}"

    @property
    def prior_sd(self) -> float:
        return self.precision**-0.5 if self.precision else np.inf

    @cached_property
    def gradient_asked(self) -> float:
        """The gradient norm below which a solution counts: at our scores, where everyone's information is the same."""
        scores = self.fitted().scores
        chance = expit(scores[self.first] - scores[self.second])
        pairs = chance * (1 - chance)
        information = np.bincount(self.first, pairs, self.n_items) + np.bincount(self.second, pairs, self.n_items)
        return GRADIENT_ASKED * max(1.0, float(np.median(information)))

    def fitted(self) -> BradleyTerryFit:
        return fit_bradley_terry(
            self.first, self.second, self.won, self.n_items, prior_sd=self.prior_sd, order_effect=False
        )

    def gradient(self, scores: FloatArray) -> FloatArray:
        surprise = self.won - expit(scores[self.first] - scores[self.second])
        pull = np.bincount(self.first, surprise, self.n_items) - np.bincount(self.second, surprise, self.n_items)
        return np.asarray(pull - self.precision * scores)

    def slope(self, scores: FloatArray) -> float:
        """Infinity norm of the gradient: how far from the optimum a solution stopped."""
        return float(np.abs(self.gradient(scores)).max())


def drawn(n_items: int, n_pairs: int) -> Problem:
    """The first seeded draw that has a maximum likelihood, or any under a prior."""
    for seed in range(1, 1000):
        rng = np.random.default_rng(seed)
        first, second = plan_single_wave(n_items, 0, n_pairs, seed)
        truth = rng.normal(size=n_items) * SIGMA
        won = (rng.random(first.size) < expit(truth[first] - truth[second])).astype(np.float64)
        precision = 0.0 if n_items <= LIKELIHOOD_UP_TO else PRIOR_PRECISION
        problem = Problem(first, second, won, n_items, precision)
        try:
            problem.fitted()
        except NoMaximumLikelihood:
            continue
        return problem
    raise RuntimeError("no draw in a thousand has a maximum likelihood")
