"""One purchase that is killed and started again until it is through, and what must be true of it then."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cj_pipeline.jobs.job import all_jobs, jobs_of
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice
from cj_pipeline_tests.installation import REPO, Installation
from cj_pipeline_tests.jobs.kills.killing_proxy import KillingProxy, killing_proxy
from cj_pipeline_tests.jobs.purchase import paid_batch

PAIRS = 10
MODEL = "latent:truncated=0.5,seed=2"  # some answers are cut off, so that there is something to ask again


@dataclass
class Trials:
    """A deployment under fire. `points` counts where purchases were killed."""

    installation: Installation
    provider: str
    stem: "subprocess.Popen[str]"
    proxy: KillingProxy
    log: Path
    points: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    def new_batch(self, batch_id: str) -> None:
        folder = paid_batch(
            replace(self.installation, emulator_url=self.proxy.url), batch_id,
            provider=self.provider, model=MODEL, essays=5, max_comparisons=PAIRS,
        )  # fmt: skip
        manifest = folder / "batch.toml"
        # one seed for all, so that every purchase has the same steps
        manifest.write_text(manifest.read_text("utf-8").replace("[batch]", "[batch]\nseed = 3"), "utf-8")

    def run(self, batch_id: str, *, write: int | None = None, request: int | None = None, before: bool = False) -> bool:
        """Run a purchase to its end (True), or to its death at a write or a request (False)."""
        self.log.write_text("", "utf-8")
        self.proxy.expect(kill_at=request, before=before)
        order = {
            "batch": batch_id,
            "environment": {**self.installation.environment, "OPENAI_API_KEY": "any", "ANTHROPIC_API_KEY": "any"},
            "die_at": write,
            "log": str(self.log),
        }
        assert self.stem.stdin is not None
        assert self.stem.stdout is not None
        self.stem.stdin.write(json.dumps(order) + "\n")
        self.stem.stdin.flush()
        self.proxy.victim_is(int(self.stem.stdout.readline()))
        ended = int(self.stem.stdout.readline())
        assert ended in {0, -signal.SIGKILL}, f"{batch_id}: the purchase ended with {ended}"
        if ended:
            self.kills += 1
            where = self.log.read_text("utf-8").splitlines()
            self.points[where[-1] if write else f"{self.proxy.seen[-1]}, {'before' if before else 'after'}"] += 1
        return not ended

    def check(self, batch_id: str) -> None:
        """One judgment per pair, one job at the provider per job of the ledger, each bill booked as it was."""
        deployment = self.installation.deployment
        rows = deployment.read_table("judgments", batch_id)
        assert sorted(rows["pair_id"].to_pylist()) == list(range(PAIRS))
        assert set(rows["error_code"].to_pylist()) <= {None, "truncated"}  # some are cut off a second time
        jobs = jobs_of(deployment.ledger, batch_id)
        assert {str(job.state) for job in jobs} == {"reconciled"}
        assert sum(job.reserved_nano_usd for job in jobs) == 0

    def check_the_bill(self) -> None:
        """Every request was carried out once, and the ledger's total is the bill to the nano-USD."""
        jobs = {job.provider_job_id: job for job in all_jobs(self.installation.deployment.ledger)}
        bill = self.installation.bill(requests=True)
        assert {batch["id"] for batch in bill["batches"]} == set(jobs)
        assert set(bill["times_carried_out"].values()) == {1}
        billed: dict[str, int] = defaultdict(int)
        for request in bill["requests"]:
            billed[request["batch_id"]] += TokenPrice.from_json(str(jobs[request["batch_id"]].price)).cost(
                _usage(request)
            )
        assert {name: job.spent_nano_usd for name, job in jobs.items()} == billed


@contextmanager
def trials(installation: Installation, provider: str, kind: type[Trials] = Trials) -> Iterator[Trials]:
    """Emulator, proxy and stem for many purchases of one deployment."""
    with killing_proxy(installation.emulator_url) as proxy:
        installation.environment["CJ_EMULATOR_URL"] = proxy.url
        environment = os.environ | {
            "CJ_PRICES": str(installation.folder / "prices.toml"),
            "PYTHONPATH": str(REPO),
            "OPENBLAS_NUM_THREADS": "1",  # a fork of threads would be a fork of locks
        }
        stem = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stem.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=installation.folder, env=environment,
        )  # fmt: skip
        try:
            yield kind(installation, provider, stem, proxy, installation.folder / "points.log")
        finally:
            assert stem.stdin is not None
            stem.stdin.close()
            stem.wait(30)


def _usage(request: dict[str, int]) -> Usage:
    return Usage(
        input_tokens=request["input_tokens"],
        cached_tokens=request["cached_tokens"],
        output_tokens=request["output_tokens"],
        cache_write_tokens=request["cache_write_tokens"],
    )
