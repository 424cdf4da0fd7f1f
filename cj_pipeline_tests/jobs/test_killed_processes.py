"""A process killed anywhere and started again: the same result, and nothing asked or paid twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.killed import POINTS
from cj_pipeline_tests.jobs.purchase import judged

REPO = Path(__file__).parents[2]
FEW = ("after the intent", "after the create", "before the judgments' Parquet")


def run(installation: Installation, *words: str) -> int:
    """A real process in the installation's folder; its exit code."""
    environment = {**os.environ, **installation.environment, "PYTHONPATH": str(REPO)}
    return subprocess.run(
        [sys.executable, *words],
        cwd=installation.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        timeout=120,
        check=False,
    ).returncode


def killed_and_started_again(installation: Installation, point: str) -> None:
    small_batch(installation.batches / "small", model="lexical")
    killed = run(installation, str(Path(__file__).with_name("killed.py")), point, "small")
    assert killed == -signal.SIGKILL
    assert run(installation, "-m", "cj_pipeline.cli", "run", "small") == 0

    deployment = installation.deployment
    rows = deployment.read_table("judgments", "small")
    small_batch(installation.batches / "undisturbed", model="lexical")
    undisturbed = judged(deployment, "undisturbed")
    asked = ("pair_id", "essay_a", "essay_b")
    assert rows["outcome"].to_pylist() == ["success"] * 15
    assert (
        len({tuple(row[name] for name in asked) for row in rows.to_pylist()}) == rows.num_rows == undisturbed.num_rows
    )
    assert deployment.store.exists("reports/small.html")
    bill = installation.bill()
    assert bill["requests_seen"] == 15 + 15
    assert bill["batches_created"] == 2


@pytest.mark.heavy
@pytest.mark.parametrize("point", FEW)
def test_a_process_killed_at_a_decisive_point_goes_on_where_it_was(installation: Installation, point: str) -> None:
    killed_and_started_again(installation, point)


@pytest.mark.endurance
@pytest.mark.parametrize("point", [point for point in POINTS if point not in FEW])
def test_a_process_killed_at_any_point_goes_on_where_it_was(installation: Installation, point: str) -> None:
    killed_and_started_again(installation, point)
