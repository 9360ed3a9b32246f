"""Fixtures for all tests: where the course is, and a copy of it to work in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # as many tests as cores run side by side

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The course folder under test: to be read, never written to."""
    return ROOT


@pytest.fixture(scope="session")
def copy_course() -> Callable[[Path], Path]:
    """Copies the course to a folder: lessons, notebooks and settings, no gradebook."""

    def copy(target: Path) -> Path:
        for part in ("lessons", "source", "release", "docs", "course", "tools"):
            shutil.copytree(
                ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )
        for file in (
            "nbgrader_config.py",
            "pyproject.toml",
            "requirements.lock",
            "environment.yml",
            "Makefile",
        ):
            shutil.copy(ROOT / file, target / file)
        return target

    return copy


@pytest.fixture
def course_copy(copy_course: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A course folder of one's own."""
    return copy_course(tmp_path)
