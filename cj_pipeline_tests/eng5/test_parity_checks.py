"""Parity as people meet it: checks in Dagster that fail a run, a command that ends with 1."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.findings import CHECKS as PARITY_CHECKS
from cj_pipeline.eng5.profiles import PROFILES
from cj_pipeline_tests.eng5.profile_runs import installed, materialise, with_column
from cj_pipeline_tests.installation import REPO, small_batch

PROFILE = "cj-generic-batch-api"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation with the profiles, in this process's environment while the file's tests last."""
    made = tmp_path_factory.mktemp("checks")
    with installed(made):
        yield made


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations() if one.check_name in PARITY_CHECKS}


def test_a_profile_s_partition_is_green_in_dagster_and_shows_both_numbers(folder: Path) -> None:
    result = materialise(PROFILE)
    assert result.success
    found = evaluations(result)
    assert found.keys() == PARITY_CHECKS.keys()
    assert all(one.passed for one in found.values())
    shown = {name: value.value for name, value in found["parity_B3"].metadata.items()}
    assert (shown["items"], shown["items_expected"]) == (16, 16)
    assert found["parity_D1"].description == "not claimed of this profile"


def test_a_table_that_is_off_turns_its_check_red_and_fails_the_run(folder: Path) -> None:
    opened = Deployment.open()
    scores = opened.read_table("bradley_terry_scores", PROFILE)
    off = [value * 0.9 for value in scores["standard_error"].to_pylist()]
    opened.write_tables(PROFILE, {"bradley_terry_scores": with_column(scores, "standard_error", list(off))})
    try:
        result = materialise(PROFILE, ("batch_report",))
        assert not result.success
        red = {name: one for name, one in evaluations(result).items() if not one.passed}
        assert red.keys() == {"parity_scale"}
        assert red["parity_scale"].severity is dg.AssetCheckSeverity.ERROR
        numbers = {name: value.value for name, value in red["parity_scale"].metadata.items()}
        found, expected = (numbers[f"mean_standard_error{which}"] for which in ("", "_expected"))
        assert isinstance(found, float)
        assert isinstance(expected, float)
        assert found == pytest.approx(0.9 * expected)
        assert "mean_standard_error" in (red["parity_scale"].description or "")
    finally:
        opened.write_tables(PROFILE, {"bradley_terry_scores": scores})
    assert materialise(PROFILE, ("batch_report",)).success


def test_a_batch_that_is_no_profile_is_not_held_against_one(folder: Path) -> None:
    small_batch(folder / "batches" / "my-own")
    found = evaluations(materialise("my-own"))
    assert {one.description for one in found.values()} == {"not a profile batch"}
    assert all(one.passed for one in found.values())


def cj(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`cj eng5 ...` in the installation, as a process of its own."""
    command = [str(REPO / ".venv/bin/cj"), "eng5", *arguments]
    return subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False)


def test_the_profiles_are_listed_with_what_is_claimed_of_them(folder: Path) -> None:
    listed = cj(folder, "profile")
    assert listed.returncode == 0, listed.stderr
    assert all(batch_id in listed.stdout for batch_id in PROFILES)
    assert "66 comparisons of 12 essays" in listed.stdout


@pytest.mark.heavy
def test_a_profile_run_by_name_says_what_holds_and_an_unknown_one_is_a_mistake(folder: Path) -> None:
    told = cj(folder, "profile", "batch-api", "--json")
    assert told.returncode == 0, told.stderr
    findings = json.loads(told.stdout)["eng5-batch-api"]
    assert {finding["name"] for finding in findings} == {f"parity_{case}" for case in PROFILES["eng5-batch-api"].checks}
    assert all(finding["passed"] for finding in findings)
    assert cj(folder, "profile", "eng5-anchors").returncode == 2


@pytest.mark.heavy
def test_another_judge_behind_a_profile_is_told_and_ends_with_1(folder: Path) -> None:
    """A judge with a strong leaning to the first seat in the place of the profile's."""
    manifest = folder / "samples/eng5/eng5-lower5/batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("eng5_lower5", "latent:order=6"), "utf-8")
    told = cj(folder, "profile", "eng5-lower5")
    assert told.returncode == 1
    red = {line.split()[1] for line in told.stdout.splitlines() if "RED" in line}
    assert red == {"parity_P5", "parity_P6", "parity_P7"}


@pytest.mark.endurance
def test_one_command_takes_all_profiles_to_their_end_and_every_check_is_green(tmp_path: Path) -> None:
    with installed(tmp_path):
        told = cj(tmp_path, "profile", "--all", "--json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found.keys() == PROFILES.keys()
    assert all(finding["passed"] for findings in found.values() for finding in findings)
