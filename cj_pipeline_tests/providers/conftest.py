"""The two servers these tests speak to: an emulator for a whole file, and a script for a single test."""

from collections.abc import Iterator

import pytest

from cj_pipeline import emulator
from cj_pipeline_tests.providers.scripted_provider import Script, scripted_provider


@pytest.fixture(scope="module")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("emulator"), seconds_per_phase=0.02)
    yield process.url
    process.stop()


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_provider() as served:
        yield served
