"""Profiles taken to their end over a real emulator, once for all tests of a session."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from cj_pipeline import emulator
from cj_pipeline.batch import Batch
from cj_pipeline.continuation import Step, continue_batch, decided_tables
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.profiles import Profile
from cj_pipeline.eng5.run import ProfileRun, gather_run
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import buy
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline_tests.defs.materialising import materialise as materialise_in
from cj_pipeline_tests.installation import REPO

SAMPLES = REPO / "data/samples"
PATIENCE_SECONDS = 60


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """An installation in a folder, with the profiles as samples and an emulator that answers."""
    running = emulator.start_process(folder=folder / "emulator", seconds_per_phase=0.05)
    environment = {
        "CJ_BATCHES": str(folder / "batches"),
        "CJ_SAMPLES": str(folder / "samples"),
        "CJ_STORE": str(folder / "store"),
        "CJ_LEDGER": str(folder / "ledger.sqlite"),
        "CJ_EMULATOR_URL": running.url,
        "CJ_EMULATOR_FOLDER": str(folder / "emulator"),
    }
    shutil.copytree(SAMPLES / "eng5", folder / "samples/eng5", dirs_exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPO / name, folder)
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.delenv("CJ_POSTGRES_URL", raising=False)
        patch.chdir(folder)
        # half of the time of a wave is a hundred random halves of its comparisons, which no parity check looks at
        patch.setattr("cj_pipeline.scoring.splits.MOST_SPLITS", 5)
        try:
            yield
        finally:
            running.stop()
            os.chdir(before)


def materialise(batch_id: str, assets: Sequence[str] = ()) -> dg.ExecuteInProcessResult:
    """Some or all assets, and their checks, of a batch of a single wave."""
    return materialise_in(dg.DagsterInstance.ephemeral(), batch_id, assets, raise_on_error=False)


def in_waves(profile: Profile) -> ProfileRun:
    """A profile's run by the functions that its assets call, wave after wave, without a Dagster run for each."""
    deployment, batch_id = Deployment.open(), profile.batch_id
    while True:
        batch = deployment.batch(batch_id)
        open_revision(deployment.ledger, batch)
        pairs = open_wave(deployment.ledger, deployment.store, batch)
        plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)
        judgments = _answers(deployment, batch)
        judges = [judge.id for judge in batch.manifest.judges]
        scored = score_tables(batch.essays, judgments, judges, batch.human_judgments)
        tables, _ = decided_tables(deployment, batch, pairs, judgments, scored)
        deployment.write_tables(
            batch_id, {"essays": batch.essays, "comparison_pairs": pairs, "judgments": judgments, **tables}
        )
        if continue_batch(deployment, batch_id) is Step.ENDED:
            return gather_run(deployment, profile)


def _answers(deployment: Deployment, batch: Batch) -> pa.Table:
    """Buy what is planned, and wait until every comparison has its outcome."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        buy(deployment.ledger, deployment.store, batch, deployment.settings)
        collected = collect(deployment.ledger, deployment.store, batch, deployment.settings)
        if not isinstance(collected, Progress):
            return collected
        time.sleep(0.05)
    raise AssertionError(f"{batch.batch_id} is not through in {PATIENCE_SECONDS} s: {collected.sentence()}")


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    """The table with other values in one column."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))
