"""Processes that die in a wave and between waves: no wave is asked twice, none is lost, and every pair has an end."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from cj_pipeline.errors import CjError
from cj_pipeline.jobs.plan import open_wave
from cj_pipeline.jobs.recorded_waves import decisions_of, waves_of
from cj_pipeline_tests.defs.daemon import dagster_dev, wait_until
from cj_pipeline_tests.installation import REPO, Installation
from cj_pipeline_tests.waves.in_waves import NO_RULE, batch_in
from cj_pipeline_tests.waves.killed_in_waves import POINTS

KILLED = -9
PAIRS = 15  # six essays, every pair once


def process(installation: Installation, point: str = "", wave: int = 1) -> int:
    """Its exit code."""
    environment = {**os.environ, **installation.environment, "PYTHONPATH": str(REPO)}
    child = subprocess.run(
        [sys.executable, "-m", "cj_pipeline_tests.waves.killed_in_waves", "batch", point, str(wave)],
        cwd=installation.folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert child.returncode in {0, KILLED}, child.stderr[-3000:]
    return child.returncode


def asked(installation: Installation) -> Counter[str]:
    """How often every comparison was carried out, by what was asked."""
    return Counter(row["body_sha256"] for row in installation.bill(requests=True)["requests"])


def assert_whole(installation: Installation, *, pairs: int = PAIRS, uncertain: int = 0) -> None:
    """Every wave was decided on once, bought once, and every pair stands in the judgments."""
    deployment = installation.deployment
    ledger, batch = deployment.ledger, deployment.batch("batch")
    revision = ledger.provenance("batch").revision
    waves, decisions = waves_of(ledger, "batch", revision), decisions_of(ledger, "batch", revision)
    assert [wave.wave for wave in waves] == [one.wave for one in decisions] == list(range(1, len(waves) + 1))
    assert [one.label is not None for one in decisions] == [*[False] * (len(waves) - 1), True]
    planned = open_wave(ledger, deployment.store, batch)["pair_id"].to_pylist()
    judgments = deployment.read_table("judgments", "batch")
    assert sorted(judgments["pair_id"].to_pylist()) == sorted(planned) == list(range(pairs))
    assert judgments["error_code"].to_pylist().count("uncertain") <= uncertain
    assert set(asked(installation).values()) == {1}


@pytest.mark.heavy
def test_a_process_killed_at_every_point_of_a_wave_leaves_it_to_the_next(installation: Installation) -> None:
    """One after the other at each of the points of the same wave; the last process finishes the batch."""
    batch_in(installation.batches / "batch", "per_request", essays=6, cap=PAIRS, extra=NO_RULE)
    killed = [point for point in POINTS if process(installation, point, wave=2) == KILLED]
    assert killed[0] == "with calls on their way"
    assert "when the decision is recorded" in killed
    assert process(installation) == 0
    assert_whole(installation, uncertain=4)


@pytest.mark.endurance
def test_a_daemon_killed_between_waves_goes_on_where_it_was(installation: Installation) -> None:
    """Killed with its runs when the first decision is recorded; the next daemon buys that wave, once, and ends it."""
    batch_in(installation.batches / "batch", "serial_bundle", essays=6, cap=6, extra=NO_RULE)

    def decided() -> int:
        ledger = installation.deployment.ledger
        try:
            return len(decisions_of(ledger, "batch", ledger.provenance("batch").revision))
        except CjError:
            return 0

    with dagster_dev(installation, killed=True):
        wait_until(lambda: decided() == 1, installation)
    with dagster_dev(installation, killed=True):
        wait_until(lambda: installation.deployment.store.exists("reports/batch.html"), installation)
        wait_until(lambda: decided() == 2, installation)
    assert_whole(installation, pairs=6)
