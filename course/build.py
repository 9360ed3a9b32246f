"""lessons/ -> source/ -> release/, and edits made in source/ back into lessons/."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nbformat

from course import lesson as lessons
from course import notebook as notebooks
from course.lesson import LessonError


class BuildError(Exception):
    """Something the author must decide or mend; the text says what."""


def names(root: Path) -> list[str]:
    """The lessons there are, in order."""
    return sorted(p.stem for p in (root / "lessons").glob("*.py"))


def lesson_path(root: Path, name: str) -> Path:
    """The file of lesson `name`. Raises `BuildError`, naming those there are, where it isn't."""
    path = root / "lessons" / f"{name}.py"
    if not path.is_file():
        there = ", ".join(names(root)) or "none yet"
        raise BuildError(f"There is no lesson {name!r}. The lessons are: {there}.")
    return path


def notebook_path(root: Path, kind: str, name: str) -> Path:
    """Where the notebook of a lesson stands; `kind` is `source` or `release`."""
    return root / kind / name / f"{name}.ipynb"


def build(root: Path, wanted: Iterable[str], force: bool = False) -> list[str]:
    """Bring source/ and release/ up to date with the lessons; returns the names that were built.

    `force` builds those that are up to date too, and overwrites edits made in source/.
    """
    built = []
    for name in wanted:
        text = source_text(root, name)
        path = notebook_path(root, "source", name)
        if not force:
            if _is_current(root, name, text):
                continue
            if path.is_file() and has_edits(path):
                raise BuildError(
                    f"{path.relative_to(root)} has edits that its lesson hasn't. Keep them with "
                    f"`course sync {name}`, or overwrite them with `course build --force {name}`."
                )
        _write(path, text)
        _generate_release(root, name)
        built.append(name)
    return built


def source_text(root: Path, name: str) -> str:
    """The text of the source notebook that lesson `name` expands to."""
    path = lesson_path(root, name)
    try:
        return notebooks.dumps(notebooks.to_notebook(lessons.read(path)))
    except LessonError as problem:
        raise BuildError(f"{path.relative_to(root)}: {problem}") from problem


def has_edits(path: Path) -> bool:
    """Whether the source notebook at `path` was changed since it was built."""
    notebook = nbformat.read(path, as_version=4)
    return notebooks.digest(notebook.cells) != notebook.metadata.get("course", {}).get("digest")


def check(root: Path, wanted: Iterable[str]) -> list[str]:
    """Build everything anew in a folder of its own and say what differs from what stands here."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for part in ("lessons", "nbgrader_config.py"):
            copy = shutil.copytree if (root / part).is_dir() else shutil.copy
            copy(root / part, fresh / part)
        for name in build(fresh, wanted):
            for kind in ("source", "release"):
                there = notebook_path(root, kind, name)
                same = there.is_file() and (
                    there.read_bytes() == notebook_path(fresh, kind, name).read_bytes()
                )
                if not same:
                    problems.append(
                        f"{there.relative_to(root)} is not what its lesson gives: "
                        f"run `course build --force {name}`."
                    )
    return problems


def sync(root: Path, name: str, force: bool = False) -> bool:
    """Bring edits made in source/ back into the lesson; returns whether there were any.

    Refuses, unless `force` is given, where the lesson too was changed since the notebook was built.
    """
    path, source = lesson_path(root, name), notebook_path(root, "source", name)
    if not source.is_file():
        raise BuildError(
            f"There is no {source.relative_to(root)}: run `course build {name}` first."
        )
    old = lessons.read(path)
    notebook = nbformat.read(source, as_version=4)
    if not has_edits(source):
        return False
    now = notebooks.digest(notebooks.to_notebook(old).cells)
    if now != notebook.metadata.get("course", {}).get("digest") and not force:
        raise BuildError(
            f"Both {source.relative_to(root)} and {path.relative_to(root)} were changed since the "
            f"notebook was built. `course sync --force {name}` takes the notebook's cells; "
            f"`course build --force {name}` takes the lesson's."
        )
    try:
        text = notebooks.from_notebook(notebook, old)
        lessons.parse(text, name)
    except LessonError as problem:
        raise BuildError(f"{source.relative_to(root)}: {problem}") from problem
    _write(path, text)
    build(root, [name], force=True)
    return True


def nbgrader(root: Path, *arguments: str) -> None:
    """Run an nbgrader command in `root`; raises `BuildError` with its last words where it fails."""
    # nbgrader calls a bare `alembic`: the environment's programs must be found first.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ended = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = "\n".join((ended.stderr or ended.stdout).splitlines()[-5:])
        raise BuildError(f"`nbgrader {' '.join(arguments)}` failed:\n{said}")


def _is_current(root: Path, name: str, text: str) -> bool:
    source = notebook_path(root, "source", name)
    release = notebook_path(root, "release", name)
    if not (source.is_file() and release.is_file() and (root / "gradebook.db").is_file()):
        return False
    if source.read_text(encoding="utf-8") != text:
        return False
    released = json.loads(release.read_text(encoding="utf-8"))
    return released["metadata"].get("course") == json.loads(text)["metadata"]["course"]


def _generate_release(root: Path, name: str) -> None:
    nbgrader(root, "generate_assignment", name, "--force")


def _write(path: Path, text: str) -> None:
    """Write a whole file or nothing: a full disk must not leave half a lesson."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
