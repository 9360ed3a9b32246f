"""Does every submission, whatever it is, end with a definite score and a sentence about it?"""

import copy
import hashlib
import html
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("bad input")

FILE = f"{SMALL}.ipynb"
RIGHT = {"half": "def half(z):\n    return z / 2", "double": "def double(z):\n    return z * 2"}


def cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.id == name)


def remove(notebook: NotebookNode, *names: str) -> None:
    notebook.cells = [c for c in notebook.cells if c.id not in names]


def again(notebook: NotebookNode, name: str, at: int) -> None:
    twin = copy.deepcopy(cell(notebook, name))
    twin.id = f"{name}-copy"
    notebook.cells.insert(at, twin)


def retype(notebook: NotebookNode, name: str) -> None:
    old = cell(notebook, name)
    notebook.cells[notebook.cells.index(old)] = nbformat.v4.new_markdown_cell(
        old.source, id=name, metadata=old.metadata
    )


def append(notebook: NotebookNode, name: str, text: str) -> None:
    cell(notebook, name).source += "\n" + text


def cells_edited(notebook: NotebookNode) -> None:
    cell(notebook, "test-half").metadata.nbgrader.points = 100
    cell(notebook, "test-half").source = "pass"
    cell(notebook, "double").metadata["nbgrader"] = "mine"


def cells_skipped(notebook: NotebookNode) -> None:
    append(notebook, "half", "def half(z): return 0")
    cell(notebook, "test-half").metadata.tags = ["skip-execution"]  # nbclient's own way out


def marks_lost(notebook: NotebookNode) -> None:
    for n, each in enumerate(notebook.cells):
        each.metadata, each.id = NotebookNode(), f"cell-{n}"


def own_points(notebook: NotebookNode) -> None:
    again(notebook, "test-half", 0)
    notebook.cells[0].metadata.nbgrader.grade_id = "bonus"
    notebook.cells[0].source = ""


# What is done to a solved notebook: (change, points for half, for double, what feedback says).
EDITED: dict[str, tuple[Callable[[NotebookNode], None], int, int, str]] = {
    "nothing-wrong": (lambda nb: None, 2, 1, ""),
    "answer-deleted": (
        lambda nb: remove(nb, "half"), 0, 1, "The answer cell half was missing",
    ),
    "test-deleted": (
        lambda nb: remove(nb, "test-half"), 2, 1, "The test cell test-half was missing. It was put",
    ),
    "answer-and-test-deleted": (
        lambda nb: remove(nb, "half", "test-half"), 0, 1, "The test cell test-half was missing",
    ),
    "imports-deleted": (
        lambda nb: nb.cells.pop(1), 2, 1, "The first code cell, with the imports, was missing",
    ),
    "answer-twice": (
        lambda nb: again(nb, "half", 3), 2, 1, "The cell half was there 2 times",
    ),
    "test-twice": (
        lambda nb: again(nb, "test-double", 9), 2, 1, "The cell test-double was there 2 times",
    ),
    "answer-retyped": (
        lambda nb: retype(nb, "half"), 2, 1, "The cell half had been turned into markdown",
    ),
    "test-retyped": (
        lambda nb: retype(nb, "test-half"), 2, 1, "test-half had been turned into markdown",
    ),
    "cells-edited": (cells_edited, 2, 1, "The test cell test-half had been changed"),
    "cells-skipped": (cells_skipped, 0, 1, ""),
    "marks-lost": (marks_lost, 2, 1, "If its functions stand in another cell"),
    "own-points": (own_points, 2, 1, "claimed to be graded as bonus"),
    "syntax-error": (
        lambda nb: append(nb, "half", "print('"), 0, 1, "could not read the answer cell half",
    ),
    "no-code": (
        lambda nb: nb.update(cells=[nbformat.v4.new_markdown_cell("Sorry")]),
        0, 0, "There is no code of your own in this notebook",
    ),
    "no-cells": (lambda nb: nb.update(cells=[]), 0, 0, "There is no code of your own"),
    "as-given": (
        lambda nb: [append(nb, n, "    raise NotImplementedError('?')") for n in RIGHT],
        0, 0, "",
    ),
    "warns": (
        lambda nb: append(nb, "half", "import warnings\nhalf_ = half\ndef half(z):\n"
                          "    warnings.warn('slow')\n    return half_(z)"),
        2, 1, "",
    ),
    "endless": (
        lambda nb: append(nb, "half", "def half(z):\n    while True: pass"),
        0, 1, "The cell test-half was stopped after 4 seconds",
    ),
    "cannot-be-stopped": (
        lambda nb: append(nb, "double", "while True:\n  try:\n    while True: pass\n"
                          "  except BaseException: pass"),
        2, 0, "The cell double could not be stopped",
    ),
    "kills-python": (
        lambda nb: append(nb, "double", "import os\ndef double(z): os._exit(0)"),
        2, 0, "Python ended while it ran the cell test-double",
    ),
    "prints-a-lot": (
        lambda nb: append(nb, "half", "print('x' * 5_000_000)"), 2, 1, "characters left out",
    ),
    "half-a-letter": (lambda nb: append(nb, "half", "s = '\ud800'"), 2, 1, ""),
    "script-in-text": (
        lambda nb: nb.cells.append(nbformat.v4.new_markdown_cell("<script>alert(1)</script>")),
        2, 1, "",
    ),
    "hidden-marker": (
        lambda nb: append(nb, "half", "### BEGIN HIDDEN TESTS"), 2, 1, "",
    ),
}  # fmt: skip


def solved(release: NotebookNode) -> NotebookNode:
    notebook = copy.deepcopy(release)
    for name, source in RIGHT.items():
        cell(notebook, name).source = source
    return notebook


def text_of(notebook: NotebookNode) -> bytes:
    return nbformat.writes(notebook).encode("utf-8", "surrogatepass")


def old_format(notebook: NotebookNode) -> bytes:
    return nbformat.writes(nbformat.convert(notebook, 3), version=3).encode()


def files(notebook: NotebookNode) -> dict[str, tuple[dict[str, bytes], int, int, str]]:
    """Folders as handed in: (files by name, points for half, for double, what feedback says)."""
    good = text_of(notebook)
    return {
        "a-picture": ({FILE: b"\x89PNG\r\n\x00\xff"}, 0, 0, "it is not text, as a notebook is"),
        "empty-file": ({FILE: b""}, 0, 0, "could not be read as a notebook: it is empty"),
        "cut-off": ({FILE: good[: len(good) // 2]}, 0, 0, "is not written as a notebook is (JSON)"),
        "nested": ({FILE: b"[" * 100_000}, 0, 0, "is not written as a notebook is (JSON)"),
        "a-list": ({FILE: b"[1, 2]"}, 0, 0, "it holds some data, but not a notebook"),
        "a-table": ({FILE: b'{"cells": "x"}'}, 0, 0, "it holds some data, but no notebook cells"),
        "odd-cells": (
            {FILE: b'{"cells": [1, {"cell_type": "code", "source": 3, "metadata": []}]}'},
            0, 0, "There is no code of your own",
        ),
        "old-format": ({FILE: old_format(notebook)}, 2, 1, "saved in an old format (version 3)"),
        "wrong-name": (
            {"My <b>work</b> (1).ipynb": good}, 2, 1, "You handed in My ?b?work?/b? (1).ipynb inst",
        ),
        "in-a-folder": ({f"old/{FILE}": good}, 2, 1, f"You handed in old/{FILE} instead of {FILE}"),
        "saved-as-text": ({f"{FILE}.txt": good}, 2, 1, f"You handed in {FILE}.txt instead of"),
        "two-notebooks": (
            {"a.ipynb": good, "b.ipynb": good}, 0, 0, "more than one notebook that could be it",
        ),
        "another-notebook": (
            {"a.ipynb": text_of(nbformat.v4.new_notebook())},
            0, 0, "no other notebook with the cells of this assignment",
        ),
        "no-notebook": ({"notes.txt": b"later"}, 0, 0, "nor any other notebook"),
        "extra-files": (
            {FILE: good, "data.bin": b"\x00\xff" * 500_000, "other.ipynb": b"?"}, 2, 1, "",
        ),
    }  # fmt: skip


KINDS = [*EDITED, *files(nbformat.v4.new_notebook())]


@pytest.fixture(scope="module")
def graded(
    new_course: Callable[[str], Course],
) -> tuple[Course, dict[str, tuple[int, int, str]], str]:
    """The whole bank, graded with feedback in one go; what each kind is to get, and a digest."""
    course = new_course(SMALL)
    release = course.released(SMALL)
    expected = {}
    for kind, (change, half, double, says) in EDITED.items():
        notebook = solved(release)
        change(notebook)
        (course.hand_in(kind, SMALL) / FILE).write_bytes(text_of(notebook))
        expected[kind] = (half, double, says)
    for kind, (contents, half, double, says) in files(solved(release)).items():
        folder = course.hand_in(kind, SMALL)
        for name, content in contents.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        expected[kind] = (half, double, says)
    before = digest(course.root / "submitted")
    course.nbgrader("autograde", SMALL, "--Execute.timeout=4")
    course.nbgrader("generate_feedback", SMALL)
    return course, expected, before


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(f"{path.relative_to(folder)} {path.stat().st_mode}".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_gets_its_score_and_its_sentence(kind: str, graded: tuple) -> None:
    course, expected, _ = graded
    half, double, says = expected[kind]
    assert course.scores(SMALL)[kind] == {"half": half, "double": double}
    page = course.page(kind, SMALL)
    words = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert " ".join(says.split()) in " ".join(words.split())
    assert f"Score: {half + double}.0 / 3.0" in words
    assert ("About your submission" in words) == bool(says) or kind == "prints-a-lot"


def test_nothing_handed_in_is_touched(graded: tuple) -> None:
    course, _, before = graded
    assert digest(course.root / "submitted") == before


@pytest.mark.parametrize("kind", KINDS)
def test_pages_need_no_network_and_show_no_hidden_test(kind: str, graded: tuple) -> None:
    page = graded[0].page(kind, SMALL)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "<script" not in page
    assert "math.pi" not in re.sub(r"<[^>]+>", "", page)
    assert "hidden sentence" not in page


def test_release_of_feedback_reaches_every_name_that_was_handed_in(graded: tuple) -> None:
    course = graded[0]
    course.nbgrader("release_assignment", SMALL)
    course.nbgrader("release_feedback", SMALL)
    released = list((course.root / "exchange").glob("*/feedback/*.html"))
    pages = list((course.root / "feedback").rglob("*.html"))
    assert len(released) == len(pages) > len(KINDS)
