"""A course of its own for a module of tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_course import Course, make


@pytest.fixture(scope="session")
def new_course(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Callable[..., Course]:
    """Make a course folder with one built lesson in it: of the course, or of a text."""
    return lambda name, *text: make(root, tmp_path_factory.mktemp("course"), name, *text)
