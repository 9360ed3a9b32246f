"""Fixtures for all tests: where the course is, and a copy of it to work in."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The course folder under test: to be read, never written to."""
    return ROOT


@pytest.fixture
def course_copy(tmp_path: Path) -> Path:
    """A course folder of one's own: lessons, notebooks and settings, no gradebook."""
    for part in ("lessons", "source", "release", "docs", "course", "tools"):
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for file in ("nbgrader_config.py", "pyproject.toml", "requirements.lock", "Makefile"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path
