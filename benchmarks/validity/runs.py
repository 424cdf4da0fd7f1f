"""What is simulated: the cells of the page, each a design, a judge and a number of batches."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from benchmarks.validity.batches import Design, draw
from benchmarks.validity.figures import Graded, Rate, slope_ratio
from benchmarks.validity.judges import COIN, JUDGES, ORDINARY, SHARP, SIZED, Judge, Worth
from benchmarks.validity.product import judged_by_the_product
from cj_pipeline.grading.drift import aligned_shifts, judge_drift

SIZES = (20, 37, 100, 300)
ANCHORS = (3, 6, 12, 24)
EXAM = Design()
SCRAMBLED = replace(EXAM, scrambled=True)
TASTE = Judge("own taste (half a grade)", Worth.HONEST, taste=0.5)
WHOLE_TASTE = Judge("own taste (a whole grade)", Worth.HONEST, taste=1.0)
CASES: dict[str, tuple[Design, Judge]] = {
    "equal": (EXAM, ORDINARY),
    "skewed": (replace(EXAM, skewed=True), ORDINARY),
    "mislabelled": (replace(EXAM, mislabelled=0.2), ORDINARY),
    "sharp": (EXAM, SHARP),
    "own taste, half a grade": (EXAM, TASTE),
    "own taste, a whole grade": (EXAM, WHOLE_TASTE),
    "20 essays, 6 anchors": (Design(essays=20, anchors=6), ORDINARY),
    "100 essays, 12 anchors": (Design(essays=100), ORDINARY),
    "300 essays, 24 anchors": (Design(essays=300, anchors=24), ORDINARY),
}
FIRST_SEED = 1_000_000  # far from the batches that limits and priors were chosen on
TAIL = 5  # times as many batches where a 95th percentile is read off
REVIEWED = (0.1, 0.2, 0.3, 0.5)
T = TypeVar("T")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Gates:
    """How often a judge's grades were withheld, and by which gate."""

    judge: Judge
    design: Design
    stopped: Rate
    by_gate: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quality:
    """What pupils' grades were worth in one case."""

    name: str
    cover: float
    cover_error: float  # standard error over batches
    width: float  # grades in a range
    least_mass: float  # mean of the batches' least probability in a range
    score: float  # ranked probability score
    oracle: float
    slopes: float
    right: float
    stated: float  # mean probability given to the grades
    stopped: Rate
    review: tuple[tuple[float, float, float, float], ...]  # per REVIEWED: promised and true, before and after


@dataclass(frozen=True, slots=True)
class Reliability:
    """Reliability as the product states it, and the squared correlation with the truth."""

    essays: int
    judge: Judge
    mean: float
    ninety_fifth: float
    truth: float


def seeds(batches: int) -> range:
    """The numbers of the batches of a cell."""
    return range(FIRST_SEED, FIRST_SEED + batches)


def side_by_side(work: Callable[[T], Result], cells: Iterable[T], processes: int) -> Iterator[Result]:
    """Results in the order of the cells; each cell has its own seeds, so the number of processes changes nothing."""
    if processes == 1:
        yield from map(work, cells)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(work, cells)


def all_gates(batches: int, processes: int) -> list[Gates]:
    """Every judge on an exam's batch, through the product's tables; and sharp judges among scrambled anchors."""
    cells = [*((EXAM, judge) for judge in JUDGES), (SCRAMBLED, SHARP), (replace(EXAM, mislabelled=0.2), ORDINARY)]
    return list(side_by_side(partial(gates_of, batches=batches), cells, processes))


def gates_of(cell: tuple[Design, Judge], batches: int) -> Gates:
    """One judge through the product."""
    design, judge = cell
    verdicts = [judged_by_the_product(draw(design, judge, seed)) for seed in seeds(batches)]
    red = Counter(name for verdict in verdicts for name, passed in verdict.gates.items() if not passed)
    return Gates(judge, design, Rate(sum(not verdict.passes for verdict in verdicts), batches), red)


def anchor_gates(batches: int, processes: int) -> list[Gates]:
    """The anchor gate alone over sizes of batches and numbers of anchors."""
    designs = [Design(size, anchors) for size in SIZES for anchors in ANCHORS if anchors < size / 1.5]
    cells = [(design, judge) for design in designs for judge in SIZED]
    cells += [(replace(design, scrambled=True), SHARP) for design in designs]
    return list(side_by_side(partial(anchor_gate_of, batches=batches), cells, processes))


def anchor_gate_of(cell: tuple[Design, Judge], batches: int) -> Gates:
    """One design and judge, straight from the fit."""
    design, judge = cell
    stopped = sum(not graded(design, judge, seed).projection.gate.passes for seed in seeds(batches))
    return Gates(judge, design, Rate(stopped, batches), {"anchors_in_order": stopped})


def qualities(batches: int, processes: int) -> list[Quality]:
    """Coverage, scores, slopes and review of all cases."""
    return list(side_by_side(partial(quality_of, batches=batches), list(CASES), processes))


def quality_of(name: str, batches: int) -> Quality:
    """One case."""
    design, judge = CASES[name]
    simulated = [graded(design, judge, seed) for seed in seeds(batches)]
    held = [batch.held().mean() for batch in simulated]
    pupils = simulated[0].pupils
    projections = [batch.projection for batch in simulated]
    return Quality(
        name=name,
        cover=float(np.mean(held)),
        cover_error=float(np.std(held) / np.sqrt(batches)),
        width=float(np.mean([(one.range_high - one.range_low + 1)[pupils].mean() for one in projections])),
        least_mass=float(np.mean([one.range_mass for one in projections])),
        score=float(np.mean([batch.score() for batch in simulated])),
        oracle=float(np.mean([batch.oracle_score(judge.sharpness) for batch in simulated])),
        slopes=slope_ratio(simulated, judge.sharpness),
        right=float(np.mean([batch.right().mean() for batch in simulated])),
        stated=float(np.mean([one.p_exact[pupils].mean() for one in projections])),
        stopped=Rate(sum(not one.gate.passes for one in projections), batches),
        review=tuple(
            tuple(np.mean([batch.review(share) for batch in simulated], axis=0).tolist()) for share in REVIEWED
        ),
    )


def reliabilities(batches: int, processes: int) -> list[Reliability]:
    """Coin tosses and an ordinary judge at each size."""
    cells = [(Design(size, 6 if size == 20 else 12), judge) for judge in (COIN, ORDINARY) for size in SIZES]
    return list(side_by_side(partial(reliability_of, batches=batches), cells, processes))


def reliability_of(cell: tuple[Design, Judge], batches: int) -> Reliability:
    """Scores alone, no grades. Of coin tosses a tail is wanted, which takes more batches than a mean."""
    design, judge = cell
    drawn = [draw(design, judge, seed) for seed in seeds(batches * (TAIL if judge == COIN else 1))]
    fits = [one.fit() for one in drawn]
    stated = [fit.reliability for fit in fits]
    truth = [np.corrcoef(fit.scores, one.quality)[0, 1] ** 2 for fit, one in zip(fits, drawn, strict=True)]
    return Reliability(
        design.essays, judge, float(np.mean(stated)), float(np.quantile(stated, 0.95)), float(np.mean(truth))
    )


def drift_alarms(batches: int, moved: float, anchors: int = 12) -> Rate:
    """Two batches that share their anchors, the first of them `moved` logits in the second batch."""
    alarms = 0
    for seed in seeds(batches):
        then, now = (draw(Design(anchors=anchors), ORDINARY, 2 * seed + turn) for turn in (0, 1))
        quality = now.quality.copy()
        quality[:anchors] = then.quality[:anchors]
        quality[0] += moved
        answering = np.random.default_rng([seed, 9])
        again = replace(now, quality=quality, won=ORDINARY.answers(quality, quality, now.first, now.second, answering))
        fits = then.fit(), again.fit()
        scores = [fit.unshrunk_scores[:anchors] for fit in fits]
        errors = np.hypot(*(fit.unshrunk_standard_errors[:anchors] for fit in fits))
        alarms += judge_drift(aligned_shifts(scores[1], scores[0], errors), errors).drifted
    return Rate(alarms, batches)


def graded(design: Design, judge: Judge, seed: int) -> Graded:
    """One batch, scored and projected."""
    drawn = draw(design, judge, seed)
    fit = drawn.fit()
    return Graded(drawn, fit, drawn.projection(fit))
