"""One installation for all tests of a file that buy: an emulator, a ledger and a store, and purchases of small batches.

Unlike the fixture `installation` it changes no environment, so that it can live longer than one test.
"""

import itertools
import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cj_pipeline import emulator
from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.submission import buy
from cj_pipeline.metrics.collector import registry_of
from cj_pipeline.settings import Settings
from cj_pipeline_tests.installation import small_batch
from cj_pipeline_tests.jobs.purchase import bought

PATIENCE_SECONDS = 20
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Purchase:
    """A batch, its jobs and what came of them."""

    batch_id: str
    judgments: pa.Table
    jobs: list[Job]

    def column(self, name: str) -> list[Any]:
        return list(self.judgments[name].to_pylist())

    def rows(self) -> list[dict[str, Any]]:
        return list(self.judgments.to_pylist())


@dataclass(frozen=True)
class House:
    folder: Path
    emulator_url: str
    settings: Settings = field(repr=False)

    @property
    def deployment(self) -> Deployment:
        return Deployment.open(self.settings)

    def with_settings(self, **changed: object) -> "House":
        """The same house under other settings."""
        return House(self.folder, self.emulator_url, self.settings.model_copy(update=changed))

    def order(self, name: str, value: object = True, times: int = 1) -> None:
        """Order a fault of the emulator for the next creates or calls."""
        self._post("/admin/faults", {"name": name, "value": value, "times": times})

    def disarm(self) -> None:
        request = urllib.request.Request(f"{self.emulator_url}/admin/faults", method="DELETE")
        urllib.request.urlopen(request).close()

    def bill(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.emulator_url}/admin/bill") as reply:
            return dict(json.load(reply))

    def batch(self, *, essays: int, comparisons: int, model: str = "latent", extra: str = "", mode: str = "") -> str:
        """A new batch folder of short texts; its id."""
        batch_id = f"batch-{next(_numbers)}"
        folder = small_batch(
            self.folder / "batches" / batch_id, essays=essays, max_comparisons=comparisons, model=model, extra=extra
        )
        if mode:
            manifest = (folder / "batch.toml").read_text("utf-8")
            (folder / "batch.toml").write_text(manifest.replace("[batch]", f'[batch]\nmode = "{mode}"', 1), "utf-8")
        return batch_id

    def planned(self, batch_id: str) -> list[Job]:
        """Its jobs as they stand."""
        opened = self.deployment
        return jobs_of(opened.ledger, batch_id, opened.ledger.provenance(batch_id).revision)

    def buy(self, batch_id: str, faults: Sequence[tuple[str, object]] = ()) -> Purchase:
        """Plan, buy and collect the first wave until every comparison of it has its outcome.

        Of the faults the first meets the first attempt, the second the second, and so on.
        """
        opened = self.deployment
        orders = list(faults)
        if orders:
            self.order(*orders.pop(0))
        batch, _, _ = bought(opened, batch_id)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            collected = collect(opened.ledger, opened.store, batch, opened.settings)
            if not isinstance(collected, Progress):
                return Purchase(batch_id, collected, self.planned(batch_id))
            if collected.planned and orders:
                self.order(*orders.pop(0))
            buy(opened.ledger, opened.store, batch, opened.settings)
            time.sleep(0.02)
        raise AssertionError(f"not through in {PATIENCE_SECONDS} s: {collected.sentence()}")

    def metrics(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """A scrape: value by sample name and labels."""
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = defaultdict(dict)
        text = generate_latest(registry_of(self.deployment)).decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
        return found

    def _post(self, path: str, body: object) -> None:
        request = urllib.request.Request(
            self.emulator_url + path, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
        )
        urllib.request.urlopen(request).close()


def total(scrape: dict[str, dict[tuple[tuple[str, str], ...], float]], name: str, **labels: str) -> float:
    """The sum of a name's samples that carry these labels."""
    return sum(value for carried, value in scrape[name].items() if labels.items() <= dict(carried).items())


@contextmanager
def house_in(folder: Path) -> Iterator[House]:
    """A house whose emulator ends with it."""
    running = emulator.start_process(folder=folder / "emulator", seconds_per_phase=0.02)
    settings = Settings(
        batches=folder / "batches",
        samples=folder / "samples",
        store=str(folder / "store"),
        ledger=folder / "ledger.sqlite",
        postgres_url=None,
        emulator_url=running.url,
        emulator_folder=folder / "emulator",
        backoff_seconds=0,
        call_patience_seconds=2,
    )
    (folder / "batches").mkdir()
    try:
        yield House(folder, running.url, settings)
    finally:
        running.stop()
