"""A parity case: a row of a table under the number the predecessor's page gives it."""

import pytest
from _pytest.mark import ParameterSet


def case(number: str, *values: object) -> ParameterSet:
    """A row of a parametrised test, named by its case."""
    return pytest.param(*values, id=number)
