"""Runs of profiles, each made when a test first asks for it and kept for its file."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from cj_pipeline.eng5.profiles import PROFILES
from cj_pipeline.eng5.run import ProfileRun
from cj_pipeline_tests.eng5.house import House, house_in
from cj_pipeline_tests.eng5.profile_runs import in_waves, installed

RunOf = Callable[[str], ProfileRun]


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> RunOf:
    """A profile's run by its batch id. Its installation and environment are gone again once the run is made."""

    @cache
    def run(batch_id: str) -> ProfileRun:
        with installed(tmp_path_factory.mktemp(batch_id)):
            return in_waves(PROFILES[batch_id])

    return run


@pytest.fixture(scope="module")
def one_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house_in(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def house(one_house: House) -> House:
    """An installation that a file's tests share, without orders left over from the test before."""
    one_house.disarm()
    return one_house
