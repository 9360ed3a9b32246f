"""Taking in what was handed in: which file is the notebook, and can it be read?"""

from __future__ import annotations

import fnmatch
import glob
import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from course.grading import notes, reading
from course.grading.judge.execute import Judge
from course.grading.warm import nursery


class Intake(NotebookExporter):
    """The exporter of `nbgrader autograde` (`c.Autograde.exporter_class`).

    Every submission folder gets a notebook of the right name to grade: the one handed in, or the
    one handed in under another name, or an empty one. `Repair` then fills in what is missing, so
    each submission ends with a definite score. Nothing is written to `submitted/`.
    """

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        # nbgrader makes its exporter when it has listed the notebooks to grade, and before it
        # starts: the one moment when the list can still be completed.
        if isinstance(self.parent, Autograde):
            _get_ready(self.parent)
            _list_expected(self.parent)
            self._dropped = {folder: drop_links(Path(folder)) for folder in self.parent.assignments}

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert `filename`; where that is a submitted notebook, take it in as it can be had."""
        path = Path(filename)
        if not isinstance(self.parent, Autograde) or resources is None:
            return super().from_filename(filename, resources, **kw)
        if path.parent != _submitted(self.parent, resources):  # taken in before
            return super().from_filename(filename, resources, **kw)
        release = released(self.parent.coursedir, resources["nbgrader"]["assignment"])[path.stem]
        notebook, sentences = take_in(path, release)
        sentences = self._dropped.get(str(path.parent), []) + sentences
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        resources["course"] = {"release": release, "sentences": sentences}
        return self.from_notebook_node(notebook, resources, **kw)


def released(coursedir: Any, assignment: str) -> dict[str, NotebookNode]:
    """The assignment's notebooks as released, by name. Raises NbGraderException without any."""
    folder = Path(coursedir.format_path(coursedir.release_directory, ".", assignment))
    found = {p.stem: nbformat.read(p, as_version=4) for p in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise NbGraderException(
            f"{assignment} has no released notebook: run `nbgrader generate_assignment "
            f"{assignment}` first."
        )
    return found


def take_in(path: Path, release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook submitted as `path`, and what its author should know about it.

    Where there is none of that name, it is the only one in the folder (or a folder in it) with
    cells of `release`; where there is none at all, or it can't be read, it has no cells.
    """
    found, sentences = find(path, release)
    empty = nbformat.v4.new_notebook()
    if found is None:
        return empty, sentences
    try:
        notebook, more = reading.read(found)
    except reading.UnreadableError as why:
        return empty, [
            f"Your file {notes.code(found.name)} could not be read as a notebook: {why}. It scored "
            "0. Open your copy in JupyterLab, see that it is whole, save it and submit again."
        ]
    return notebook, sentences + more


def find(path: Path, release: NotebookNode) -> tuple[Path | None, list[str]]:
    """The file to grade as `path`, or None, and a sentence where that is not `path` itself."""
    if path.exists():
        return path, []
    name = notes.code(path.name)
    others = notebooks_in(path.parent)
    ours = [p for p in others if _has_cells_of(release, p)]
    if len(ours) == 1:
        other = notes.code(str(ours[0].relative_to(path.parent)))
        return ours[0], [
            f"You handed in {other} instead of {name}. It holds the cells of this assignment, so "
            "it was graded all the same; keep the name next time."
        ]
    if ours:
        listed = ", ".join(notes.code(str(p.relative_to(path.parent))) for p in ours)
        return None, [
            f"You handed in no {name}, but more than one notebook that could be it: {listed}. "
            "None was graded, and this scored 0. Submit one of them again, with the right name."
        ]
    if others:
        listed = ", ".join(notes.code(str(p.relative_to(path.parent))) for p in others[:5])
        return None, [
            f"You handed in no {name}, and no other notebook with the cells of this assignment "
            f"(there was {listed}). This scored 0. Submit the notebook that you were given."
        ]
    return None, [
        f"You handed in no {name}, nor any other notebook. This scored 0. Put your notebook into "
        "the assignment's folder and submit again."
    ]


def notebooks_in(folder: Path) -> list[Path]:
    """The files below `folder` that have a notebook's name, or one that a browser made of it."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))
        and ".ipynb_checkpoints" not in path.parts
    )


def _has_cells_of(release: NotebookNode, path: Path) -> bool:
    try:
        notebook, _ = reading.read(path)
    except reading.UnreadableError:
        return False
    return bool(_grade_ids(notebook) & _grade_ids(release))


def _grade_ids(notebook: NotebookNode) -> set[str]:
    marks = [cell.metadata.get("nbgrader") for cell in notebook.cells]
    return {str(m["grade_id"]) for m in marks if isinstance(m, dict) and "grade_id" in m}


def _list_expected(converter: Autograde) -> None:
    """Let `converter` grade the released names in every submitted folder, present or not."""
    coursedir = converter.coursedir
    names = fnmatch.filter(released(coursedir, coursedir.assignment_id), coursedir.notebook_id)
    folders = glob.glob(
        coursedir.format_path(
            coursedir.submitted_directory, coursedir.student_id, coursedir.assignment_id
        )
    )
    for folder in filter(os.path.isdir, folders):
        converter.assignments[folder] = [os.path.join(folder, f"{name}.ipynb") for name in names]


def drop_links(folder: Path) -> list[str]:
    """Remove what is no file or folder from a submission; a sentence on each, for its author.

    A link leads to files of the machine that it is read on, which are the grader's and not the
    student's. nbgrader would follow it: it copies what it finds there, and grades it.
    """
    sentences = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            path.unlink()
            sentences.append(
                f"{notes.code(path.name)} is no file but a link or the like, and was left out. "
                "Hand in the file itself."
            )
    return sentences


def _get_ready(converter: Autograde) -> None:
    """Before any submission is touched: NbGraderException where kernels can't be shut in."""
    judge = Judge(parent=converter)
    judge.refuse()
    if judge.is_warm():
        nursery.shared.start()  # it warms up while the first submission is taken in


def _submitted(converter: Autograde, resources: dict[str, Any]) -> Path:
    ids = resources["nbgrader"]
    coursedir = converter.coursedir
    return Path(
        coursedir.format_path(coursedir.submitted_directory, ids["student"], ids["assignment"])
    )
