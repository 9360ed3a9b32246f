"""What happens to notebooks: the ways to damage one that the tests try."""

import copy
import json
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

RIGHT = {"half": "def half(z):\n    return z / 2", "double": "def double(z):\n    return z * 2"}


def solved(release: NotebookNode) -> NotebookNode:
    """The released notebook with right answers in it."""
    notebook = copy.deepcopy(release)
    for name, source in RIGHT.items():
        cell(notebook, name).source = source
    return notebook


def text_of(notebook: NotebookNode) -> bytes:
    """The notebook's file."""
    return json.dumps(notebook).encode()


def old_format(notebook: NotebookNode) -> bytes:
    """Its file as Jupyter wrote it until 2015."""
    return nbformat.writes(nbformat.convert(notebook, 3), version=3).encode()


def cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.id == name)


def remove(*names: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        notebook.cells = [c for c in notebook.cells if c.id not in names]

    return change


def again(name: str, at: int) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        twin = copy.deepcopy(cell(notebook, name))
        twin.id = f"{name}-copy"
        notebook.cells.insert(at, twin)

    return change


def retype(name: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        old = cell(notebook, name)
        notebook.cells[notebook.cells.index(old)] = nbformat.v4.new_markdown_cell(
            old.source, id=name, metadata=old.metadata
        )

    return change


def append(name: str, text: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        cell(notebook, name).source += "\n" + text

    return change


def endless(notebook: NotebookNode) -> None:
    """A cell at the end that does not end."""
    notebook.cells.append(nbformat.v4.new_code_cell("while True:\n    pass"))


def empty(notebook: NotebookNode) -> None:
    notebook.cells = []


def only_text(notebook: NotebookNode) -> None:
    notebook.cells = [nbformat.v4.new_markdown_cell("Sorry")]


def edit_test(notebook: NotebookNode) -> None:
    cell(notebook, "test-half").metadata.nbgrader.points = 100
    cell(notebook, "test-half").metadata.tags = ["skip-execution"]  # nbclient would not run it
    cell(notebook, "test-half").source = "pass"
    cell(notebook, "half").source = "def half(z): return 0"


def edit_marks(notebook: NotebookNode) -> None:
    cell(notebook, "double").metadata["nbgrader"] = "mine"
    cell(notebook, "half").metadata.nbgrader.solution = False
    cell(notebook, "test-half").metadata.nbgrader.schema_version = 99


def lose_marks(notebook: NotebookNode) -> None:
    for n, each in enumerate(notebook.cells):
        each.metadata, each.id = NotebookNode(), f"cell-{n}"


def lose_marks_keep_ids(notebook: NotebookNode) -> None:
    for each in notebook.cells:
        each.metadata = NotebookNode()


def own_points(notebook: NotebookNode) -> None:
    again("test-half", 0)(notebook)
    notebook.cells[0].metadata.nbgrader.grade_id = "bonus"
    notebook.cells[0].source = ""


def odd_text(notebook: NotebookNode) -> None:
    """What can't be saved, would act as a script, looks like a marker, or fills the disk."""
    append("half", "s = '\ud800'\n### BEGIN HIDDEN TESTS")(notebook)
    append("double", "print('x' * 5_000_000)")(notebook)
    notebook.cells.append(nbformat.v4.new_markdown_cell("<script>alert(1)</script>"))
