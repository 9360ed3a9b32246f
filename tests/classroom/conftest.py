"""Fixtures of the classroom's tests: who may run which, and browsers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import room as rooms
from playwright.sync_api import Browser, expect, sync_playwright

sys.path.append(str(Path(__file__).parent.parent / "browser"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TIMEOUT = 60_000  # milliseconds; generous, for the machine may be laden


@pytest.fixture(scope="module")
def room(copy_course: Callable[[Path], Path]) -> Iterator[rooms.Room]:
    """A classroom with system users of its own, not started yet; they are gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("system users are made by root: not root, only the trial is tested")
    made = rooms.make(copy_course, ["ada", "emmy", "sofia"])
    yield made
    made.clear()


@pytest.fixture(scope="module")
def browser(root: Path) -> Iterator[Browser]:
    """A headless Chromium."""
    path = subprocess.check_output([sys.executable, root / "tools" / "browser.py"], text=True)
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path.strip(), args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="session")
def pictures(root: Path) -> Path:
    """Where the test run's screenshots are kept."""
    folder = root / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
