"""A small course to grade in: real nbgrader commands, on a lesson that needs no torch."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course import build

SMALL = "90_small"

LESSON = '''\
# %% [markdown]
# # A small lesson
#
# **Points** 3

# %%
import math

# %% [markdown]
# ## Half  ·  ●○○ · 4 min · 2 points
#
# $h(z) = \\frac{z}{2}$

# %% answer="half"
def half(z: float) -> float:
    """Half of z."""
    ### BEGIN SOLUTION divide by two
    return z / 2
    ### END SOLUTION

# %% test="half" points=2
assert half(2) == 1, "half of 2 is 1"
### BEGIN HIDDEN TESTS
assert half(math.pi) == math.pi / 2, "a hidden sentence"
### END HIDDEN TESTS

# %% [markdown]
# ## Double  ·  ●○○ · 4 min · 1 point

# %% answer="double"
def double(z: float) -> float:
    """Twice z."""
    ### BEGIN SOLUTION multiply by two
    return z * 2
    ### END SOLUTION

# %% test="double" points=1
assert double(2) == 4, "twice 2 is 4"
### BEGIN HIDDEN TESTS
assert double(math.pi) == math.pi * 2, "another hidden sentence"
### END HIDDEN TESTS
'''


class Course:
    """A course folder of its own, and nbgrader in it."""

    def __init__(self, root: Path, source: Path) -> None:
        self.root = root
        (root / "course").symlink_to(source / "course")
        shutil.copy(source / "nbgrader_config.py", root)
        (root / "lessons").mkdir()
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(root),
            "JUPYTER_DATA_DIR": str(root / "jupyter"),  # nbgrader's cache of submissions
            "JUPYTER_CONFIG_DIR": str(root / "jupyter"),
        }

    def nbgrader(self, *arguments: str, fails: bool = False) -> str:
        """Run an nbgrader command; what it said. With `fails`, it must fail."""
        return self._run("nbgrader", *arguments, fails=fails)

    def course(self, *arguments: str, fails: bool = False) -> str:
        """Run a `course` command; what it said. With `fails`, it must fail."""
        return self._run("course.cli", *arguments, fails=fails)

    def _run(self, module: str, *arguments: str, fails: bool) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root, env=self.env, text=True, capture_output=True, timeout=600,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said

    def released(self, assignment: str) -> NotebookNode:
        """The notebook that students get."""
        return nbformat.read(build.notebook_path(self.root, "release", assignment), as_version=4)

    def hand_in(self, student: str, assignment: str) -> Path:
        """The folder of a submission, with a timestamp in it."""
        folder = self.root / "submitted" / student / assignment
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text("2026-01-12 09:00:00 UTC")
        return folder

    def scores(self, assignment: str) -> dict[str, dict[str, float | None]]:
        """Points by student and exercise, as they stand in the gradebook."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            return {
                submission.student.id: {
                    grade.name.removeprefix("test-"): grade.auto_score
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                }
                for submission in gradebook.assignment_submissions(assignment)
            }

    def page(self, student: str, assignment: str) -> str:
        """The student's feedback page."""
        folder = self.root / "feedback" / student / assignment
        return (folder / f"{assignment}.html").read_text(encoding="utf-8")


def make(root: Path, folder: Path, name: str, text: str = LESSON) -> Course:
    """A course in `folder` with one built lesson: `text`, or one of the course in `root`."""
    made = Course(folder, root)
    lesson = folder / "lessons" / f"{name}.py"
    if not (root / "lessons" / lesson.name).exists():
        lesson.write_text(text, encoding="utf-8")
    else:
        shutil.copy(root / "lessons" / lesson.name, lesson)
    build.build(folder, [name])
    return made
