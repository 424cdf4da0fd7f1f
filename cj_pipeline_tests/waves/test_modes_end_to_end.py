"""Whole batches in every mode, over real HTTP to the emulator: what was asked, how it ended, that nothing stalls."""

import os
import subprocess
import sys
from collections import Counter

import dagster as dg
import pyarrow as pa
import pytest

from cj_pipeline.continuation import Step, continue_batch
from cj_pipeline.defs.drive import run_batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.recorded_waves import decisions_of, waves_of
from cj_pipeline.store import Store
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline_tests.installation import REPO, Installation
from cj_pipeline_tests.waves.in_waves import NO_RULE, batch_in, to_its_end

SHARP = "latent:sd=4,noise=0.3"
COIN = "latent:sd=0"
PASSES = "[stopping]\nregular_passes = 20\nsmall_net_passes = 20\ntarget_mean_se = 0.8\n"


SIZES = [
    (LLMBatchingMode.PER_REQUEST, 2),
    (LLMBatchingMode.SERIAL_BUNDLE, 3),
    (LLMBatchingMode.SERIAL_BUNDLE, 7),
    (LLMBatchingMode.PROVIDER_BATCH_API, 2),
]
ENDINGS = {
    True: {"stable", "no_signal", "budget_exhausted", "coverage_exhausted"},
    False: {"single_wave_complete"},
}


def materialised(batch_id: str) -> Deployment:
    """The whole batch as `cj run` takes it, report included."""
    deployment = Deployment.open()
    here = dg.DagsterInstance.ephemeral()
    progress = run_batch(deployment, batch_id, tell=lambda _: None, wait=True, new_revision=False, instance=here)
    assert progress.complete
    return deployment


def pairs_of(deployment: Deployment, batch_id: str) -> pa.Table:
    return deployment.read_table("comparison_pairs", batch_id)


def ending(deployment: Deployment, batch_id: str) -> str:
    """The terminal label; the ledger, the scale and the path say the same."""
    fit = deployment.read_table("scale_fit", batch_id)["terminal_label"][0].as_py()
    path = deployment.read_table("wave_path", batch_id).to_pylist()
    decided = decisions_of(deployment.ledger, batch_id, deployment.ledger.provenance(batch_id).revision)
    assert [row["wave"] for row in path] == [one.wave for one in decided] == list(range(1, len(path) + 1))
    assert [row["label"] for row in path] == [*[None] * (len(path) - 1), fit] == [one.label for one in decided]
    return str(fit)


def seats(pairs: pa.Table) -> dict[str, tuple[int, int]]:
    first, second = (Counter(pairs[name].to_pylist()) for name in ("essay_a", "essay_b"))
    return {essay: (first[essay], second[essay]) for essay in first | second}


@pytest.mark.heavy
def test_twenty_four_essays_with_a_budget_of_288_are_covered_and_twelve_pairs_asked_again(
    installation: Installation,
) -> None:
    batch_in(installation.batches / "regular", "serial_bundle", essays=24, cap=288, extra=NO_RULE)
    deployment = installation.deployment
    assert to_its_end(deployment, "regular") == "budget_exhausted"
    pairs = pairs_of(deployment, "regular")
    assert Counter(pairs["kind"].to_pylist()) == {"coverage": 276, "resampling": 12}
    assert max(abs(a - b) / (a + b) for a, b in seats(pairs).values()) <= 0.2
    assert len(installation.bill(requests=True)["requests"]) == 288
    assert ending(deployment, "regular") == "budget_exhausted"


def test_a_budget_of_60_in_one_wave_is_60_pairs_and_five_comparisons_an_essay(installation: Installation) -> None:
    batch_in(installation.batches / "single", "provider_batch_api", essays=24, cap=60)
    deployment = materialised("single")
    pairs = pairs_of(deployment, "single")
    assert pairs.num_rows == 60
    assert {sum(both) for both in seats(pairs).values()} == {5}
    assert len(waves_of(deployment.ledger, "single", deployment.ledger.provenance("single").revision)) == 1
    assert ending(deployment, "single") == "single_wave_complete"
    assert deployment.store.exists("reports/single.html")
    assert continue_batch(deployment, "single") is Step.NOTHING


@pytest.mark.heavy
def test_a_small_net_of_five_is_asked_in_three_passes_and_every_essay_sits_eight_times_in_either_seat(
    installation: Installation,
) -> None:
    passes = NO_RULE + "small_net = 5\nsmall_net_passes = 3\n"
    batch_in(installation.batches / "lower5", "serial_bundle", essays=5, cap=60, extra=passes)
    deployment = materialised("lower5")
    pairs = pairs_of(deployment, "lower5")
    assert Counter(pairs["kind"].to_pylist()) == {"coverage": 10, "resampling": 30}
    assert set(seats(pairs).values()) == {(8, 8)}
    assert ending(deployment, "lower5") == "coverage_exhausted"
    assert deployment.store.exists("reports/lower5.html")


def test_a_batch_of_any_size_comes_to_its_end_in_every_mode(installation: Installation) -> None:
    deployment = installation.deployment
    for mode, essays in SIZES:
        name = f"{mode}-{essays}".replace("_", "-")
        batch_in(installation.batches / name, mode, essays=essays, cap=24)
        label = to_its_end(deployment, name)
        assert label == ending(deployment, name)
        assert label in ENDINGS[mode.iterative]


def test_the_same_seed_asks_the_same_pairs_in_another_process(installation: Installation) -> None:
    batch_in(installation.batches / "same", "serial_bundle", essays=5, cap=14, extra=NO_RULE)
    environment = os.environ | installation.environment | {"PYTHONPATH": str(REPO), "PYTHONHASHSEED": "4711"}
    environment |= {name: str(installation.folder / "other" / name) for name in ("CJ_STORE", "CJ_LEDGER")}
    command = [sys.executable, "-m", "cj_pipeline_tests.waves.killed_in_waves", "same", "", "1"]
    subprocess.run(command, env=environment, cwd=installation.folder, check=True, capture_output=True)
    there = Store(environment["CJ_STORE"]).read_table("comparison_pairs", "same")[0]
    deployment = installation.deployment
    to_its_end(deployment, "same")
    assert there.to_pylist() == pairs_of(deployment, "same").to_pylist()


def test_tossed_coins_end_without_signal_and_without_grades(installation: Installation) -> None:
    batch_in(installation.batches / "coin", "serial_bundle", essays=10, cap=400, model=COIN, extra=PASSES)
    assert to_its_end(installation.deployment, "coin") == "no_signal"


def test_a_sharp_judge_ends_stable_before_its_budget_does(installation: Installation) -> None:
    batch_in(installation.batches / "sharp", "serial_bundle", essays=10, cap=400, model=SHARP, extra=PASSES)
    assert to_its_end(installation.deployment, "sharp") == "stable"
    assert pairs_of(installation.deployment, "sharp").num_rows < 400
