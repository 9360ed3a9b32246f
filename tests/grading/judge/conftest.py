"""A student's kernel, for a module of tests."""

from collections.abc import Iterator

import pytest
from desk import Desk


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One kernel for a module of tests."""
    made = Desk()
    yield made
    made.close()
