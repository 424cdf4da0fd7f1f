"""People's judgments through the whole way: in the fit, in the report, never bought, and never silently old."""

import csv
from pathlib import Path

import dagster as dg
import pytest

from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES
from cj_pipeline.errors import StaleTable
from cj_pipeline.report.export import export_batch
from cj_pipeline.report.gather import gather_evidence
from cj_pipeline_tests.installation import Installation, small_batch

SCALE = ["bradley_terry_scores", "grade_projections", "batch_report"]
VOTES = [
    ("kim", "e00", "e01", "a"),
    ("kim", "e02", "e03", "b"),
    ("lee", "e04", "e05", "tie"),
    ("lee", "e01", "e00", "b"),
]


def write_votes(folder: Path, votes: list[tuple[str, str, str, str]]) -> None:
    with (folder / "human_judgments.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("judge", "essay_a", "essay_b", "winner"), *votes])


def materialise(instance: dg.DagsterInstance, assets: list[str]) -> None:
    instance.add_dynamic_partitions("batch", ["small"])
    dg.materialize(
        [*ASSETS, *CHECKS],
        selection=dg.AssetSelection.assets(*assets) if assets else None,
        partition_key="small",
        instance=instance,
        resources=RESOURCES,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def test_people_stand_in_the_same_fit_are_reported_and_bought_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    folder = small_batch(installation.batches / "small")
    write_votes(folder, VOTES)
    with dg.DagsterInstance.ephemeral() as instance:
        materialise(instance, [])
    bill = installation.bill()
    evidence = gather_evidence(installation.deployment, "small")
    judges = {row["judge_id"]: row for row in evidence.tables["judge_fit"].to_pylist()}
    assert [(name, row["kind"], row["comparisons"]) for name, row in judges.items()] == [
        ("judge", "model", 15),
        ("kim", "person", 2),
        ("lee", "person", 2),
    ]
    assert evidence.tables["judgments"].num_rows == 15
    assert evidence.tables["scale_fit"]["comparisons"].to_pylist() == [19]
    assert evidence.tables["scale_fit"]["people_votes"].to_pylist() == [4]
    page = installation.deployment.store.read("reports/small.html").decode()
    assert "People gave 4 judgments" in page
    assert "kim" in page
    written = {path.name for path in export_batch(evidence, tmp_path / "out", "csv", with_texts=False)}
    assert {"human_judgments.csv", "disagreements.csv", "judge_agreement.csv", "pair_fit.csv"} <= written
    assert installation.bill() == bill


def test_a_changed_file_makes_the_scores_old_by_name_and_buys_nothing_again(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    with dg.DagsterInstance.ephemeral() as instance:
        materialise(instance, [])
        before = installation.bill()
        write_votes(folder, VOTES)
        with pytest.raises(StaleTable, match=r"human_judgments\.csv changed since the scores were made"):
            materialise(instance, ["grade_projections"])
        with pytest.raises(StaleTable, match=r"human_judgments\.csv changed"):
            gather_evidence(installation.deployment, "small")
        materialise(instance, SCALE)
    fit = installation.deployment.read_table("scale_fit", "small").to_pylist()[0]
    assert fit["people_votes"] == len(VOTES)
    assert installation.bill()["batches_created"] == before["batches_created"] == 1


def test_a_mistake_in_the_file_stops_a_batch_before_anything_is_bought(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    write_votes(folder, [("kim", "e00", "e77", "a")])
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(Exception, match="row 2, essay_b"):
        materialise(instance, [])
    assert installation.bill()["files_uploaded"] == 0
