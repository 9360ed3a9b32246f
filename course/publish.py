"""The students' repository: the package and the released notebooks, without any answer."""

from __future__ import annotations

import shutil
from pathlib import Path

from course import leaks
from course.build import BuildError, names, notebook_path

# What students need to install and start; their README is docs/student.md.
_FILES = (
    "Makefile", "LICENSE", "environment.yml", "pyproject.toml", "requirements.lock",
)  # fmt: skip
_FOLDERS = ("course", "tools")
# Authoring and grading read lessons/: without it they are of no use to a student.
_INSTRUCTORS = (
    "build.py", "classroom", "cli.py", "grading", "leaks.py", "lesson.py", "notebook.py",
    "publish.py", "__pycache__", ".ipynb_checkpoints",
)  # fmt: skip


def publish(root: Path, target: Path) -> list[Path]:
    """Write the students' repository into `target`; returns the files written.

    `target` is empty, missing, or was published before: then it is brought up to date, and its
    `.git` and what else stands in it are left alone. Raises `BuildError`, and writes nothing, where
    something in it would leak, or `target` is some other folder.
    """
    if target.exists() and any(target.iterdir()) and not (target / "release").is_dir():
        raise BuildError(
            f"{target} is not empty and was not published before. Name an empty or a new folder."
        )
    half = target.with_name(target.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        _gather(root, half)
        if found := leaks.scan(root, [half]):
            said = "\n  ".join(line.replace(f"{half}/", "") for line in found)
            raise BuildError(f"Nothing was published, for it would give away:\n  {said}")
        for folder in (*_FOLDERS, "release"):
            shutil.rmtree(target / folder, ignore_errors=True)
        shutil.copytree(half, target, dirs_exist_ok=True)
        return sorted(target / p.relative_to(half) for p in half.rglob("*") if p.is_file())
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _without(path: Path, text: str) -> None:
    said = path.read_text(encoding="utf-8")
    if text not in said:
        raise BuildError(f"{path.name} has changed: publish.py no longer knows what to leave out.")
    path.write_text(said.replace(text, ""), encoding="utf-8")


def _gather(root: Path, target: Path) -> None:
    for file in _FILES:
        if (root / file).is_file():
            shutil.copy(root / file, target / file)
    # There is no `course` command without what it does, and nothing to build or to test.
    _without(target / "pyproject.toml", '\n[project.scripts]\ncourse = "course.cli:main"\n')
    _without(target / "environment.yml", "[instructor,test]")
    for folder in _FOLDERS:
        shutil.copytree(
            root / folder, target / folder, ignore=shutil.ignore_patterns(*_INSTRUCTORS)
        )
    shutil.copy(root / "docs" / "student.md", target / "README.md")
    for name in names(root):
        released = notebook_path(root, "release", name)
        if not released.is_file():
            raise BuildError(f"{name} has no release yet: run `course build {name}` first.")
        shutil.copytree(
            released.parent,
            target / "release" / name,
            ignore=shutil.ignore_patterns(*_INSTRUCTORS),
        )
