"""Lessons: the percent scripts in `lessons/`, read into cells and exercises.

A lesson is plain text. Besides prose and code it has four kinds of cells, marked by keys:
`answer` (the student's cell, with its solution), `test` (the graded cell), `mistake` and
`alternative` (wrong and right answers, kept for the grader and never put into a notebook).
`docs/authoring.md` shows one of each.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

import jupytext
import nbformat
from nbformat import NotebookNode

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"

_KEYS = ("answer", "test", "mistake", "alternative")
_TITLE = re.compile(
    r"^#+ (?P<title>.+?)\s+·\s+(?P<difficulty>[●○]{3}) · (?P<minutes>\d+) min"
    r" · (?P<points>\d+) points?\s*$",
    re.MULTILINE,
)
_TOTAL = re.compile(r"\*\*Points\*\*\s+(\d+)")


class LessonError(Exception):
    """A lesson that can't be built; the text says where and what to do."""


@dataclass(frozen=True)
class Variant:
    """A catalogued wrong (`mistake`) or other right (`alternative`) answer to an exercise."""

    kind: str
    exercise: str
    name: str
    source: str

    @property
    def says(self) -> str:
        """What feedback tells the student: the docstring of the first function, on one line."""
        for node in ast.parse(self.source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                return " ".join((ast.get_docstring(node) or "").split())
        return ""


@dataclass(eq=False)
class Exercise:
    """One answer cell, the graded cell that judges it, and its catalogue."""

    name: str
    title: str
    minutes: int
    difficulty: str
    answer: str
    test: str = ""
    points: int = 0
    mistakes: list[Variant] = field(default_factory=list)
    alternatives: list[Variant] = field(default_factory=list)

    def solved_by(self, variant: Variant) -> str:
        """The answer cell as a student who wrote `variant` would hand it in.

        Each function or class of the variant takes the place of the solution's of that name;
        what else the variant says stands before.
        """
        lines = self.answer.splitlines()
        edits: list[tuple[int, int, str]] = []
        before: list[str] = []
        solution = {n.name: n for n in ast.parse(self.answer).body if _is_definition(n)}
        for node in ast.parse(variant.source).body:
            text = _source_of(variant.source, node)
            if _is_definition(node) and node.name in solution:
                old = solution[node.name]
                edits.append((_start(old), old.end_lineno or old.lineno, text))
            else:
                before.append(text)
        for start, end, text in sorted(edits, reverse=True):
            lines[start - 1 : end] = text.splitlines()
        kept = [ln for ln in lines if BEGIN_SOLUTION not in ln and END_SOLUTION not in ln]
        head = [*"\n".join(before).splitlines(), "", ""] if before else []
        return "\n".join([*head, *kept])


@dataclass(eq=False)
class Lesson:
    """One lesson: its cells as written, and its exercises by name."""

    name: str
    cells: list[NotebookNode]
    exercises: dict[str, Exercise]

    @property
    def points(self) -> int:
        """What the whole lesson is worth."""
        return sum(e.points for e in self.exercises.values())


def read(path: Path) -> Lesson:
    """The lesson at `path`. Raises `LessonError` where it breaks the rules of a lesson."""
    return parse(path.read_text(encoding="utf-8"), path.stem)


def parse(text: str, name: str) -> Lesson:
    """The lesson called `name` with this text. Raises `LessonError`."""
    cells = jupytext.reads(text, fmt="py:percent").cells
    lesson = Lesson(name, cells, _exercises(cells))
    _check_points(lesson)
    return lesson


def write(cells: list[NotebookNode]) -> str:
    """The text of a lesson with these cells."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["jupytext"] = {
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "all",
    }
    return jupytext.writes(notebook, fmt="py:percent")


def key_of(cell: NotebookNode) -> str | None:
    """Which of the four marked kinds a lesson's cell is, or None."""
    return next((k for k in _KEYS if k in cell.metadata), None)


def _exercises(cells: list[NotebookNode]) -> dict[str, Exercise]:
    found: dict[str, Exercise] = {}
    title: re.Match[str] | None = None
    for cell in cells:
        key = key_of(cell)
        if cell.cell_type == "markdown":
            title = next(iter(reversed(list(_TITLE.finditer(cell.source)))), title)
        if key is None:
            continue
        name = cell.metadata[key]
        if key == "answer":
            if name in found:
                raise LessonError(f'There are two cells answer="{name}": rename one.')
            if title is None:
                raise LessonError(
                    f'No heading before answer="{name}" says its difficulty, minutes and points. '
                    "Write one like: ## Title  ·  ●●○ · 8 min · 2 points"
                )
            found[name] = Exercise(
                name, title["title"], int(title["minutes"]), title["difficulty"], cell.source
            )
            shown, title = int(title["points"]), None
            found[name].points = shown
            continue
        if name not in found:
            raise LessonError(f'{key}="{name}" stands before answer="{name}", or there is none.')
        exercise = found[name]
        if key == "test":
            if exercise.test:
                raise LessonError(f'There are two cells test="{name}": join them.')
            if cell.metadata.get("points") != exercise.points:
                raise LessonError(
                    f'test="{name}" is worth {cell.metadata.get("points")}, its heading says '
                    f"{exercise.points}."
                )
            exercise.test = cell.source
        else:
            variants = exercise.mistakes if key == "mistake" else exercise.alternatives
            variant = Variant(key, name, cell.metadata.get("name", ""), cell.source)
            if not variant.name or any(v.name == variant.name for v in variants):
                raise LessonError(f'Each {key}="{name}" needs a name of its own: name="…".')
            if key == "mistake" and not variant.says:
                raise LessonError(f'mistake="{name}" name="{variant.name}" has no docstring.')
            variants.append(variant)
    for exercise in found.values():
        if not exercise.test:
            raise LessonError(f'answer="{exercise.name}" has no test="{exercise.name}".')
    return found


def _check_points(lesson: Lesson) -> None:
    text = "\n".join(c.source for c in lesson.cells if c.cell_type == "markdown")
    shown = _TOTAL.search(text)
    if shown is None or int(shown.group(1)) != lesson.points:
        raise LessonError(
            f"The exercises of {lesson.name} add up to {lesson.points} points: "
            f"write **Points** {lesson.points} in its head."
        )


def _is_definition(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.ClassDef]:
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def _start(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _source_of(source: str, node: ast.stmt) -> str:
    start = _start(node) if _is_definition(node) else node.lineno
    return "\n".join(source.splitlines()[start - 1 : node.end_lineno])
