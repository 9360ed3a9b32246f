"""A lesson as an nbgrader source notebook, and the notebook's edits back into the lesson."""

from __future__ import annotations

import hashlib
import json
import re

import nbformat
from nbformat import NotebookNode

from course.lesson import Lesson, LessonError, key_of, write

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NEW = {
    "markdown": nbformat.v4.new_markdown_cell,
    "code": nbformat.v4.new_code_cell,
    "raw": nbformat.v4.new_raw_cell,
}
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def to_notebook(lesson: Lesson) -> NotebookNode:
    """The nbgrader source notebook of a lesson; the same bytes for the same lesson."""
    ids = set(lesson.exercises) | {f"test-{name}" for name in lesson.exercises}
    cells = []
    section = "start"
    for cell in lesson.cells:
        key = key_of(cell)
        if key in ("mistake", "alternative"):
            continue
        if cell.cell_type == "markdown" and (found := _HEADING.search(cell.source)):
            section = _slug(found.group(1).split("·")[0])
        if key == "answer":
            cell_id = cell.metadata["answer"]
        elif key == "test":
            cell_id = f"test-{cell.metadata['test']}"
        else:
            cell_id = _unique(section, ids)
        made = _NEW[cell.cell_type](cell.source, id=cell_id)
        if key == "answer":
            made.metadata["nbgrader"] = _nbgrader(cell_id, solution=True)
        elif key == "test":
            made.metadata["nbgrader"] = _nbgrader(cell_id, points=cell.metadata["points"])
        cells.append(made)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.nbformat_minor = 5
    notebook.metadata = NotebookNode(
        {
            "course": {"digest": digest(cells), "lesson": lesson.name, "points": lesson.points},
            "kernelspec": _KERNEL,
            "language_info": {"name": "python"},
        }
    )
    return notebook


def digest(cells: list[NotebookNode]) -> str:
    """What stands in these cells (texts, kinds, ids, points), as 16 hexadecimal digits."""
    said = [
        [c.id, c.cell_type, c.source, c.metadata.get("nbgrader", {}).get("points")] for c in cells
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def dumps(notebook: NotebookNode) -> str:
    """The notebook's file: sorted keys, one space, a newline at the end."""
    return nbformat.writes(notebook, version=4) + "\n"


def from_notebook(notebook: NotebookNode, old: Lesson) -> str:
    """The lesson's text with the edits made in its source notebook; `old` knows the catalogue."""
    catalogue: dict[str, list[NotebookNode]] = {}
    for cell in old.cells:
        if (key := key_of(cell)) in ("mistake", "alternative"):
            catalogue.setdefault(cell.metadata[key], []).append(cell)
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        cells.append(_to_lesson_cell(cell, old))
        if "test" in cells[-1].metadata:
            cells += catalogue.pop(cells[-1].metadata["test"], [])
    if catalogue:
        raise LessonError(
            f"The notebook has no test for {', '.join(sorted(catalogue))}, but the lesson has "
            "mistakes or alternatives for it. Put the test cell back, or delete those from the "
            "lesson first."
        )
    return write(cells)


def _to_lesson_cell(cell: NotebookNode, old: Lesson) -> NotebookNode:
    metadata: dict[str, object] = {}
    nbgrader = cell.metadata.get("nbgrader", {})
    if nbgrader.get("grade"):
        points = nbgrader["points"]
        metadata["test"] = nbgrader["grade_id"].removeprefix("test-")
        metadata["points"] = int(points) if float(points).is_integer() else points
    elif nbgrader.get("solution"):
        metadata["answer"] = nbgrader["grade_id"]
    # The blank lines after a cell are the lesson's own: jupytext keeps them under this key.
    for twin in old.cells:
        same_key = metadata and all(twin.metadata.get(k) == v for k, v in metadata.items())
        if (same_key or twin.source == cell.source) and "lines_to_next_cell" in twin.metadata:
            metadata["lines_to_next_cell"] = twin.metadata["lines_to_next_cell"]
            break
    return _NEW[cell.cell_type](cell.source, metadata=metadata)


def _nbgrader(grade_id: str, solution: bool = False, points: int = 0) -> dict[str, object]:
    metadata: dict[str, object] = {
        "grade": not solution,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return metadata if solution else {**metadata, "points": points}


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "section"


def _unique(wanted: str, taken: set[str]) -> str:
    name, n = wanted, 1
    while name in taken:
        n += 1
        name = f"{wanted}-{n}"
    taken.add(name)
    return name
