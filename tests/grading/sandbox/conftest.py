"""Warders for a module of tests: as root where the tests run as root, and as an ordinary user."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ward import USER, Ward

_USERS = {"root": 0, "user": USER} if os.getuid() == 0 else {"user": os.getuid()}


@pytest.fixture(scope="module", params=[pytest.param(u, id=n) for n, u in _USERS.items()])
def ward(request: pytest.FixtureRequest) -> Iterator[Ward]:
    """A warder with no kernel yet."""
    # Not pytest's own, whose path is too long for sockets and closed to other users.
    with tempfile.TemporaryDirectory(prefix="ward-") as folder:
        made = Ward(Path(folder), request.param)
        yield made
        made.close()
        left = [path.name for path in Path(folder).iterdir() if path.name.startswith("course-")]
        assert left == []


@pytest.fixture
def kernel(ward: Ward) -> Iterator[Ward]:
    """A warder with a kernel that is shut in."""
    ward.tell("start")
    yield ward
    ward.tell("end")
