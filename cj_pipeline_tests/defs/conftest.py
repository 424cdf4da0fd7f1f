"""What tests of the Dagster face are given."""

import dagster as dg
import pytest


@pytest.fixture
def instance() -> dg.DagsterInstance:
    """A Dagster instance in memory."""
    return dg.DagsterInstance.ephemeral()
