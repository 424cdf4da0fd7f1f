"""84,445 recorded human judgments of 32 topics give the published scale back (data/samples/ukpconvarg1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import ScaleFit, score_comparisons
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.separation import Separation, separate

POINTS = {"a1": 1.0, "a2": 0.0, "equal": 0.5}
FOLDER = Path(__file__).parents[2] / "data" / "samples" / "ukpconvarg1"


@dataclass(frozen=True, slots=True)
class Topic:
    published_ssr: float
    published_rank: FloatArray  # lower is more convincing
    expected: pd.DataFrame
    fit: ScaleFit
    separation: Separation


def read_topics() -> Iterator[Topic]:
    judgments = pd.read_csv(FOLDER / "judgments.csv.gz", dtype=str)
    scores = pd.read_csv(FOLDER / "scores.csv", dtype={"arg_id": str})
    topics = pd.read_csv(FOLDER / "topics.csv")
    published_ssr = dict(zip(topics["topic_id"], topics["ssr"], strict=True))
    for name, asked in judgments.groupby("topic_id"):
        expected = scores[scores["topic_id"] == name].reset_index(drop=True)
        number = pd.Series(expected.index, index=expected["arg_id"])
        first = asked["arg1"].map(number).to_numpy(dtype=np.int64)
        second = asked["arg2"].map(number).to_numpy(dtype=np.int64)
        outcome = np.array([POINTS[value] for value in asked["value"]])
        judge, judges = pd.factorize(asked["judge"])
        counts = count_pairs(first, second, outcome, len(expected), n_orders=0)
        yield Topic(
            published_ssr=published_ssr[name],
            published_rank=expected["gold_rank_score"].to_numpy(dtype=np.float64),
            expected=expected,
            fit=score_comparisons(first, second, outcome, judge, len(expected), n_judges=len(judges)),
            separation=separate(counts, counts.components()),
        )


@pytest.fixture(scope="module")
def topics() -> list[Topic]:
    return list(read_topics())


def test_ssr_is_that_of_sirt_in_every_topic(topics: list[Topic]) -> None:
    assert len(topics) == 32
    for topic in topics:
        assert topic.fit.ssr == pytest.approx(topic.published_ssr, abs=1e-4)


def test_scores_and_standard_errors_are_those_of_sirt_for_every_argument(topics: list[Topic]) -> None:
    for topic in topics:
        assert topic.separation.scores == pytest.approx(topic.expected["theta"].to_numpy(), abs=2e-5)
        assert topic.separation.standard_errors == pytest.approx(topic.expected["se"].to_numpy(), abs=2e-6)


def test_scores_rank_the_arguments_as_published(topics: list[Topic]) -> None:
    # six decimals: arguments with equal wins stand level, which the last digits of a fit would hide
    in_sirt = [-spearmanr(topic.separation.scores.round(6), topic.published_rank)[0] for topic in topics]
    ours = [-spearmanr(topic.fit.scores.round(6), topic.published_rank)[0] for topic in topics]
    assert np.mean(in_sirt) == pytest.approx(0.909, abs=0.001)
    assert np.mean(ours) == pytest.approx(0.909, abs=0.002)


def test_a_crowd_of_judges_has_an_order_effect_each(topics: list[Topic]) -> None:
    for topic in topics:
        judges = topic.fit.judges
        assert np.isfinite(judges.order_effect).all()
        assert judges.comparisons.sum() == topic.fit.comparisons.sum() / 2
        assert abs(topic.fit.order_effect) < 5 * topic.fit.order_effect_standard_error


CARELESS = 3  # judges who answer without reading, 40 pairs each


def careless_judges(topic: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    invented = topic.sample(40 * CARELESS, random_state=seed).copy()
    invented["judge"] = np.repeat([f"careless-{number}" for number in range(CARELESS)], 40)
    invented["value"] = rng.choice(["a1", "a2"], len(invented))
    return pd.concat([topic, invented])


def test_careless_judges_among_recorded_people_head_the_misfit_list() -> None:
    """Recorded people of a small topic as judges; three who toss coins are put among them."""
    judgments = pd.read_csv(FOLDER / "judgments.csv.gz", dtype=str)
    sizes = judgments.groupby("topic_id").size().sort_values()
    asked = careless_judges(judgments[judgments["topic_id"] == sizes.index[0]], seed=1)
    judge, names = pd.factorize(asked["judge"])
    item, items = pd.factorize(pd.concat([asked["arg1"], asked["arg2"]]))
    outcome = np.array([POINTS[value] for value in asked["value"]])
    half = len(asked)
    judges = score_comparisons(item[:half], item[half:], outcome, judge, len(items), n_judges=len(names)).judges
    busy = np.flatnonzero(judges.comparisons >= 10)
    by_misfit = [names[number] for number in busy[np.argsort(-judges.infit_z[busy])]]
    by_sharpness = [names[number] for number in busy[np.argsort(judges.discrimination[busy])]]
    careless = {f"careless-{number}" for number in range(CARELESS)}
    assert len(by_misfit) > 20
    assert set(by_misfit[:CARELESS]) == careless
    assert careless <= set(by_sharpness[: CARELESS + 1])
