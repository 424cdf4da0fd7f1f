"""A purchase of the size of a nation, whole: planned, submitted, polled, collected, with what memory it takes.

Each runs in a process of its own, against the local emulator in another, so that its peak of memory is its own.

    python -m benchmarks.flow 25000     one of them, as JSON
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring import Budget, Table, figure, status_megabytes
from benchmarks.purchase import SPOKEN
from cj_pipeline import emulator
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.polling import poll
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import buy

BATCH_ID = "nation"
COMPARISONS_PER_ESSAY = 20
WORDS_PER_ESSAY = 150
RSS_UNIT = 1e6 if sys.platform == "darwin" else 1e3  # ru_maxrss: bytes on macOS, KB on Linux (getrusage(2))


@dataclass(frozen=True, slots=True)
class Flow:
    """Seconds of each step of one purchase, and the process's peak of memory (MB) when it was over."""

    comparisons: int
    jobs: int
    request_megabytes: float
    answered: int
    planned: float
    submitted: float
    at_provider: float
    collected: float
    peak_before: float
    peak_submitted: float
    peak_collected: float


def flowed(comparisons: int) -> Flow:
    """Run one purchase in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.flow", str(comparisons)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Flow(**json.loads(done.stdout))


def flow_table(flows: list[Flow]) -> Table:
    rows = tuple(
        (
            f"{one.comparisons:,}", str(one.jobs), f"{one.request_megabytes:,.0f}", figure(one.planned),
            figure(one.submitted), figure(one.at_provider), figure(one.collected),
            figure(one.peak_submitted - one.peak_before), figure(one.peak_collected - one.peak_before),
        )
        for one in flows
    )  # fmt: skip
    return Table(
        heading="A purchase from plan to judgments",
        about=f"Essays of {WORDS_PER_ESSAY} words, {COMPARISONS_PER_ESSAY} comparisons for each, bought of the local "
        "emulator over HTTP with the provider's SDK: pairs and request files planned, jobs submitted (the upload "
        "included), polled until the provider has answered, raw answers kept, booked and read into the table "
        "`judgments`, every comparison with a verdict. Memory: what the process held at its peak above where it began.",
        columns=(
            "comparisons", "jobs", "request MB", "plan s", "submit s", "provider s", "collect s", "peak MB to submit",
            "peak MB in all",
        ),
        rows=rows,
    )  # fmt: skip


def budgets(smaller: Flow, larger: Flow) -> Iterator[Budget]:
    """Memory does not grow with the files; only the table of judgments and the plan do."""
    what = f"{larger.comparisons:,} comparisons from plan to judgments"
    yield Budget(f"{what}: answered", larger.answered, larger.comparisons, "verdicts", at_least=True)
    yield Budget(f"{what}: peak memory", larger.peak_collected - larger.peak_before, 500, "MB")
    grown = (larger.peak_collected - smaller.peak_collected) / (larger.comparisons - smaller.comparisons) * 1e3
    yield Budget(f"{what}: memory for each comparison more", grown, 4, "kB")


def _flow(comparisons: int, folder: Path) -> Flow:
    _write_batch(folder / "batches" / BATCH_ID, comparisons)
    deployment = Deployment.open()
    ledger, store, settings = deployment.ledger, deployment.store, deployment.settings
    batch = deployment.batch(BATCH_ID)
    peaks = [_peak()]
    times: list[float] = []

    def step(action: Callable[[], object]) -> None:
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
        peaks.append(_peak())

    def plan() -> None:
        open_revision(ledger, batch)
        plan_jobs(ledger, store, batch, open_wave(ledger, store, batch), settings)

    def wait() -> None:
        while poll(ledger, batch, settings).waiting:
            time.sleep(0.2)

    collected = []
    for action in (plan, lambda: buy(ledger, store, batch, settings), wait):
        step(action)
    step(lambda: collected.append(collect(ledger, store, batch, settings)))
    (judgments,) = collected
    assert not isinstance(judgments, Progress), judgments.sentence()
    jobs = jobs_of(ledger, BATCH_ID)
    planned, submitted, at_provider, collecting = times
    return Flow(
        comparisons=judgments.num_rows,
        jobs=len(jobs),
        request_megabytes=sum(job.request_bytes for job in jobs) / 1e6,
        answered=judgments["error_code"].null_count,
        planned=planned,
        submitted=submitted,
        at_provider=at_provider,
        collected=collecting,
        peak_before=peaks[0],
        peak_submitted=peaks[2],
        peak_collected=peaks[4],
    )


def _write_batch(folder: Path, comparisons: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    words = SPOKEN.replace('"', "").split()
    essays = comparisons // COMPARISONS_PER_ESSAY * 2
    with (folder / "essays.csv").open("w", encoding="utf-8") as table:
        table.write("essay_id,text\n")
        for number in range(essays):
            table.write(f'e{number:06d},"{" ".join(rng.choice(words, WORDS_PER_ESSAY))}"\n')
    (folder / "assignment.md").write_text("Write about school.\n", "utf-8")
    (folder / "rubric.md").write_text("Judge the content and the language.\n", "utf-8")
    (folder / "batch.toml").write_text(
        f"[batch]\nmax_comparisons = {comparisons}\n[[judges]]\n"
        'id = "offline"\nprovider = "emulator"\nmodel = "lexical"\n',
        "utf-8",
    )


def _peak() -> float:
    """MB at the process's peak. getrusage would count what it held before exec, when it was still its parent."""
    if Path("/proc/self/status").exists():
        return status_megabytes("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNIT


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running = emulator.start_process(folder=folder / "emulator", seconds_per_phase=0.05)
        os.environ |= {
            "CJ_BATCHES": str(folder / "batches"), "CJ_STORE": str(folder / "store"),
            "CJ_LEDGER": str(folder / "ledger.sqlite"), "CJ_EMULATOR_URL": running.url,
            "CJ_EMULATOR_FOLDER": str(folder / "emulator"),
        }  # fmt: skip
        try:
            print(json.dumps(asdict(_flow(int(sys.argv[1]), folder))))
        finally:
            running.stop()


if __name__ == "__main__":
    main()
