"""The profile batches in the repository are what the table of profiles says, and what their maker writes."""

import math
import runpy
import shutil
from pathlib import Path

import pytest

from cj_pipeline.batch import read_batch, seed_of
from cj_pipeline.eng5.findings import PARITY
from cj_pipeline.eng5.profiles import PROFILES, Profile, profile_named
from cj_pipeline.eng5.trace import recorded_trace
from cj_pipeline.errors import CjError
from cj_pipeline_tests.eng5.profile_runs import SAMPLES

FOLDERS = SAMPLES / "eng5"
each = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


@each
def test_a_profile_s_folder_asks_what_the_table_says(profile: Profile) -> None:
    batch = read_batch(FOLDERS / profile.batch_id)
    assert batch.manifest.batch.mode == profile.mode
    assert batch.manifest.batch.max_comparisons == profile.budget
    assert batch.essays.num_rows == profile.essays
    assert [judge.model for judge in batch.manifest.judges] == [profile.judge] * profile.repetitions
    assert seed_of(batch.batch_id, batch.manifest) == 42
    assert batch.scale is None
    assert batch.notices == ()


@each
def test_a_profile_asks_for_no_more_than_its_budget_and_claims_checks_that_exist(profile: Profile) -> None:
    assert profile.comparisons <= profile.budget
    assert profile.pairs - profile.resampled <= profile.possible_pairs
    assert profile.checks <= PARITY.keys()
    assert recorded_trace(profile.trace).error_count == 0


def test_every_case_of_parity_is_claimed_of_some_profile() -> None:
    assert set().union(*(profile.checks for profile in PROFILES.values())) == PARITY.keys()


def test_the_folders_are_exactly_the_profiles_and_what_their_maker_writes(tmp_path: Path) -> None:
    assert {path.name for path in FOLDERS.iterdir()} == PROFILES.keys()
    shutil.copy(SAMPLES / "make_eng5.py", tmp_path)
    runpy.run_path(str(tmp_path / "make_eng5.py"), run_name="__main__")
    written = {path.relative_to(tmp_path / "eng5"): path for path in (tmp_path / "eng5").rglob("*.*")}
    assert written.keys() == {path.relative_to(FOLDERS) for path in FOLDERS.rglob("*.*")}
    assert [str(name) for name, path in written.items() if path.read_bytes() != (FOLDERS / name).read_bytes()] == []


@each
def test_every_folder_says_where_its_texts_come_from_and_under_which_licence(profile: Profile) -> None:
    source = (FOLDERS / profile.batch_id / "SOURCE.md").read_text("utf-8")
    assert "made for this project" in source
    assert "**Licence**: Apache-2.0" in source
    assert f"`{profile.judge}`" in source


def test_prompts_stay_at_the_floor_of_their_profile() -> None:
    """Three quarters of a token per word: 6 words make 5 tokens, 1,333 words a thousand."""
    most = {"cj-generic": 6, "cj-generic-batch-api": 6, "eng5-anchor": 1_466, "eng5-lower5": 1_333}
    for batch_id, words in most.items():
        counts = sorted(read_batch(FOLDERS / batch_id).essays["word_count"].to_pylist())
        assert math.fsum(counts[-2:]) <= words


def test_the_predecessor_s_names_are_understood_and_a_slip_is_put_right() -> None:
    assert profile_named("regular") is PROFILES["eng5-regular"]
    assert profile_named("small-net") is PROFILES["eng5-small-net"]
    assert profile_named("resampling") is PROFILES["eng5-resampling"]
    assert profile_named("batch-api") is PROFILES["eng5-batch-api"]
    with pytest.raises(CjError, match="Did you mean 'eng5-anchor'"):
        profile_named("eng5-anchors")
