"""The Bradley-Terry fit beside choix, evalica and scipy: same data, same objective, one run.

python benchmarks/scoring.py            up to 100,000 essays, other libraries where they take seconds
python benchmarks/scoring.py --full     other libraries at 10,000 essays as well (minutes)
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import choix
import evalica
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry

SIGMA = 1.0  # so that the maximum likelihood, which evalica and ilsr estimate, exists
ILSR_UP_TO, OPT_UP_TO, EVALICA_UP_TO, LBFGS_UP_TO = 1_000, 1_000, 1_000, 10_000  # essays, without --full


@dataclass(frozen=True, slots=True)
class Problem:
    first: IntArray
    second: IntArray
    won: FloatArray
    n_items: int
    precision: float  # of the prior; 0 is maximum likelihood, the one optimum that all methods share

    def gradient(self, scores: FloatArray) -> FloatArray:
        surprise = self.won - expit(scores[self.first] - scores[self.second])
        pull = np.bincount(self.first, surprise, self.n_items) - np.bincount(self.second, surprise, self.n_items)
        return np.asarray(pull - self.precision * scores)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    seconds: float
    megabytes: float
    gradient: float
    difference: float


def problem(n_items: int, n_pairs: int) -> Problem:
    """The first seeded draw that has a maximum likelihood; beyond 10,000 essays, one with the default prior."""
    for seed in range(1, 1000):
        rng = np.random.default_rng(seed)
        first, second = plan_single_wave(n_items, 0, n_pairs, seed)
        truth = rng.normal(size=n_items) * SIGMA
        won = (rng.random(first.size) < expit(truth[first] - truth[second])).astype(np.float64)
        drawn = Problem(first, second, won, n_items, precision=0.0 if n_items <= 10_000 else 1 / 9)
        try:
            ours(drawn)
        except NoMaximumLikelihood:
            continue
        return drawn
    raise RuntimeError("no draw in a thousand has a maximum likelihood")


def ours(given: Problem) -> FloatArray:
    sd = given.precision**-0.5 if given.precision else np.inf
    fit = fit_bradley_terry(given.first, given.second, given.won, given.n_items, prior_sd=sd, order_effect=False)
    return fit.scores


def ours_by_default(given: Problem) -> FloatArray:
    return fit_bradley_terry(given.first, given.second, given.won, given.n_items).scores


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


def wins_as_pairs(given: Problem) -> list[tuple[int, int]]:
    winner = np.where(given.won == 1, given.first, given.second).tolist()
    loser = np.where(given.won == 1, given.second, given.first).tolist()
    return list(zip(winner, loser, strict=True))


def choix_ilsr(given: Problem) -> FloatArray:
    return np.asarray(choix.ilsr_pairwise(given.n_items, wins_as_pairs(given), alpha=0.0, tol=1e-9, max_iter=1000))


def choix_opt(given: Problem) -> FloatArray:
    return np.asarray(choix.opt_pairwise(given.n_items, wins_as_pairs(given), alpha=given.precision / 2, tol=1e-9))


def evalica_bradley_terry(given: Problem) -> FloatArray:
    winners = [evalica.Winner.X if won else evalica.Winner.Y for won in given.won]
    found = evalica.bradley_terry(given.first.tolist(), given.second.tolist(), winners, tolerance=1e-12, limit=100_000)
    return np.log([found.scores[item] for item in range(given.n_items)])


def measure(name: str, method: Callable[[Problem], FloatArray], given: Problem, optimum: FloatArray) -> Row:
    times = []
    for _ in range(200 if given.n_items < 100 else 3):
        begin = time.perf_counter()
        scores = method(given)
        times.append(time.perf_counter() - begin)
        if sum(times) > 5:
            break
    tracemalloc.start()
    if min(times) < 20:
        method(given)
    peak = tracemalloc.get_traced_memory()[1] / 1e6 if min(times) < 20 else float("nan")
    tracemalloc.stop()
    centred = scores - scores.mean()
    gradient = float(np.abs(given.gradient(centred)).max())
    return Row(name, min(times), peak, gradient, float(np.abs(centred - optimum).max()))


def rows(given: Problem, full: bool) -> Iterator[Row]:
    optimum = ours(given)
    yield measure("cj_pipeline, scores and SE", ours, given, optimum)
    yield replace(measure("cj_pipeline, prior and order effect", ours_by_default, given, optimum), difference=np.nan)
    largest = 10_000 if full else 0
    others = (
        ("scipy L-BFGS-B, scores only", scipy_lbfgs, LBFGS_UP_TO),
        ("evalica bradley_terry, scores only", evalica_bradley_terry, EVALICA_UP_TO),
        ("choix ilsr_pairwise, scores only", choix_ilsr, ILSR_UP_TO),
        ("choix opt_pairwise, scores only", choix_opt, OPT_UP_TO),
    )
    for name, method, up_to in others:
        if given.n_items <= max(up_to, largest):
            yield measure(name, method, given, optimum)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="run the other libraries at 10,000 essays as well")
    full = parser.parse_args().full
    print("| essays / comparisons | method | seconds | times ours | peak MB | gradient | max difference |")
    print("|---|---|---|---|---|---|---|")
    for n_items, n_pairs in ((37, 259), (1_000, 20_000), (10_000, 500_000), (100_000, 1_000_000), (100_000, 5_000_000)):
        fastest = 0.0
        for row in rows(problem(n_items, n_pairs), full):
            fastest = fastest or row.seconds
            print(
                f"| {n_items:,} / {n_pairs:,} | {row.name} | {row.seconds:.4f} | {row.seconds / fastest:.1f} "
                f"| {row.megabytes:.0f} | {row.gradient:.0e} | {row.difference:.0e} |",
                flush=True,
            )
    print("\n| pair plan | seconds |\n|---|---|")
    for n_students, n_anchors, budget in ((25, 12, 260), (1_000, 12, 10_000), (100_000, 12, 1_000_000)):
        begin = time.perf_counter()
        plan_single_wave(n_students, n_anchors, budget, 1)
        print(f"| {n_students:,} + {n_anchors} essays, {budget:,} pairs | {time.perf_counter() - begin:.4f} |")


if __name__ == "__main__":
    main()
