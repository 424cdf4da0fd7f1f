"""`cj metrics` as Prometheus meets it: a process of its own, read over HTTP by the client library's own parser."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from cj_pipeline_tests.installation import Installation

CJ = str(Path(sys.executable).with_name("cj"))


@dataclass(frozen=True)
class Scrape:
    """What one scrape said. A sample that is not there is None."""

    text: str
    families: Mapping[str, Metric]

    @classmethod
    def of(cls, text: str) -> "Scrape":
        return cls(text, {family.name: family for family in text_string_to_metric_families(text)})

    def value(self, sample: str, **labels: str) -> float | None:
        found = [found for found in self.samples(sample) if found[0] == labels]
        return found[0][1] if found else None

    def total(self, sample: str, **labels: str) -> float:
        """Over all samples that carry these labels among others."""
        return sum(value for found, value in self.samples(sample) if labels.items() <= found.items())

    def samples(self, sample: str) -> list[tuple[dict[str, str], float]]:
        return [
            (dict(found.labels), found.value)
            for family in self.families.values()
            for found in family.samples
            if found.name == sample
        ]


@contextmanager
def serving(installation: Installation, *options: str) -> Iterator[str]:
    """`cj metrics serve` on a free port; gives its address."""
    environment = {**os.environ, **installation.environment}
    command = [CJ, "metrics", "serve", "--port", "0", *options]
    server = subprocess.Popen(command, cwd=installation.folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith("metrics at http://127.0.0.1:"), said
        yield said.split()[2]
    finally:
        server.terminate()
        assert server.wait(20) == 0


def scraped(url: str) -> Scrape:
    with urllib.request.urlopen(url, timeout=30) as reply:
        assert reply.headers["content-type"].startswith("text/plain")
        return Scrape.of(reply.read().decode())


def scraped_once(installation: Installation) -> Scrape:
    with serving(installation) as url:
        return scraped(url)


def command(installation: Installation, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **installation.environment, "COLUMNS": "200"}
    return subprocess.run(
        [CJ, "metrics", *words], cwd=installation.folder, env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
