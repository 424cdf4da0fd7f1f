"""The ten samples of recorded judgments hold what the data holds: every vote, every pair, licence and source."""

import tomllib
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from cj_pipeline.batch import read_batch
from cj_pipeline.jobs.plan import budget_of, pairs_of
from cj_pipeline.pairing.findings import pair_findings

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
SOURCE = SAMPLES / "ukpconvarg1"  # the votes and figures of all topics, without texts
BATCHES = sorted(path.parent for path in SAMPLES.glob("ukpconvarg1-*/batch.toml"))
WINNERS = {"a1": "a", "a2": "b", "equal": "tie"}

each_sample = pytest.mark.parametrize("folder", BATCHES, ids=lambda folder: folder.name)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def recorded() -> pd.DataFrame:
    return read(SOURCE / "judgments.csv.gz")


def test_the_samples_are_the_topics_fit_for_a_classroom() -> None:
    topics = read(SOURCE / "topics.csv")
    safe = topics[topics["school_safe"] == "1"]["topic_id"]
    assert [folder.name for folder in BATCHES] == [f"ukpconvarg1-{topic}" for topic in safe]
    assert len(BATCHES) == 10


@each_sample
def test_a_sample_holds_every_vote_of_its_topic_as_it_was_given(folder: Path, recorded: pd.DataFrame) -> None:
    topic = recorded[recorded["topic_id"] == folder.name.removeprefix("ukpconvarg1-")]
    given = Counter(zip(topic["judge"], topic["arg1"], topic["arg2"], topic["value"].map(WINNERS), strict=True))
    assert Counter(read(folder / "votes.csv").itertuples(index=False, name=None)) == given


@each_sample
def test_a_sample_asks_every_pair_as_often_as_it_was_judged_and_passes_every_structural_check(folder: Path) -> None:
    batch = read_batch(folder)
    votes = read(folder / "votes.csv")
    asked = Counter((row["essay_a"], row["essay_b"]) for row in pairs_of(batch).to_pylist())
    assert asked == Counter(zip(votes["essay_a"], votes["essay_b"], strict=True))
    findings = {one.name: one.passed for one in pair_findings(batch.essays, pairs_of(batch), budget_of(batch))}
    # the seats are the record's: each pair was shown in one order
    assert findings == {name: name != "seats_balanced" for name in findings}


@each_sample
def test_the_judge_of_a_sample_is_its_own_record_and_licence_and_source_travel_with_it(folder: Path) -> None:
    (judge,) = tomllib.loads((folder / "batch.toml").read_text("utf-8"))["judges"]
    assert (judge["provider"], judge["model"]) == ("emulator", f"replay:data/samples/{folder.name}/votes.csv")
    source = (folder / "SOURCE.md").read_text("utf-8")
    for said in (
        "CC BY 4.0",
        "UKPConvArg1",
        "What was changed",
        "ca9d24e41b8805ff2e1d3585d552b49bb64a65f7",
        "Habernal",
    ):
        assert said in source
