"""Driving one batch to its end from the command line: the same assets, on the same instance, waiting for jobs."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from cj_pipeline.batch import Batch
from cj_pipeline.continuation import Step, continue_batch
from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.stages import NEXT_WAVE, PLAN, PURCHASE, READING, SCORED, WAVE
from cj_pipeline.deployment import Deployment
from cj_pipeline.due import is_stored
from cj_pipeline.errors import CjError, OverBudget, ProviderUnreachable
from cj_pipeline.jobs.plan import batch_mode
from cj_pipeline.jobs.polling import poll
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.recorded_waves import waves_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import next_try
from cj_pipeline.local_emulator import start_emulator_if_needed

LOOK_AGAIN_SECONDS = 0.3  # between looks at offline judges


def plan_batch(deployment: Deployment, batch_id: str) -> None:
    """Materialise the free part: essays and pairs. Raises the `CjError` that stopped it."""
    open_revision(deployment.ledger, deployment.batch(batch_id))
    instance = open_instance()
    instance.add_dynamic_partitions(str(batches.name), [batch_id])
    materialise(instance, PLAN, batch_id)


def run_batch(
    deployment: Deployment,
    batch_id: str,
    *,
    tell: Callable[[str], None],
    wait: bool,
    new_revision: bool,
    instance: dg.DagsterInstance | None = None,
) -> Progress:
    """Materialise every asset of a batch, buying what is approved and waiting while jobs are out.

    Returns how far the purchase is: complete, unless `wait` is off or a job's creation is uncertain. Raises the
    `CjError` that stopped an asset; a red gate raises nothing, the report says it. A cap raises only when nothing
    is out any more: bills are lower than what was reserved for them, so that reading them makes room.

    Where wave follows wave, each is one run without checks, and all checks are made once at the end.
    """
    batch = deployment.batch(batch_id)
    open_revision(deployment.ledger, batch, new_revision=new_revision)
    if new_revision:
        deployment.keep_tables_of_earlier_revision(batch_id)
    instance = instance or open_instance()
    instance.add_dynamic_partitions(str(batches.name), [batch_id])
    materialise(instance, PLAN, batch_id)
    waves = batch_mode(batch).iterative
    while True:
        before = deployment.ledger.provenance(batch_id)
        over_budget = _buy(instance, WAVE if waves else PURCHASE, batch_id, checked=not waves)
        progress = progress_of(deployment.ledger, batch_id)
        if progress.waiting:
            progress = _wait_for_jobs(deployment, batch, tell, until_ended=wait)
        if progress.ended or (progress.complete and not (waves and is_stored(deployment, "wave_path", batch_id))):
            materialise(instance, SCORED if waves else READING, batch_id, checked=not waves)
            progress = progress_of(deployment.ledger, batch_id)
        if progress.complete:
            step = continue_batch(deployment, batch_id)
            if step in {Step.NEXT_WAVE, Step.ASKED_AGAIN}:
                tell(_after_the_wave(deployment, batch_id, step))
                continue
            if waves:
                materialise(instance, (*NEXT_WAVE, *READING), batch_id)
            return progress
        if progress.uncertain or progress.waiting:
            return progress
        paused_until = next_try(deployment.ledger, batch_id)
        if paused_until is not None:
            if not wait:
                return progress
            tell(f"the provider's queue was full; the next job goes at {paused_until:%H:%M:%S} UTC")
            time.sleep(max(0.0, (paused_until - datetime.now(UTC)).total_seconds()))
            continue
        if deployment.ledger.provenance(batch_id) == before:
            raise over_budget or CjError(
                f"batch {batch_id}: jobs {progress.sentence()}, and nothing moves. See `make ui` for the run."
            )


def _after_the_wave(deployment: Deployment, batch_id: str, step: Step) -> str:
    waves = waves_of(deployment.ledger, batch_id, deployment.ledger.provenance(batch_id).revision)
    if step is Step.NEXT_WAVE:
        return f"wave {waves[-1].wave}: {waves[-1].pairs} pairs, since {waves[-1].decision}"
    return f"wave {waves[-1].wave}: {step}"


def _buy(instance: dg.DagsterInstance, assets: Sequence[str], batch_id: str, *, checked: bool) -> OverBudget | None:
    """Buy what may be bought; a cap that stopped a job is returned, since what is out may still make room."""
    try:
        materialise(instance, assets, batch_id, checked=checked)
    except OverBudget as error:
        return error
    return None


def open_instance() -> dg.DagsterInstance:
    """The Dagster instance of this folder, the same that `dagster dev` started here uses."""
    if not Path("dagster.yaml").exists():
        raise CjError(f"there is no dagster.yaml in {Path.cwd()}. Run this in the project's folder.")
    return dg.DagsterInstance.from_config(str(Path.cwd()))


def materialise(instance: dg.DagsterInstance, assets: Sequence[str], batch_id: str, *, checked: bool = True) -> None:
    """Run assets, and their checks, for one batch in this process. Raises the `CjError` that stopped one."""
    selection = dg.AssetSelection.assets(*assets)
    try:
        dg.materialize(
            [*ASSETS, *CHECKS],
            selection=selection if checked else selection.without_checks(),
            partition_key=batch_id,
            instance=instance,
            resources=RESOURCES,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={"cj/started_by": "cj run"},
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    except dg.DagsterError as error:
        if type(error).__name__ == "DagsterAssetCheckFailedError":
            return  # the check holds the reason, and the report says it
        if isinstance(error.__cause__, CjError):
            raise error.__cause__ from None
        raise


def _wait_for_jobs(deployment: Deployment, batch: Batch, tell: Callable[[str], None], *, until_ended: bool) -> Progress:
    """Look at the jobs until all have ended, or once."""
    pause = LOOK_AGAIN_SECONDS if batch.manifest.offline else deployment.settings.poll_seconds
    start_emulator_if_needed(batch, deployment.settings)
    while True:
        try:
            progress = poll(deployment.ledger, batch, deployment.settings)
            tell(f"jobs: {progress.sentence()}")
        except ProviderUnreachable as error:
            tell(str(error))  # a failed look says nothing about the jobs
            progress = progress_of(deployment.ledger, batch.batch_id)
        if not (progress.waiting and until_ended):
            return progress
        time.sleep(pause)
