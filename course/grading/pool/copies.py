"""Graded copies in `autograded/`: whether they are whole, and putting new ones there."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.grading.pool import bundle as bundles
from course.grading.pool.bundle import Files

# Verdicts by notebook and graded cell: the outputs below it.
Verdicts = dict[str, dict[str, list[NotebookNode]]]


def verdicts(copy: Path, notebooks: list[str]) -> Verdicts | None:
    """What stands below the graded cells of a copy; None where it isn't whole.

    A copy that was being written when nbgrader was killed lacks a notebook, or has one that can't
    be read or was not run.
    """
    found: Verdicts = {}
    for name in notebooks:
        try:
            notebook = nbformat.read(copy / f"{name}.ipynb", as_version=4)
        except Exception:  # whatever half a file does to nbformat
            return None
        tested = [c for c in notebook.cells if c.cell_type == "code" and _is_test(c)]
        if not all(cell.outputs or cell.execution_count for cell in tested):
            return None
        found[name] = {cell.metadata.nbgrader.grade_id: cell.outputs for cell in tested}
    return found


def asked(outputs: list[NotebookNode]) -> str:
    """What the judge was asked when it gave this verdict; empty where it doesn't say."""
    return str(_told(outputs).get("asked", ""))


def said(outputs: list[NotebookNode]) -> str:
    """The judge's sentence on an answer, or that it passes; empty where it says nothing."""
    told = _told(outputs)
    return "passes now" if told.get("passed") else str(told.get("told", ""))


def put(files: Files, copy: Path, scratch: Path) -> None:
    """Put a whole new copy in the place of an old one, if there is one; never half of it.

    `scratch` is a folder beside it that starts with a dot, so that nobody takes it for a copy.
    """
    new, old = scratch / "new", scratch / "old"
    remove(scratch)
    bundles.write(files, new)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if copy.exists():
        copy.rename(old)
    new.rename(copy)
    remove(scratch)


def remove(folder: Path) -> None:
    """Remove a folder, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def started(copy: Path, notebooks: list[str]) -> int:
    """When the youngest notebook of a copy was written, in nanoseconds of its file system."""
    return max(((copy / f"{name}.ipynb").stat().st_mtime_ns for name in notebooks), default=0)


def _told(outputs: list[NotebookNode]) -> dict[str, Any]:
    """What the judge left with the output that is its verdict."""
    told = [output.get("metadata", {}).get("course", {}) for output in outputs]
    return next((dict(t) for t in told if "passed" in t), {})


def _is_test(cell: NotebookNode) -> bool:
    marks: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return bool(marks.get("grade")) and not marks.get("solution")
