"""Giving a submitted notebook back the cells that nbgrader needs to grade it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from course.grading import notes
from course.grading.notes import code

# What of a cell's nbgrader metadata decides about its points.
_SETTINGS = ("grade", "solution", "locked", "task", "points")


class Repair(NbGraderPreprocessor):
    """Make any notebook fit the released one: first of `c.Autograde.sanitize_preprocessors`.

    nbgrader itself gives up on a submission with edited metadata or without an answer cell. After
    this, every answer and test cell of the release is there once, of the right type and with the
    release's metadata; what was done is said in the notebook's first cell. The student's code is
    kept as it is, wherever it stands. The contents of test cells are nbgrader's `OverwriteCells`'
    business.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Repair `nb` in place by `resources["course"]["release"]`, which `Intake` left there."""
        release = resources["course"]["release"]
        marked = [cell for cell in release.cells if "nbgrader" in cell.metadata]
        wanted = {cell.metadata.nbgrader.grade_id: cell for cell in marked}
        unread = not nb.cells and bool(resources["course"]["sentences"])
        has_code = _has_own_code(nb.cells, release)
        sentences = [
            *_identify(nb.cells, wanted),
            *_put_back(nb.cells, wanted),
            *_put_back_imports(nb.cells, release),
            *_unreadable_code(nb.cells),
        ]
        if unread:  # Intake has said why
            sentences = []
        elif not has_code:
            sentences = [
                "There is no code of your own in this notebook: its answer cells are empty, "
                "missing, or as you were given them. It scored 0."
            ]
        notes.add(nb, resources["course"]["sentences"] + sentences)
        return nb, resources


def _identify(cells: list[NotebookNode], wanted: dict[str, NotebookNode]) -> list[str]:
    """Mark each cell that is one of `wanted` as the release does, and no other."""
    sentences = []
    by_grade_id: dict[str, list[NotebookNode]] = {}
    for cell in cells:
        mark = _mark(cell)
        name = mark.get("grade_id")
        if isinstance(name, str) and name in wanted:
            by_grade_id.setdefault(name, []).append(cell)
        elif mark.get("grade"):
            sentences.append(
                f"A cell claimed to be graded as {code(str(name))}, which this assignment does not "
                "have. It was run as an ordinary cell."
            )
    unmarked = [cell for cell in cells if _mark(cell).get("grade_id") not in wanted]
    marked: dict[int, tuple[str, NotebookNode]] = {}
    for name, model in wanted.items():
        # A cell that lost its mark still has its id.
        copies = by_grade_id.get(name) or [c for c in unmarked if c.id == name]
        if not copies:
            continue
        if len(copies) > 1:
            sentences.append(
                f"The cell {code(name)} was there {len(copies)} times. All of them were run, and "
                "the last one counts."
            )
        sentences += _differences(name, copies[-1], model)
        marked[id(copies[-1])] = (name, model)
    for i, cell in enumerate(cells):
        if id(cell) in marked:
            cells[i] = _like(marked[id(cell)][1], cell.source, cell.id)
        else:
            cell.metadata = NotebookNode()
    return sentences


def _differences(name: str, cell: NotebookNode, model: NotebookNode) -> list[str]:
    """What was changed in a cell that students are told to leave alone."""
    sentences = []
    if cell.cell_type != model.cell_type:
        sentences.append(
            f"The cell {code(name)} had been turned into {cell.cell_type}. It was turned back into "
            f"{model.cell_type}, and graded as it stands."
        )
    mark = _mark(cell)
    if any(mark.get(key) != model.metadata.nbgrader.get(key) for key in _SETTINGS):
        sentences.append(
            f"The settings of the cell {code(name)} (its points, or what kind of cell it is) had "
            "been changed. The original ones were used."
        )
    if not _is_answer(model) and cell.source.strip() != model.source.strip():
        sentences.append(
            f"The test cell {code(name)} had been changed. The original was run instead."
        )
    return sentences


def _put_back(cells: list[NotebookNode], wanted: dict[str, NotebookNode]) -> list[str]:
    """Add what is missing: an answer before its test, a test after its answer, or at the end.

    An answer comes back without code: the student's own may stand in a cell that lost its mark,
    and a stub would take its place.
    """
    sentences = []
    names = list(wanted)
    missing = [name for name in names if _index(cells, name) is None]
    for name in missing:
        model, i = wanted[name], names.index(name)
        after = _index(cells, names[i - 1]) if i else None
        before = _index(cells, names[i + 1]) if i + 1 < len(names) else None
        if _is_answer(model):
            sentences.append(
                f"The answer cell {code(name)} was missing. If its functions stand in another "
                "cell they were graded from there."
            )
            text = "# This cell was missing from your notebook."
            at = before if before is not None else len(cells)
        else:
            sentences.append(f"The test cell {code(name)} was missing. It was put back and run.")
            text = model.source
            at = after + 1 if after is not None else len(cells)
        cells.insert(at, _like(model, text, _free_id(cells, name)))
    return sentences


def _put_back_imports(cells: list[NotebookNode], release: NotebookNode) -> list[str]:
    """Start with the release's first code cell, the imports, where it is missing."""
    model = next((c for c in release.cells if c.cell_type == "code"), None)
    if model is None or "nbgrader" in model.metadata:
        return []
    code_cells = [c for c in cells if c.cell_type == "code"]
    if any(c.id == model.id or c.source.strip() == model.source.strip() for c in code_cells):
        return []
    cells.insert(0, _like(model, model.source, _free_id(cells, model.id)))
    return ["The first code cell, with the imports, was missing. It was put back."]


def _unreadable_code(cells: list[NotebookNode]) -> list[str]:
    """Name the answers that Python can't read, and the line where it stops."""
    sentences = []
    for cell in filter(_is_answer, cells):
        name = code(cell.metadata.nbgrader.grade_id)
        try:
            ast.parse(TransformerManager().transform_cell(cell.source))
        except SyntaxError as error:
            sentences.append(
                f"Python could not read the answer cell {name}: {code(error.msg)}, line "
                f"{error.lineno}. So nothing in that cell was run."
            )
        except (ValueError, RecursionError, MemoryError):  # a null byte; nesting without end
            sentences.append(
                f"Python could not read the answer cell {name}, so nothing in it was run."
            )
    return sentences


def _like(model: NotebookNode, source: str, cell_id: str) -> NotebookNode:
    """A cell with this source, of the model's type and metadata."""
    new: Callable[..., NotebookNode] = getattr(nbformat.v4, f"new_{model.cell_type}_cell")
    return new(source, id=cell_id, metadata=copy.deepcopy(model.metadata))


def _index(cells: list[NotebookNode], name: str) -> int | None:
    """Where the cell marked as `name` stands, or None."""
    for i, cell in enumerate(cells):
        if _mark(cell).get("grade_id") == name:
            return i
    return None


def _free_id(cells: list[NotebookNode], wanted: str) -> str:
    return f"{wanted}-restored" if any(c.id == wanted for c in cells) else wanted


def _is_answer(cell: NotebookNode) -> bool:
    return bool(_mark(cell).get("solution"))


def _mark(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader noted in a cell; a student may have made anything of it."""
    mark = cell.metadata.get("nbgrader")
    return mark if isinstance(mark, dict) else {}


def _has_own_code(cells: list[NotebookNode], release: NotebookNode) -> bool:
    """Whether a code cell, or what was one, holds more than comments and what was given."""
    given = {cell.source.strip() for cell in release.cells}
    for cell in cells:
        if cell.cell_type != "code" and not _mark(cell):
            continue
        lines = [line.strip() for line in cell.source.splitlines()]
        if any(line and line[0] != "#" for line in lines) and cell.source.strip() not in given:
            return True
    return False
