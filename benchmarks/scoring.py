"""The Bradley-Terry fit beside choix, evalica, scipy and, where installed, arena-rank and scikit-learn.

Same data, same objective and the same gradient asked for: the maximum likelihood, which all of them can
estimate, up to 10,000 essays, and the posterior mode under one prior above.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from unittest.mock import patch

import numpy as np
from scipy.sparse import csr_array

from benchmarks.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, line_chart, powers
from benchmarks.measuring import Budget, Table, figure, finishes_within, seconds, seconds_and_megabytes
from benchmarks.peers import OUR_SCORES, PEERS, SCORES_AND_SE, STOPPED, Peer
from benchmarks.problems import Problem
from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import BradleyTerryFit, fit_bradley_terry
from cj_pipeline.scoring.information import Information
from cj_pipeline.scoring.likelihood import win_probabilities
from cj_pipeline.scoring.pair_counts import count_pairs

REFITS = 200
LONGEST = 20.0  # seconds that a library may take, where it is known for minutes
OURS = "cj_pipeline"
AGREEING = ("choix", "evalica")  # down to 1e-6, where they were run to their end


@dataclass(frozen=True, slots=True)
class Fit:
    """One line of the comparison; `seconds` is None where it was not run, and `gives` says why.

    The difference is the largest from our scores, both centred.
    """

    problem: str
    n_pairs: int
    method: str
    gives: str
    seconds: float | None = None
    times_ours: float | None = None
    megabytes: float | None = None
    gradient: float | None = None
    difference: float | None = None

    def cells(self) -> tuple[str, ...]:
        bound = "> " if self.gives == STOPPED else ""
        return (
            self.problem,
            self.method,
            self.gives,
            "" if self.seconds is None else bound + figure(self.seconds),
            "" if self.times_ours is None else bound + figure(self.times_ours, digits=2),
            "" if self.megabytes is None else figure(max(self.megabytes, 0.1), digits=2),
            "" if self.gradient is None else figure(self.gradient, style="power"),
            "" if self.difference is None else figure(self.difference, style="power"),
        )


def our_default(given: Problem) -> BradleyTerryFit:
    return fit_bradley_terry(given.first, given.second, given.won, given.n_items)


def fits(given: Problem, *, full: bool) -> Iterator[Fit]:
    """Ours three times, then every peer: measured, stopped after a while, or with the reason why not."""
    optimum, default = given.fitted().scores, our_default(given)
    runs = 200 if given.n_items < 100 else 20
    fastest, memory = seconds_and_megabytes(given.fitted, runs=runs)
    place = given.name, given.first.size
    yield Fit(*place, OURS, SCORES_AND_SE, fastest, 1.0, memory, given.slope(optimum))
    taken, memory = seconds_and_megabytes(lambda: our_default(given), runs=runs)
    method = f"{OURS} with prior and order effect"
    yield Fit(*place, method, SCORES_AND_SE, taken, taken / fastest, memory, default.gradient_norm)
    for peer in (OUR_SCORES, *PEERS):
        if not peer.installed:
            yield Fit(*place, peer.name, "not installed")
        elif given.n_items > peer.possible_up_to:
            yield Fit(*place, peer.name, f"not possible: n × n matrix of {8 * given.n_items**2 / 1e9:.0f} GB")
        elif not full and given.n_items > peer.quick_up_to and not finishes_within(LONGEST, partial(peer.solve, given)):
            yield Fit(*place, peer.name, STOPPED, LONGEST, LONGEST / fastest)
        else:
            found: list[FloatArray] = []
            taken, memory = seconds_and_megabytes(partial(solve, peer, given, found), runs=runs)
            scores = found[-1] - found[-1].mean()
            difference = float(np.abs(scores - optimum).max())
            fit = Fit(*place, peer.name, peer.gives, taken, taken / fastest, memory)
            yield replace(fit, gradient=given.slope(scores), difference=difference)


def solve(peer: Peer, given: Problem, found: list[FloatArray]) -> None:
    found[:] = [peer.solve(given)]


def fit_table(rows: list[Fit], *, full: bool) -> Table:
    left_out = (
        f" choix takes minutes at 10,000 essays: here it is stopped after {LONGEST:.0f} seconds, and shown whole with "
        "`python -m benchmarks --full`."
    )
    return Table(
        heading="Bradley-Terry fits",
        about="Essays / comparisons, the shortest of the runs that fit into five seconds (20 at most, 200 for "
        "a class), each library's own conversion of the data included. Up to 10,000 essays the maximum "
        "likelihood without order effect, above the posterior mode at a prior sd of 3. Every library is asked for a "
        "gradient of at most 1e-6 per unit of median information; ours goes on to 1e-8. `gradient`: infinity norm of "
        "the common objective's gradient at what was returned (second row of ours: of its own). `difference`: the "
        "largest of a score from ours. Peak memory is what the process gains, the libraries' native memory included."
        + ("" if full else left_out),
        columns=("essays / comparisons", "method", "gives", "s", "times ours", "peak MB", "gradient", "difference"),
        rows=tuple(row.cells() for row in rows),
        chart=fit_chart(rows),
    )


def fit_chart(rows: list[Fit]) -> str:
    measured = [row for row in rows if not row.method.startswith(f"{OURS} with")]
    ours = [row for row in measured if row.method != OURS or row.gives == SCORES_AND_SE]
    by_method: dict[str, list[tuple[float, float]]] = {}
    for row in ours:
        if row.seconds is not None:
            by_method.setdefault(row.method, []).append((row.n_pairs, row.seconds))
    lines = [Line(f"{name}, SE too" if name == OURS else name, tuple(found)) for name, found in by_method.items()]
    points = [point for line in lines for point in line.points]
    x = powers([pairs for pairs, _ in points], LEFT, WIDTH - RIGHT)
    y = powers([taken for _, taken in points], HEIGHT - BOTTOM, TOP)
    return line_chart("Seconds for a fit; choix at 500,000: a lower bound", lines, x, y, "comparisons", "seconds")


def refit_seconds(given: Problem) -> float:
    """200 bootstrap samples of the comparisons, each fitted with prior, order effect and standard errors."""
    rng = np.random.default_rng(1)
    samples = [rng.integers(given.first.size, size=given.first.size) for _ in range(REFITS)]

    def refit() -> None:
        for rows in samples:
            fit_bradley_terry(given.first[rows], given.second[rows], given.won[rows], given.n_items)

    return seconds(refit, runs=10)


@dataclass(frozen=True, slots=True)
class Passes:
    """How often a fit goes over the comparisons, and the seconds that a gradient pass of its kind takes."""

    newton: int
    products: int  # with the information matrix: conjugate gradients and certificate
    gradient_seconds: float


def passes(given: Problem) -> Passes:
    counted = 0
    product = Information.times

    def counting(self: Information, vectors: FloatArray, upper: "csr_array[np.float64] | None" = None) -> FloatArray:
        nonlocal counted
        counted += 1
        return product(self, vectors, upper)

    with patch.object(Information, "times", counting):
        fit = given.fitted()
    counts = count_pairs(given.first, given.second, given.won, given.n_items, n_orders=0)

    def one_pass() -> FloatArray:
        expected = win_probabilities(counts, fit.scores, np.zeros(0))
        return counts.wins - counts.row_sums(expected) - counts.comparisons_as_other + counts.other_sums(expected)

    return Passes(fit.iterations + 1, counted, seconds(one_pass, runs=10))


def budgets(problems: list[Problem], rows: list[Fit]) -> Iterator[Budget]:
    """Targets for the sizes that were run, by essays / comparisons."""
    own = {row.problem: row for row in rows if row.method == OURS and row.gives == SCORES_AND_SE}
    for given in problems:
        name, taken = given.name, own[given.name].seconds or np.nan
        if given.n_items < 100:
            yield Budget(f"{name}: fit with standard errors", taken * 1e3, 1, "ms")
            yield Budget(f"{name}: {REFITS} refits with prior and order effect", refit_seconds(given), 0.2, "s")
        elif given.n_items == 10_000:
            yield Budget(f"{name}: fit with standard errors", taken * 1e3, 60, "ms")
            for row in rows:
                if row.problem == name and row.times_ours and row.method.startswith(("choix", "evalica")):
                    bound = " (lower bound)" if row.gives == STOPPED else ""
                    yield Budget(f"{name}: {row.method}, time over ours{bound}", row.times_ours, 100, "×", True)
        elif given.first.size >= 5_000_000:
            went = passes(given)
            floor = went.gradient_seconds * (went.newton + went.products)
            yield Budget(f"{name}: fit with standard errors, about a second", taken, 1.2, "s")
            yield Budget(
                f"{name}: over gradient pass × iterations ({went.newton} of Newton, {went.products} of conjugate "
                f"gradients; a pass takes {went.gradient_seconds * 1e3:.0f} ms, over Newton's alone "
                f"{taken / (went.gradient_seconds * went.newton):.1f} ×)",
                taken / floor,
                2,
                "×",
            )
            yield Budget(f"{name}: peak memory of the fit", own[name].megabytes or 0.0, 500, "MB")
    differences = [row.difference for row in rows if row.difference is not None and row.method.startswith(AGREEING)]
    if differences:
        what = "largest difference of a score from choix's and evalica's, in millionths of a logit"
        yield Budget(what, max(differences) * 1e6, 1, "millionths")
