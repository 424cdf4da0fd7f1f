"""The Bradley-Terry fit beside choix, evalica, scipy and, if it is installed, scikit-learn.

Same data and same objective: the maximum likelihood, which all of them can estimate, up to 10,000 essays, and
the posterior mode under one prior above. Who stops early shows it in the gradient and in the difference.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import choix
import evalica
import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from benchmarks.measuring import Budget, Table, figure, peak_megabytes, seconds
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import BradleyTerryFit, NoMaximumLikelihood, fit_bradley_terry
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.newton import win_probabilities
from cj_pipeline.scoring.pair_counts import count_pairs

SIGMA = 1.0  # so that the maximum likelihood exists
LIKELIHOOD_UP_TO = 10_000  # essays; above, no draw is likely to have a maximum likelihood
PRIOR_PRECISION = 1 / 9
REFITS = 200
OURS = "cj_pipeline"
SCORES, SCORES_AND_SE, ONE_STEP = "scores", "scores and SE", "its first step only: a lower bound"


@dataclass(frozen=True, slots=True)
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

    def gradient(self, scores: FloatArray) -> FloatArray:
        surprise = self.won - expit(scores[self.first] - scores[self.second])
        pull = np.bincount(self.first, surprise, self.n_items) - np.bincount(self.second, surprise, self.n_items)
        return np.asarray(pull - self.precision * scores)

    def slope(self, scores: FloatArray) -> float:
        """Infinity norm of the gradient: how far from the optimum a solution stopped."""
        return float(np.abs(self.gradient(scores)).max())


@dataclass(frozen=True, slots=True)
class Peer:
    """Another library's way to the same scores, and how many essays it takes in seconds, or at all."""

    name: str
    solve: Callable[[Problem], FloatArray]
    gives: str
    quick_up_to: int
    possible_up_to: int


@dataclass(frozen=True, slots=True)
class Fit:
    """One line of the comparison. The difference is the largest from our scores, both centred."""

    problem: str
    method: str
    gives: str
    seconds: float
    times_ours: float
    megabytes: float | None
    gradient: float
    difference: float | None

    def cells(self) -> tuple[str, ...]:
        return (
            self.problem,
            self.method,
            self.gives,
            figure(self.seconds),
            figure(self.times_ours, digits=2),
            "" if self.megabytes is None else figure(self.megabytes),
            figure(self.gradient, style="power"),
            "" if self.difference is None else figure(self.difference, style="power"),
        )


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
            ours(problem)
        except NoMaximumLikelihood:
            continue
        return problem
    raise RuntimeError("no draw in a thousand has a maximum likelihood")


def ours(given: Problem) -> FloatArray:
    sd = given.precision**-0.5 if given.precision else np.inf
    fit = fit_bradley_terry(given.first, given.second, given.won, given.n_items, prior_sd=sd, order_effect=False)
    return fit.scores


def our_scores_only(given: Problem) -> FloatArray:
    counts = count_pairs(given.first, given.second, given.won, given.n_items, n_orders=0)
    mode, _ = fit_mode(counts, counts.components(), given.precision**-0.5 if given.precision else np.inf)
    return mode.scores


def our_default(given: Problem) -> BradleyTerryFit:
    return fit_bradley_terry(given.first, given.second, given.won, given.n_items)


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
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 0.0, "gtol": 1e-6},
    )
    return np.asarray(found.x)


def sklearn_lbfgs(given: Problem) -> FloatArray:
    rows = np.tile(np.arange(given.first.size), 2)
    signs = np.repeat([1.0, -1.0], given.first.size)
    shape = (given.first.size, given.n_items)
    design = csr_array((signs, (rows, np.concatenate([given.first, given.second]))), shape=shape)
    strength = 1 / given.precision if given.precision else np.inf
    model = importlib.import_module("sklearn.linear_model").LogisticRegression(
        C=strength, fit_intercept=False, solver="lbfgs", tol=1e-9, max_iter=5000
    )
    return np.asarray(model.fit(design, given.won).coef_[0])


def wins_as_pairs(given: Problem) -> list[tuple[int, int]]:
    winner = np.where(given.won == 1, given.first, given.second).tolist()
    loser = np.where(given.won == 1, given.second, given.first).tolist()
    return list(zip(winner, loser, strict=True))


def choix_ilsr(given: Problem) -> FloatArray:
    return np.asarray(choix.ilsr_pairwise(given.n_items, wins_as_pairs(given), alpha=0.0, tol=1e-9, max_iter=1000))


def choix_lsr(given: Problem) -> FloatArray:
    return np.asarray(choix.lsr_pairwise(given.n_items, wins_as_pairs(given), alpha=0.0))


def choix_opt(given: Problem) -> FloatArray:
    return np.asarray(choix.opt_pairwise(given.n_items, wins_as_pairs(given), alpha=given.precision / 2, tol=1e-9))


def evalica_bradley_terry(given: Problem) -> FloatArray:
    winners = [evalica.Winner.X if won else evalica.Winner.Y for won in given.won]
    found = evalica.bradley_terry(given.first.tolist(), given.second.tolist(), winners, tolerance=1e-12, limit=100_000)
    return np.log([found.scores[item] for item in range(given.n_items)])


# choix and evalica hold an n x n matrix of doubles: 80 GB at 100,000 essays
PEERS = (
    Peer("scipy L-BFGS-B, vectorised", scipy_lbfgs, SCORES, 100_000, 100_000),
    Peer("evalica bradley_terry", evalica_bradley_terry, SCORES, 10_000, 10_000),
    Peer("choix ilsr_pairwise", choix_ilsr, SCORES, 1_000, 10_000),
    Peer("choix opt_pairwise", choix_opt, SCORES, 1_000, 10_000),
)
OUR_SCORES = Peer(OURS, our_scores_only, SCORES, 100_000, 100_000)
SKLEARN = Peer("scikit-learn LogisticRegression", sklearn_lbfgs, SCORES, 100_000, 100_000)
FIRST_STEP = Peer("choix ilsr_pairwise", choix_lsr, ONE_STEP, 10_000, 10_000)


def peers_for(given: Problem, *, full: bool) -> Iterator[Peer]:
    """Who can solve it: without `full` only those that take seconds, and choix's first step where all of it is long."""
    installed = (*PEERS, SKLEARN) if importlib.util.find_spec("sklearn") else PEERS
    for peer in installed:
        if given.n_items <= (peer.possible_up_to if full else peer.quick_up_to):
            yield peer
    if not full and PEERS[2].quick_up_to < given.n_items <= FIRST_STEP.possible_up_to:
        yield FIRST_STEP


def fits(given: Problem, *, full: bool) -> Iterator[Fit]:
    """Ours three times, then every peer that can."""
    optimum, default = ours(given), our_default(given)
    runs = 200 if given.n_items < 100 else 20
    fastest = seconds(lambda: ours(given), runs=runs)
    memory = peak_megabytes(lambda: ours(given))
    yield Fit(given.name, OURS, SCORES_AND_SE, fastest, 1.0, memory, given.slope(optimum), None)
    taken, memory = seconds(lambda: our_default(given), runs=runs), peak_megabytes(lambda: our_default(given))
    method, ratio = f"{OURS} with prior and order effect", taken / fastest
    yield Fit(given.name, method, SCORES_AND_SE, taken, ratio, memory, default.gradient_norm, None)
    for peer in (OUR_SCORES, *peers_for(given, full=full)):
        taken, scores = solved(peer, given, runs=runs)
        difference = float(np.abs(scores - optimum).max())
        ratio = taken / fastest
        yield Fit(given.name, peer.name, peer.gives, taken, ratio, None, given.slope(scores), difference)


def solved(peer: Peer, given: Problem, *, runs: int) -> tuple[float, FloatArray]:
    """Seconds, and the scores, centred."""
    found: list[FloatArray] = []
    taken = seconds(lambda: found.append(peer.solve(given)), runs=runs)
    return taken, found[-1] - found[-1].mean()


def fit_table(rows: list[Fit], *, full: bool) -> Table:
    left_out = (
        ""
        if full
        else " choix takes minutes at 10,000 essays: here it is shown by the first of its steps, and by its whole "
        "way with `python -m benchmarks --full`."
    )
    return Table(
        heading="Bradley-Terry fits",
        about="Essays / comparisons, the shortest of the runs that fit into five seconds (20 at most, 200 for "
        "a class), each library's own conversion of the data included. Up to 10,000 essays the maximum "
        "likelihood without order effect, above the posterior mode at a prior sd of 3, which only scipy shares: "
        "choix and evalica hold matrices of 80 GB there. `gradient`: infinity norm of the common objective's "
        "gradient at what was returned (second row of ours: of its own). `difference`: the largest of a score from "
        "ours. Peak memory is beyond the arrays handed over. Gradient pass × iterations, in the budgets, is one pass "
        "of the fit's own kind over sorted pairs, times the Newton steps and one; sorting and the products with the "
        "information matrix within a step are not in it." + left_out,
        columns=("essays / comparisons", "method", "gives", "s", "times ours", "peak MB", "gradient", "difference"),
        rows=tuple(row.cells() for row in rows),
    )


def refit_seconds(given: Problem) -> float:
    """200 bootstrap samples of the comparisons, each fitted with prior, order effect and standard errors."""
    rng = np.random.default_rng(1)
    samples = [rng.integers(given.first.size, size=given.first.size) for _ in range(REFITS)]

    def refit() -> None:
        for rows in samples:
            fit_bradley_terry(given.first[rows], given.second[rows], given.won[rows], given.n_items)

    return seconds(refit, runs=5)


def gradient_passes(given: Problem) -> float:
    """Seconds of as many gradient passes of the fit's own kind, on sorted pairs, as the fit makes Newton steps."""
    fit = fit_bradley_terry(given.first, given.second, given.won, given.n_items, order_effect=False)
    counts = count_pairs(given.first, given.second, given.won, given.n_items, n_orders=0)

    def one_pass() -> FloatArray:
        expected = win_probabilities(counts, fit.scores, np.zeros(0))
        return counts.wins - counts.row_sums(expected) - counts.comparisons_as_other + counts.other_sums(expected)

    return seconds(one_pass, runs=5) * (fit.iterations + 1)


def budgets(problems: list[Problem], rows: list[Fit]) -> Iterator[Budget]:
    """Targets for the sizes that were run, by essays / comparisons."""
    own = {row.problem: row for row in rows if row.method == OURS and row.gives == SCORES_AND_SE}
    for given in problems:
        name, milliseconds = given.name, own[given.name].seconds * 1e3
        if given.n_items < 100:
            yield Budget(f"{name}: fit with standard errors", milliseconds, 1, "ms")
            yield Budget(f"{name}: {REFITS} refits with prior and order effect", refit_seconds(given), 0.2, "s")
        elif given.n_items == 10_000:
            yield Budget(f"{name}: fit with standard errors", milliseconds, 60, "ms")
            for row in rows:
                if row.problem == name and row.method.startswith(("choix", "evalica")):
                    bound = " (lower bound)" if row.gives == ONE_STEP else ""
                    yield Budget(f"{name}: {row.method}, time over ours{bound}", row.times_ours, 100, "×", True)
        elif given.n_items >= 100_000:
            ratio = own[name].seconds / gradient_passes(given)
            yield Budget(f"{name}: fit with standard errors over gradient pass × iterations", ratio, 2, "×")
            yield Budget(f"{name}: peak memory of the fit", own[name].megabytes or 0.0, 500, "MB")
