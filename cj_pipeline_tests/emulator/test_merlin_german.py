import tomllib
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

BATCH = Path(__file__).parents[2] / "data" / "samples" / "merlin-german"


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(BATCH / name, dtype=str, keep_default_na=False)


def test_twelve_anchors_and_twenty_five_pupils_cover_every_grade() -> None:
    anchors, pupils, essays = _read("anchors.csv"), _read("known_grades.csv"), _read("essays.csv")
    assert Counter(anchors["grade"]) == {"A1": 2, "A2": 2, "B1": 3, "B2": 3, "C1": 2}
    assert Counter(pupils["grade"]) == {"A1": 4, "A2": 6, "B1": 6, "B2": 6, "C1": 3}
    assert not set(anchors["essay_id"]) & set(pupils["essay_id"])
    assert set(anchors["essay_id"]) | set(pupils["essay_id"]) == set(essays["essay_id"])
    assert essays["essay_id"].is_unique
    assert essays["text"].is_unique


def test_nothing_the_judge_or_the_reader_of_ids_sees_tells_a_grade() -> None:
    essays = _read("essays.csv")
    assert list(essays.columns) == ["essay_id", "text"]
    for grade in ("A1", "A2", "B1", "B2", "C1"):
        assert not essays["essay_id"].str.contains(grade).any()


def test_the_texts_are_whole_essays_of_25_to_400_words() -> None:
    words = _read("essays.csv")["text"].str.split().map(len)
    assert words.between(20, 420).all()  # the corpus counts words a little differently


def test_the_licence_and_the_source_travel_with_the_texts() -> None:
    source = (BATCH / "SOURCE.md").read_text()
    for said in ("CC BY-SA 4.0", "MERLIN", "What was changed", "86d60deb1190f801ce4e38123aa3a68b279907df"):
        assert said in source


def test_the_manifest_asks_seven_comparisons_per_essay_of_the_offline_judge() -> None:
    manifest = tomllib.loads((BATCH / "batch.toml").read_text())
    assert manifest["batch"]["max_comparisons"] == 7 * len(_read("essays.csv"))
    assert [(judge["provider"], judge["model"]) for judge in manifest["judges"]] == [("emulator", "lexical")]
    assert str(manifest["batch"]["seed"]) in (BATCH / "SOURCE.md").read_text()


@pytest.mark.parametrize("name", ["assignment.md", "rubric.md"])
def test_the_judge_is_told_task_and_criteria(name: str) -> None:
    assert len((BATCH / name).read_text().split()) > 40
