"""How many comparisons an accuracy takes: recorded human votes asked for in three orders.

Each of the 32 topics of UKPConvArg1 (data/samples) has five votes on every pair; a design asks for pairs, gets one
recorded vote each, and its scores are held against the scale of all votes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

from benchmarks.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, even, line_chart
from benchmarks.measuring import Table, figure
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import fit_bradley_terry

FOLDER = Path(__file__).resolve().parent.parent / "data" / "samples" / "ukpconvarg1"
POINTS = {"a1": 1.0, "a2": 0.0, "equal": 0.5}
PER_ITEM = (5, 8, 10, 15, 20, 25, 30)  # comparisons
ACCURACIES = (0.80, 0.85, 0.90)  # Spearman correlations to be reached
RANDOM_ROUNDS = 4  # before an adaptive design has anything to go by


@dataclass(frozen=True, slots=True)
class Topic:
    """All votes on all pairs of a topic, from the lower-numbered item's side, and the scale they give."""

    n_items: int
    begin: IntArray  # (n, n) where the votes of a pair (lower, upper) begin
    count: IntArray  # (n, n)
    votes: FloatArray
    scale: FloatArray  # (n,) scores from all votes

    def asked(self, first: IntArray, second: IntArray, rng: np.random.Generator) -> FloatArray:
        """One recorded vote for each pair, drawn at random."""
        lower, upper = np.minimum(first, second), np.maximum(first, second)
        drawn = self.begin[lower, upper] + (rng.random(first.size) * self.count[lower, upper]).astype(np.int64)
        return np.where(first < second, self.votes[drawn], 1 - self.votes[drawn])


@cache
def topics() -> tuple[Topic, ...]:
    judgments = pd.read_csv(FOLDER / "judgments.csv.gz", dtype=str)
    scores = pd.read_csv(FOLDER / "scores.csv", dtype={"arg_id": str})
    return tuple(
        _topic(asked, scores[scores["topic_id"] == name]) for name, asked in judgments.groupby("topic_id", sort=True)
    )


def _topic(asked: pd.DataFrame, scores: pd.DataFrame) -> Topic:
    number = {name: row for row, name in enumerate(scores["arg_id"])}
    first, second = (asked[column].map(number).to_numpy(dtype=np.int64) for column in ("arg1", "arg2"))
    won = asked["value"].map(POINTS).to_numpy(dtype=np.float64)
    n_items = len(scores)
    order = np.argsort(np.minimum(first, second) * n_items + np.maximum(first, second), kind="stable")
    lower, upper = np.minimum(first, second)[order], np.maximum(first, second)[order]
    count = np.zeros((n_items, n_items), dtype=np.int64)
    np.add.at(count, (lower, upper), 1)
    begin = np.cumsum(count.ravel()) - count.ravel()
    return Topic(
        n_items=n_items,
        begin=begin.reshape(n_items, n_items),
        count=count,
        votes=np.where(first < second, won, 1 - won)[order],
        scale=scores["theta"].to_numpy(dtype=np.float64),
    )


Pairs = tuple[IntArray, IntArray]
Design = Callable[[Topic, int, np.random.Generator], Iterator[tuple[Pairs, FloatArray]]]


def single_wave(topic: Topic, per_item: int, rng: np.random.Generator) -> Iterator[tuple[Pairs, FloatArray]]:
    """This project's plan, all at once."""
    n_pairs = min(per_item * topic.n_items // 2, topic.n_items * (topic.n_items - 1) // 2)
    pairs = plan_single_wave(topic.n_items, 0, n_pairs, int(rng.integers(2**32)))
    yield pairs, topic.asked(*pairs, rng)


def with_replacement(topic: Topic, per_item: int, rng: np.random.Generator) -> Iterator[tuple[Pairs, FloatArray]]:
    """Two different items at random, again and again."""
    first = rng.integers(topic.n_items, size=per_item * topic.n_items // 2)
    second = (first + 1 + rng.integers(topic.n_items - 1, size=first.size)) % topic.n_items
    yield (first, second), topic.asked(first, second, rng)


def adaptive(topic: Topic, per_item: int, rng: np.random.Generator) -> Iterator[tuple[Pairs, FloatArray]]:
    """Rounds of n/2 pairs: at random first, then each item against the nearest one it has not met."""
    met = np.eye(topic.n_items, dtype=bool)
    first, second, won = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    for number in range(per_item):
        score = rng.normal(size=topic.n_items)
        if number >= RANDOM_ROUNDS:
            score = np.nan_to_num(fit_bradley_terry(first, second, won, topic.n_items).scores)
        one, other = _nearest_strangers(score, met)
        met[one, other] = met[other, one] = True
        turned = rng.random(one.size) < 0.5
        pairs = np.where(turned, other, one), np.where(turned, one, other)
        answers = topic.asked(*pairs, rng)
        first, second, won = np.append(first, pairs[0]), np.append(second, pairs[1]), np.append(won, answers)
        yield pairs, answers


def _nearest_strangers(score: FloatArray, met: np.ndarray) -> Pairs:
    """Down the ranking, each item with the next free one it has not met, or failing that the next free one."""
    free = np.argsort(-score, kind="stable").tolist()
    pairs = []
    while len(free) > 1:
        item = free.pop(0)
        stranger = next((place for place, other in enumerate(free) if not met[item, other]), 0)
        pairs.append((item, free.pop(stranger)))
    one, other = np.array(pairs).T
    return one, other


DESIGNS: dict[str, Design] = {
    "single wave (ours)": single_wave,
    "random with replacement": with_replacement,
    "adaptive, nearest score": adaptive,
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean correlation with the scale of all votes, per number of comparisons per item."""

    design: str
    spearman: tuple[float, ...]
    kendall: tuple[float, ...]

    def needed(self, accuracy: float) -> float:
        """Comparisons per item for a Spearman correlation, between the measured points; infinite if never."""
        if accuracy > self.spearman[-1]:
            return np.inf
        return float(np.interp(accuracy, self.spearman, PER_ITEM))


def curve(design: str, *, repeats: int = 3, n_topics: int = 32) -> Curve:
    """Each of the first topics so many times; an adaptive design goes once through all its sizes."""
    found = np.zeros((2, len(PER_ITEM)))
    chosen = topics()[:n_topics]
    for number, topic in enumerate(chosen):
        for repeat in range(repeats):
            rng = np.random.default_rng([number, repeat])
            for place, scores in enumerate(_trajectory(DESIGNS[design], topic, rng)):
                found[:, place] += spearmanr(scores, topic.scale)[0], kendalltau(scores, topic.scale)[0]
    spearman, kendall = found / (len(chosen) * repeats)
    return Curve(design, tuple(spearman.tolist()), tuple(kendall.tolist()))


def _trajectory(design: Design, topic: Topic, rng: np.random.Generator) -> Iterator[FloatArray]:
    if design is not adaptive:
        for per_item in PER_ITEM:
            ((pairs, won),) = design(topic, per_item, rng)
            yield _scores(*pairs, won, topic.n_items)
        return
    rounds = list(adaptive(topic, PER_ITEM[-1], rng))
    for per_item in PER_ITEM:
        first, second = (np.concatenate([pairs[seat] for pairs, _ in rounds[:per_item]]) for seat in (0, 1))
        yield _scores(first, second, np.concatenate([won for _, won in rounds[:per_item]]), topic.n_items)


def _scores(first: IntArray, second: IntArray, won: FloatArray, n_items: int) -> FloatArray:
    return np.nan_to_num(fit_bradley_terry(first, second, won, n_items).scores)


def design_table(curves: list[Curve]) -> Table:
    ours = curves[0]
    return Table(
        heading="Comparisons for an accuracy",
        about="Recorded human votes on the 32 topics of UKPConvArg1 (1,052 arguments, five votes on "
        "every pair), one vote a comparison, three repeats. Accuracy is the Spearman correlation with the scale of "
        "all 84,445 votes; the last columns are the comparisons per item it takes, between measured points. The "
        "adaptive design sorts by score after four random rounds and pairs neighbours that have not met: one round "
        "trip to the judges per comparison of an item, where the single wave needs one in all, and its own "
        "reliability figures cannot be trusted (docs: statistics of adaptive designs).",
        columns=("design", *(f"ρ at {k}" for k in PER_ITEM), *(f"for ρ {a:.2f}" for a in ACCURACIES), "ours = 1"),
        rows=tuple(
            (
                curve.design,
                *(f"{value:.3f}" for value in curve.spearman),
                *(figure(curve.needed(accuracy)) for accuracy in ACCURACIES),
                figure(curve.needed(ACCURACIES[1]) / ours.needed(ACCURACIES[1]), digits=2),
            )
            for curve in curves
        ),
        chart=line_chart(
            "Correlation with the scale of all votes",
            [Line(curve.design, tuple(zip(map(float, PER_ITEM), curve.spearman, strict=True))) for curve in curves],
            even((5.0, 10.0, 15.0, 20.0, 25.0, 30.0), LEFT, WIDTH - RIGHT),
            even((0.6, 0.7, 0.8, 0.9, 1.0), HEIGHT - BOTTOM, TOP),
            "comparisons per item",
            "Spearman",
        ),
    )
