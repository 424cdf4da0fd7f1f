"""People's recorded judgments through plan, purchase and scoring: the published figures of ten topics come back.

Expected figures: `ssr` and `spearman_vs_published` of data/samples/ukpconvarg1/topics.csv and `theta` of scores.csv
beside it, an independent fit of the same votes that was checked against sirt::btm (a tie is half a win, no order
effect); the published rank is `gold_rank_score` (lower is more convincing).
"""

import shutil
from collections import Counter
from typing import Any, NamedTuple

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES, defs
from cj_pipeline.judging import ErrorCode
from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.separation import separate
from cj_pipeline.scoring.votes import collect_votes
from cj_pipeline_tests.installation import REPO, Installation, small_batch

SAMPLES = REPO / "data/samples"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Expected(NamedTuple):
    votes: int
    ssr: float
    spearman: float


TOPICS = {
    "t01": Expected(1889, 0.9712, -0.9546),
    "t02": Expected(2474, 0.9842, -0.9739),
    "t21": Expected(2969, 0.9743, -0.9295),
    "t22": Expected(2971, 0.9707, -0.9168),
    "t23": Expected(2963, 0.9324, -0.8694),
    "t24": Expected(2972, 0.9252, -0.8566),
    "t27": Expected(1496, 0.9614, -0.9331),
    "t28": Expected(2319, 0.9749, -0.9396),
    "t29": Expected(1753, 0.9704, -0.9328),
    "t30": Expected(2964, 0.9816, -0.9762),
}


def copy_of_topic(installation: Installation, topic: str) -> str:
    """The sample as a batch here; its record is named by its place, wherever the emulator was started."""
    batch_id = f"ukpconvarg1-{topic}"
    folder = installation.batches / batch_id
    shutil.copytree(SAMPLES / batch_id, folder)
    manifest = folder / "batch.toml"
    written = manifest.read_text("utf-8").replace(f"replay:data/samples/{batch_id}", f"replay:{folder}")
    manifest.write_text(written, "utf-8")
    return batch_id


def backfill(job: str, instance: dg.DagsterInstance, batch_ids: list[str]) -> None:
    """One run per partition, as a backfill launches them."""
    instance.add_dynamic_partitions("batch", batch_ids)
    for batch_id in batch_ids:
        run = defs.resolve_job_def(job).execute_in_process(instance=instance, partition_key=batch_id, run_config=QUIET)
        assert run.success


def collect(instance: dg.DagsterInstance, batch_ids: list[str]) -> None:
    """What the sensor does with jobs that have ended."""
    for batch_id in batch_ids:
        run = dg.materialize(
            [*ASSETS, *CHECKS],
            selection=dg.AssetSelection.assets("judgments"),
            partition_key=batch_id,
            instance=instance,
            resources=RESOURCES,
            run_config=QUIET,
        )
        assert run.success


def judge_and_score(batch_ids: list[str]) -> None:
    """The two backfills of the documentation, with the collection in between."""
    instance = dg.DagsterInstance.ephemeral()
    backfill("buy_batches", instance, batch_ids)
    collect(instance, batch_ids)
    backfill("score_batches", instance, batch_ids)


def published_scores(topic: str, essay_ids: list[str]) -> pd.DataFrame:
    """Of the essays in this order: theta and gold_rank_score."""
    scores = pd.read_csv(SAMPLES / "ukpconvarg1/scores.csv", dtype={"arg_id": str})
    return scores[scores["topic_id"] == topic].set_index("arg_id").loc[essay_ids]


def recorded_votes(batch_id: str) -> Counter[tuple[str, ...]]:
    votes = pd.read_csv(SAMPLES / batch_id / "votes.csv", dtype=str)
    winner = votes["winner"].map({"a": "essay_a", "b": "essay_b", "tie": "tie"})
    said = "Recorded vote of " + votes["judge"] + "."
    return Counter(zip(votes["essay_a"], votes["essay_b"], winner, said, strict=True))


def scale_without_order_effect(essays: pa.Table, judgments: pa.Table) -> FloatArray:
    """The scale that SSR is read from, as sirt makes it."""
    votes = collect_votes(essays, judgments, ["crowd"])
    counts = count_pairs(votes.essay_a, votes.essay_b, votes.outcome, votes.n_essays, n_orders=0)
    return separate(counts, counts.components()).scores


def assert_published_figures(installation: Installation, topic: str) -> None:
    batch_id, expected = f"ukpconvarg1-{topic}", TOPICS[topic]
    essays, judgments, scores, scale_fit = (
        installation.deployment.read_table(name, batch_id)
        for name in ("essays", "judgments", "bradley_terry_scores", "scale_fit")
    )
    columns = [judgments[name].to_pylist() for name in ("essay_a", "essay_b", "winner", "justification")]
    assert Counter(zip(*columns, strict=True)) == recorded_votes(batch_id)  # each vote a row, none twice
    assert judgments.num_rows == expected.votes
    assert set(judgments["replicate"].to_pylist()) >= {0, 1, 2, 3, 4}
    (fit,) = scale_fit.to_pylist()
    assert fit["terminal_label"] == "single_wave_complete"
    assert fit["ssr"] == pytest.approx(expected.ssr, abs=0.001)
    published = published_scores(topic, essays["essay_id"].to_pylist())
    plain = scale_without_order_effect(essays, judgments)
    assert plain == pytest.approx(published["theta"].to_numpy(), abs=2e-5)
    # arguments with equal wins stand level, which the last digits of a fit hide, other ones on every processor; the
    # published figure has those of its own
    level = plain.round(6)
    assert spearmanr(level, published["gold_rank_score"])[0] == pytest.approx(expected.spearman, abs=0.003)
    # ours takes an order effect out before it ranks
    ours = scores["score"].to_numpy().round(6)
    assert spearmanr(ours, published["gold_rank_score"])[0] == pytest.approx(expected.spearman, abs=0.01)
    assert installation.deployment.store.exists(f"reports/{batch_id}.html")


def test_the_expected_figures_are_those_of_the_file() -> None:
    topics = pd.read_csv(SAMPLES / "ukpconvarg1/topics.csv").set_index("topic_id")
    safe = topics[topics["school_safe"] == 1]
    told: dict[Any, Expected] = {
        topic: Expected(row["judgments"], row["ssr"], row["spearman_vs_published"]) for topic, row in safe.iterrows()
    }
    assert told == TOPICS


def test_one_topic_gives_its_published_reliability_and_rank_back(installation: Installation) -> None:
    judge_and_score([copy_of_topic(installation, "t27")])
    assert_published_figures(installation, "t27")


@pytest.mark.heavy
def test_a_backfill_over_ten_topics_gives_their_published_figures_back(installation: Installation) -> None:
    judge_and_score([copy_of_topic(installation, topic) for topic in TOPICS])
    for topic in TOPICS:
        assert_published_figures(installation, topic)
    assert installation.bill()["requests_seen"] == sum(expected.votes for expected in TOPICS.values())


def staff_meeting(installation: Installation, *, further: str = "") -> None:
    """Five pairs in a chain, each judged by kim, and by lee from the other side; both are asked for."""
    folder = small_batch(installation.batches / "staff", extra="ties = true")
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"latent"', f'"replay:{folder}/votes.csv"'), "utf-8")
    chain = [(f"e{number:02d}", f"e{number + 1:02d}") for number in range(5)]
    votes = "".join(f"kim,{a},{b},{a}\nlee,{b},{a},tie\n" for a, b in chain)
    (folder / "votes.csv").write_text("judge,essay_a,essay_b,winner\n" + votes, "utf-8")
    listed = "".join(f"{a},{b},2\n" for a, b in chain)
    (folder / "pairs.csv").write_text(f"essay_a,essay_b,times\n{listed}{further}", "utf-8")


def test_a_lost_answer_that_is_asked_again_is_the_same_vote(installation: Installation) -> None:
    staff_meeting(installation)
    installation.arm("lose_lines", 4)
    instance = dg.DagsterInstance.ephemeral()
    for _ in range(2):
        backfill("buy_batches", instance, ["staff"])
        collect(instance, ["staff"])
    rows = installation.deployment.read_table("judgments", "staff").to_pylist()
    assert [row["winner"] for row in rows] == ["essay_a", "tie"] * 5
    assert [row["replicate"] for row in rows] == [0, 1] * 5
    assert Counter(row["attempt"] for row in rows) == {1: 6, 2: 4}


def test_what_was_not_recorded_is_a_failure_of_that_item_and_never_asked_again(installation: Installation) -> None:
    staff_meeting(installation, further="e00,e05,1\n")
    judge_and_score(["staff"])
    rows = installation.deployment.read_table("judgments", "staff").to_pylist()
    assert [row["winner"] for row in rows] == ["essay_a", "tie"] * 5 + [None]
    assert (rows[-1]["error_code"], rows[-1]["attempt"]) == (str(ErrorCode.INVALID_REQUEST), 1)
