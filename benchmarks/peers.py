"""Other libraries' ways to the same scores, each asked for the same gradient in its own terms.

What a library calls tolerance was set once so that its gradient ends below the one asked for and not far below.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import choix
import evalica
import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from benchmarks.problems import Problem
from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.pair_counts import count_pairs

SCORES, SCORES_AND_SE, STOPPED = "scores", "scores and SE", "stopped: a lower bound"


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to the scores, and how many essays it takes."""

    name: str
    solve: Callable[[Problem], FloatArray]
    gives: str
    quick_up_to: int  # essays in seconds
    possible_up_to: int  # essays at all: some hold an n x n matrix of doubles
    module: str = ""  # what must be installed for it

    @property
    def installed(self) -> bool:
        return not self.module or importlib.util.find_spec(self.module) is not None


def our_scores_only(given: Problem) -> FloatArray:
    counts = count_pairs(given.first, given.second, given.won, given.n_items, n_orders=0)
    mode, _ = fit_mode(counts, counts.components(), given.prior_sd)
    return mode.scores


def scipy_lbfgs(given: Problem) -> FloatArray:
    def objective(scores: FloatArray) -> tuple[float, FloatArray]:
        margin = scores[given.first] - scores[given.second]
        loss = np.logaddexp(0, margin).sum() - given.won @ margin + given.precision / 2 * scores @ scores
        return float(loss), -given.gradient(scores)

    found = minimize(
        objective,
        np.zeros(given.n_items),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 0.0, "gtol": given.gradient_asked},
    )
    return np.asarray(found.x)


def sklearn_lbfgs(given: Problem) -> FloatArray:
    rows = np.tile(np.arange(given.first.size), 2)
    signs = np.repeat([1.0, -1.0], given.first.size)
    shape = (given.first.size, given.n_items)
    design = csr_array((signs, (rows, np.concatenate([given.first, given.second]))), shape=shape)
    strength = 1 / given.precision if given.precision else np.inf
    model = importlib.import_module("sklearn.linear_model").LogisticRegression(
        C=strength, fit_intercept=False, solver="lbfgs", tol=given.gradient_asked / given.first.size, max_iter=5000
    )
    return np.asarray(model.fit(design, given.won).coef_[0])


def arena_rank(given: Problem) -> FloatArray:
    """Its own L-BFGS in jax, compiled for each fit; maximum likelihood only, its loss a mean per comparison."""
    models = importlib.import_module("arena_rank.models.bradley_terry")
    data = importlib.import_module("arena_rank.utils.data_utils")
    ones = np.ones(given.first.size)
    dataset = data.PairDataset(
        competitors=np.arange(given.n_items),
        pairs=np.column_stack([given.first, given.second]),
        outcomes=given.won,
        counts=ones,
        weights=ones,
        opt_weights=ones,
    )
    tolerance = given.gradient_asked / given.first.size
    model = models.BradleyTerry(given.n_items, gtol=tolerance, ftol=0.0, max_iter=5000)
    model.fit(dataset)
    return np.asarray(model.params["ratings"])


def wins_as_pairs(given: Problem) -> list[tuple[int, int]]:
    winner = np.where(given.won == 1, given.first, given.second).tolist()
    loser = np.where(given.won == 1, given.second, given.first).tolist()
    return list(zip(winner, loser, strict=True))


def choix_ilsr(given: Problem) -> FloatArray:
    return np.asarray(choix.ilsr_pairwise(given.n_items, wins_as_pairs(given), alpha=0.0, tol=1e-7, max_iter=1000))


def choix_opt(given: Problem) -> FloatArray:
    return np.asarray(choix.opt_pairwise(given.n_items, wins_as_pairs(given), alpha=given.precision / 2, tol=1e-7))


def evalica_bradley_terry(given: Problem) -> FloatArray:
    winners = [evalica.Winner.X if won else evalica.Winner.Y for won in given.won]
    found = evalica.bradley_terry(given.first.tolist(), given.second.tolist(), winners, tolerance=1e-6, limit=100_000)
    return np.log([found.scores[item] for item in range(given.n_items)])


OUR_SCORES = Peer("cj_pipeline", our_scores_only, SCORES, 100_000, 100_000)
PEERS = (
    Peer("scipy L-BFGS-B, vectorised", scipy_lbfgs, SCORES, 100_000, 100_000),
    Peer("evalica bradley_terry", evalica_bradley_terry, SCORES, 10_000, 10_000),
    Peer("choix ilsr_pairwise", choix_ilsr, SCORES, 1_000, 10_000),
    Peer("choix opt_pairwise", choix_opt, SCORES, 1_000, 10_000),
    Peer("arena-rank BradleyTerry", arena_rank, SCORES, 10_000, 10_000, "arena_rank"),
    Peer("scikit-learn LogisticRegression", sklearn_lbfgs, SCORES, 100_000, 100_000, "sklearn"),
)
