"""What goes to a worker, and what comes back: plain data, whole in itself."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.grading.pool.tables import Rows

# By path from the folder's top: a file's content and permissions, or None for a folder.
Files = dict[str, tuple[bytes, int] | None]


@dataclass(frozen=True)
class Assignment:
    """What all bundles of a class share. `files` are of the course folder; `digest` names it all.

    `config` is nbgrader's, as read from the course's settings.
    """

    name: str
    config: Any
    files: Files
    rows: Rows
    digest: str


@dataclass(frozen=True)
class Bundle:
    """One submission, with everything needed to grade it.

    `kept` has verdicts of an earlier grading that stand, by notebook and graded cell.
    """

    assignment: Assignment
    student: str
    files: Files
    rows: Rows
    kept: dict[str, dict[str, list[Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What one submission came to: its graded folder and its rows in the gradebook.

    `problem` says in one sentence why there is no graded folder; `log` what nbgrader said.
    """

    student: str
    files: Files
    rows: Rows
    problem: str
    log: str
    seconds: float


def read(folder: Path) -> Files:
    """The folders and files below `folder`. What is neither is left out, links too."""
    found: Files = {}
    for top, folders, files in os.walk(folder):
        at = Path(top)
        for name in sorted(folders):
            if not (at / name).is_symlink():
                found[(at / name).relative_to(folder).as_posix()] = None
        for name in sorted(files):
            path = at / name
            told = path.lstat()
            if stat.S_ISREG(told.st_mode):
                content = (path.read_bytes(), stat.S_IMODE(told.st_mode))
                found[path.relative_to(folder).as_posix()] = content
    return found


def write(files: Files, folder: Path) -> None:
    """Make `folder`, with these files in it."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[0])
            path.chmod(content[1])
