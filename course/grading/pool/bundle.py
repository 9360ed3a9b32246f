"""What goes to a worker, and what comes back: plain data, whole in itself."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.grading.pool.tables import Rows

# By path from the folder's top: a file's content and permissions, None for a folder, and "" for
# what is neither, of which only is told that it was there.
Files = dict[str, tuple[bytes, int] | str | None]


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
    """What is below `folder`. No link is followed."""
    found: Files = {}
    for top, folders, files in os.walk(folder):
        at = Path(top)
        for path in sorted(at / name for name in [*folders, *files]):
            told = path.lstat()
            content: tuple[bytes, int] | str | None = ""
            if stat.S_ISREG(told.st_mode):
                content = (path.read_bytes(), stat.S_IMODE(told.st_mode))
            elif stat.S_ISDIR(told.st_mode):
                content = None
            found[path.relative_to(folder).as_posix()] = content
    return found


def write(files: Files, folder: Path) -> None:
    """Make `folder`, with these files in it; a link to nothing where there was something else."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        elif isinstance(content, str):
            path.symlink_to("nothing")
        else:
            path.write_bytes(content[0])
            path.chmod(content[1])


def size(files: Files) -> int:
    """How many bytes they have."""
    return sum(len(content[0]) for content in files.values() if isinstance(content, tuple))


def sentence(problem: BaseException) -> str:
    """What went wrong, on one line."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    name = type(problem).__name__
    text = lines[0] if lines else name
    if lines and name not in ("NbGraderException", "BuildError"):
        text = f"{name}: {text}"
    return text if text[-1] in ".!?" else f"{text}."
