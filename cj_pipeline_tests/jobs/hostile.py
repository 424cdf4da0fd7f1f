"""A purchase that meets a hostile provider, step by step: time passes when the test says so, and the bill is read."""

import json
import re
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.findings import Finding
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.findings import job_findings
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.reconciliation import outcome_counts
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import Bought, buy
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice
from cj_pipeline.settings import key_variable
from cj_pipeline_tests.installation import Installation, OwnEmulator
from cj_pipeline_tests.jobs.purchase import PRICE, paid_batch

ESSAYS, PAIRS = 5, 10
SECONDS_PER_PHASE = 600  # by the emulator's clock, which the test moves; nobody waits for it
PATIENCE_SECONDS = 60
_WINNERS = {"essay a": "essay_a", "essay b": "essay_b", "tie": "tie"}
_STATED = re.compile(r'"winner": *" *(essay a|essay b|tie) *"', re.IGNORECASE)


@contextmanager
def hostile_installation(folder: Path) -> Iterator[Installation]:
    """One emulator, ledger and store for many purchases, each under an account and project of its own."""
    (folder / "emulator").mkdir()
    running = OwnEmulator.start(folder / "emulator", seconds_per_phase=SECONDS_PER_PHASE)
    environment = {
        "CJ_BATCHES": str(folder / "batches"),
        "CJ_SAMPLES": str(folder / "samples"),
        "CJ_STORE": str(folder / "store"),
        "CJ_LEDGER": str(folder / "ledger.sqlite"),
        "CJ_EMULATOR_URL": running.url,
        "CJ_BACKOFF_SECONDS": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CJ_POSTGRES_URL", raising=False)
        for name in ("CJ_PRICES", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            patch.setenv(name, "")  # a paid batch sets them; they go with everything else
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            yield Installation(folder, running.url, environment)
        finally:
            running.kill()


@dataclass
class Purchase:
    """One paid batch of ten comparisons, bought and collected by hand."""

    installation: Installation
    deployment: Deployment
    api: str
    batch_id: str
    patch: pytest.MonkeyPatch

    @property
    def account(self) -> str:
        """As holds and bookings name it."""
        return f"{self.api}/{self.batch_id}"

    @property
    def batch(self) -> Batch:
        return self.deployment.batch(self.batch_id)

    @property
    def jobs(self) -> list[Job]:
        return jobs_of(self.deployment.ledger, self.batch_id)

    def write_batch(self, *, ties: bool = False, essay: str = "", marked: bool = False) -> None:
        """The folder. `essay` replaces the text of the first pupil; `marked` makes asking for a prompt cache pay."""
        model = "latent:sd=1.4" if marked else "latent"
        if marked:
            self._price_cache_writes_low(model)
        folder = paid_batch(
            self.installation, self.batch_id, provider=self.api, model=model, essays=ESSAYS, max_comparisons=PAIRS
        )
        more = f'account = "{self.batch_id}"\nties = {str(ties).lower()}\n'
        _replace(folder / "batch.toml", "\nbase_url", f"\n{more}base_url")
        if essay:
            quoted = essay.replace('"', '""')
            _replace(folder / "essays.csv", "Essay number 0 says something of its own.", quoted)
        if marked:
            (folder / "rubric.md").write_text("Judge what is said and how it is said. " * 300, "utf-8")
        self.use_key_of(self.batch_id)

    def use_key_of(self, project: str) -> None:
        """The account's key, from now on, is one of this project at the provider."""
        self.patch.setenv(key_variable(self.api, self.batch_id), f"sk-{project.replace('-', '_')}-any")

    def plan(self) -> None:
        deployment, batch = self.deployment, self.batch
        open_revision(deployment.ledger, batch)
        pairs = open_wave(deployment.ledger, deployment.store, batch)
        plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)

    def buy(self) -> Bought:
        return buy(self.deployment.ledger, self.deployment.store, self.batch, self.deployment.settings)

    def buy_and_let_pass(self, hours: float) -> None:
        """Plan, buy, have the answers made, whether or not the provider shows them then; so many hours are over."""
        self.plan()
        self.buy()
        self.carried_out()
        self.pass_hours(hours)

    def collect(self) -> pa.Table | Progress:
        return collect(self.deployment.ledger, self.deployment.store, self.batch, self.deployment.settings)

    def waiting(self) -> Progress:
        """Collect what there is; the batch must not be through."""
        progress = self.collect()
        assert isinstance(progress, Progress)
        return progress

    def ended(self) -> pa.Table | Progress:
        """Let hours pass and collect, until nothing is at the provider any more."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.pass_hours(1)
            collected = self.collect()
            if not isinstance(collected, Progress) or not collected.at_provider:
                return collected
            assert time.monotonic() < deadline, f"does not end: {collected.sentence()}"
            time.sleep(0.02)

    def through(self) -> pa.Table:
        """The judgments, when also what is asked again has its outcome."""
        while isinstance(collected := self.ended(), Progress):
            self.buy()
        return collected

    def carried_out(self) -> None:
        """Wait until the emulator has done the work behind the latest job; that it has ended is another matter."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.bills()[-1]["requests_seen"]:
            assert time.monotonic() < deadline, "the emulator does not work"
            time.sleep(0.02)

    def pass_hours(self, hours: float) -> None:
        """At the provider; our own clock stays where it is."""
        ahead = self.set_emulator()["clock_ahead_seconds"]
        self.set_emulator(clock_ahead_seconds=ahead + 3600 * hours)

    def set_emulator(self, **settings: object) -> dict[str, Any]:
        """Change settings of the emulator; all of them as they stand now."""
        return self._admin("settings", settings)

    def bills(self) -> list[dict[str, Any]]:
        """What the provider's jobs of this purchase came to, oldest first."""
        project = self.batch_id.replace("-", "_")
        return [bill for bill in self.installation.bill()["batches"] if bill["project"] == project]

    def finding(self, name: str) -> Finding:
        """A claim about the jobs, as people are shown it."""
        deployment, batch = self.deployment, self.batch
        pairs = open_wave(deployment.ledger, deployment.store, batch)
        found = job_findings(deployment.ledger, batch, pairs, deployment.settings)
        return next(finding for finding in found if finding.name == name)

    def outcomes(self) -> list[Counter[str]]:
        """How the items of each attempt ended."""
        ended: dict[int, Counter[str]] = defaultdict(Counter)
        for job in self.jobs:
            ended[job.attempt].update(outcome_counts(self.deployment.store, self.batch, job))
        return [ended[attempt] for attempt in sorted(ended)]

    def stated_winners(self) -> dict[str, set[str]]:
        """By custom_id, the winners that any stored line of it spells out: read by a pattern, not by our parser."""
        stated: dict[str, set[str]] = defaultdict(set)
        for job in self.jobs:
            for path in filter(None, (job.output_path, job.error_path)):
                for line in self.deployment.store.read(path).decode(errors="replace").split("\n"):
                    named = re.search(r'"custom_id": *"([^"]+)"', line)
                    if named:
                        said = _STATED.findall(line.replace("\\", ""))
                        stated[named.group(1)] |= {_WINNERS[" ".join(winner.lower().split())] for winner in said}
        return stated

    def billed(self) -> dict[str, list[tuple[str, int]]]:
        """By provider job id, each request that the emulator charged for: its custom_id and nano-USD."""
        prices = {job.provider_job_id: TokenPrice.from_json(job.price) for job in self.jobs if job.price}
        charged: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for request in self.installation.bill(requests=True)["requests"]:
            price = prices.get(request["batch_id"])
            if price is not None and request["billed"]:
                charged[request["batch_id"]].append((request["custom_id"], price.cost(_usage(request))))
        return charged

    def disarm(self) -> list[str]:
        """Take back all faults; the names of those that had met nothing yet."""
        url = f"{self.installation.emulator_url}/admin/faults"
        with urllib.request.urlopen(url) as reply:
            left = [order["name"] for order in json.load(reply)["armed"]]
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
        return left

    def _price_cache_writes_low(self, model: str) -> None:
        prices = self.installation.folder / "prices.toml"
        listed = prices.read_text("utf-8") if prices.exists() else ""
        row = PRICE.format(provider=self.api, model=model).replace("0.634", "0.1")
        prices.write_text(f"{listed}\n{row}", "utf-8")

    def _admin(self, what: str, body: dict[str, object]) -> dict[str, Any]:
        url, kind = f"{self.installation.emulator_url}/admin/{what}", {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), kind, method="POST")
        with urllib.request.urlopen(request) as reply:
            return dict(json.load(reply))


def _usage(request: dict[str, Any]) -> Usage:
    names = ("input_tokens", "cached_tokens", "output_tokens", "cache_write_tokens")
    return Usage(**{name: request[name] for name in names})


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
