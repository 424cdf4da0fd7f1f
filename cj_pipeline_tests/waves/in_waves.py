"""A batch driven wave by wave to its end without Dagster, as its assets do it."""

from pathlib import Path

from cj_pipeline.batch import Batch, read_batch
from cj_pipeline.continuation import Step, continue_batch, decided_tables
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.plan import batch_mode, open_wave, plan_jobs
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import buy
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline_tests.installation import small_batch

MOST_STEPS = 400
NO_RULE = '[stopping]\nrule = "none"\n'


def batch_in(
    folder: Path, mode: str, *, essays: int, cap: int, model: str = "latent", extra: str = "", seed: int = 7
) -> Path:
    """A small batch of that mode."""
    made = small_batch(folder, essays=essays, model=model, max_comparisons=cap, extra=extra)
    manifest = made / "batch.toml"
    text = manifest.read_text("utf-8").replace("[batch]\n", f'[batch]\nmode = "{mode}"\nseed = {seed}\n')
    manifest.write_text(text, "utf-8")
    return made


def batch_of(folder: Path, mode: LLMBatchingMode, essays: int, cap: int | None) -> Batch:
    """A batch of that mode as it is read; without a cap where there is none."""
    manifest = batch_in(folder, mode, essays=essays, cap=1 if cap is None else cap) / "batch.toml"
    if cap is None:
        manifest.write_text(manifest.read_text("utf-8").replace("max_comparisons = 1\n", ""), "utf-8")
    return read_batch(folder)


def judged_wave(deployment: Deployment, batch_id: str) -> None:
    """Buy, collect and score what is recorded; calls and offline jobs are answered at once."""
    ledger, store, settings = deployment.ledger, deployment.store, deployment.settings
    batch = deployment.batch(batch_id)
    open_revision(ledger, batch)
    pairs = open_wave(ledger, store, batch)
    plan_jobs(ledger, store, batch, pairs, settings)
    for _ in range(MOST_STEPS):
        buy(ledger, store, batch, settings)
        collected = collect(ledger, store, batch, settings)
        if not isinstance(collected, Progress):
            break
    else:
        raise AssertionError(f"not through: {collected.sentence()}")
    deployment.write_tables(batch_id, {"comparison_pairs": pairs, "judgments": collected})
    judges = [judge.id for judge in batch.manifest.judges]
    tables = score_tables(batch.essays, collected, judges, chosen_by_score=batch_mode(batch).iterative)
    decided, _ = decided_tables(deployment, batch, pairs, collected, tables)
    deployment.write_tables(batch_id, decided)


def to_its_end(deployment: Deployment, batch_id: str) -> str:
    """Wave after wave; returns the terminal label."""
    for _ in range(MOST_STEPS):
        judged_wave(deployment, batch_id)
        if continue_batch(deployment, batch_id) is Step.ENDED:
            return str(deployment.read_table("scale_fit", batch_id)["terminal_label"][0].as_py())
    raise AssertionError(f"no end after {MOST_STEPS} steps")
