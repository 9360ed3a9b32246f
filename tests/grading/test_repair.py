"""Does any notebook come out with each graded cell once, right, and in working order?"""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import damage
import nbformat
import pytest
from nbformat import NotebookNode
from small_course import LESSON, SMALL

from course import lesson, notebook
from course.grading import intake, reading
from course.grading.repair import Repair

FILE = f"{SMALL}.ipynb"


@pytest.fixture
def release() -> NotebookNode:
    """The small lesson's notebook; what nbgrader would take out of it makes no difference here."""
    return notebook.to_notebook(lesson.parse(LESSON, SMALL))


def repaired(handed_in: NotebookNode, release: NotebookNode) -> tuple[NotebookNode, str]:
    """The repaired notebook, and what its author is told."""
    resources = {"course": {"release": release, "sentences": []}}
    nb, _ = Repair().preprocess(copy.deepcopy(handed_in), resources)
    said = nb.cells[0].source if nb.cells[0].id == "about-your-submission" else ""
    return nb, said


KINDS: dict[str, tuple[Callable[[NotebookNode], None], str]] = {
    "nothing": (lambda nb: None, ""),
    "test-deleted": (damage.remove("test-half"), "`test-half` was missing. It was put back"),
    "answer-deleted": (damage.remove("half"), "The answer cell `half` was missing"),
    "both-deleted": (damage.remove("half", "test-half"), "`half` was missing"),
    "all-tests-deleted": (damage.remove("test-half", "test-double"), "`test-double` was missing"),
    "imports-deleted": (lambda nb: nb.cells.pop(1), "with the imports, was missing"),
    "answer-twice": (damage.again("half", 0), "`half` was there 2 times"),
    "test-twice": (damage.again("test-double", 0), "`test-double` was there 2 times"),
    "answer-retyped": (damage.retype("half"), "`half` had been turned into markdown"),
    "test-retyped": (damage.retype("test-half"), "`test-half` had been turned into markdown"),
    "test-edited": (damage.edit_test, "The test cell `test-half` had been changed"),
    "marks-edited": (damage.edit_marks, "The settings of the cell `double`"),
    "marks-lost": (damage.lose_marks, "The answer cell `double` was missing"),
    "marks-lost-ids-kept": (damage.lose_marks_keep_ids, "The settings of the cell `half`"),
    "own-points": (damage.own_points, "claimed to be graded as `bonus`"),
    "syntax-error": (damage.append("double", "print('"), "not read the answer cell `double`"),
    "null-byte": (damage.append("double", "x = '\0'"), "not read the answer cell `double`"),
    "only-text": (damage.only_text, "There is no code of your own"),
    "empty": (damage.empty, "There is no code of your own"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_graded_cell_is_there_once_as_released(kind: str, release: NotebookNode) -> None:
    change, says = KINDS[kind]
    handed_in = damage.solved(release)
    change(handed_in)
    nb, said = repaired(handed_in, release)
    assert says in said
    assert bool(said) == bool(says)
    marked = {}
    for i, cell in enumerate(nb.cells):
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.grade_id not in marked
            marked[cell.metadata.nbgrader.grade_id] = (i, cell)
    for model in release.cells:
        if "nbgrader" in model.metadata:
            _, cell = marked.pop(model.metadata.nbgrader.grade_id)
            assert (cell.cell_type, cell.metadata) == (model.cell_type, model.metadata)
    assert not marked
    nbformat.validate(nb)


@pytest.mark.parametrize("kind", KINDS)
def test_tests_come_after_what_they_test(kind: str, release: NotebookNode) -> None:
    handed_in = damage.solved(release)
    KINDS[kind][0](handed_in)
    nb, _ = repaired(handed_in, release)
    sources = [c.source for c in nb.cells]
    ids = [c.metadata.get("nbgrader", {}).get("grade_id") for c in nb.cells]
    for name, answer in damage.RIGHT.items():
        if answer in sources:
            assert sources.index(answer) < ids.index(f"test-{name}")


@pytest.mark.parametrize("name", damage.RIGHT)
def test_untouched_or_emptied_answers_are_told_apart_from_answers(
    name: str, release: NotebookNode
) -> None:
    as_given, _ = repaired(damage.solved(release), release)
    assert "no code of your own" not in as_given.cells[0].source
    blank = damage.solved(release)
    for other in damage.RIGHT:
        damage.cell(blank, other).source = "# later"
    assert "no code of your own" in repaired(blank, release)[1]
    damage.cell(blank, name).source = damage.RIGHT[name]
    assert repaired(blank, release)[1] == ""


UNREADABLE = {
    "a-picture": (b"\x89PNG\r\n\x00\xff", "not written as a notebook is"),
    "empty": (b"", "it is empty"),
    "cut-off": (b'{"cells": [', "not written as a notebook is"),
    "nested": (b"[" * 100_000, "not written as a notebook is"),
    "a-list": (b"[1, 2]", "some data, but not a notebook"),
    "a-number": (b'{"nbformat": "x", "cells": []}', "some data, but not a notebook"),
    "a-table": (b'{"cells": "x"}', "no notebook cells"),
    "old-and-broken": (b'{"nbformat": 3, "worksheets": 7}', "old format, but is broken"),
    "too-large": (b" " * (reading.MAX_BYTES + 1), "larger than 50 MB"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_notebook_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    content, says = UNREADABLE[kind]
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(reading.UnreadableError, match=says):
        reading.read(tmp_path / FILE)


def test_a_folder_with_a_notebooks_name_is_no_notebook(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(reading.UnreadableError, match="not a file"):
        reading.read(tmp_path / FILE)


@pytest.mark.parametrize(
    "cells",
    [
        [1, None, {}],
        [{"cell_type": "code", "source": 3, "metadata": []}],
        [{"cell_type": "code", "source": ["a\n", 4, "b"], "id": "!"}],
        [{"cell_type": "code", "id": "same"}, {"cell_type": "markdown", "id": "same"}],
        [{"cell_type": "sound", "source": "la"}],
        [{"cell_type": "code", "source": "'\\ud800'", "outputs": "none"}],
    ],
)
def test_odd_cells_become_valid_ones(cells: list, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"cells": cells}))
    read, said = reading.read(tmp_path / FILE)
    nbformat.validate(read)
    assert not said
    assert len(read.cells) == sum(isinstance(c, dict) for c in cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_whatever_the_editor_made_of_the_letters(
    encoding: str, release: NotebookNode, tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text(nbformat.writes(release), encoding=encoding)
    assert reading.read(tmp_path / FILE)[0].cells[2].source == release.cells[2].source


def found(folder: Path, release: NotebookNode) -> tuple[str | None, str]:
    path, said = intake.find(folder / FILE, release)
    return path and str(path.relative_to(folder)), " ".join(said)


def test_one_notebook_of_another_name_is_the_one(tmp_path: Path, release: NotebookNode) -> None:
    for name in ("My work.ipynb", "Copy.ipynb.txt", "sub/in.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(damage.text_of(release))
        assert found(tmp_path, release)[0] == name
        assert name in found(tmp_path, release)[1]
        (tmp_path / name).unlink()


def test_the_right_name_wins(tmp_path: Path, release: NotebookNode) -> None:
    for name in (FILE, "other.ipynb"):
        (tmp_path / name).write_bytes(damage.text_of(release))
    assert found(tmp_path, release) == (FILE, "")


def test_two_that_could_be_it_are_not_chosen_from(tmp_path: Path, release: NotebookNode) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / name).write_bytes(damage.text_of(release))
    path, said = found(tmp_path, release)
    assert path is None
    assert "`a.ipynb`, `b.ipynb`" in said


def test_a_notebook_without_our_cells_is_not_it(tmp_path: Path, release: NotebookNode) -> None:
    (tmp_path / "a.ipynb").write_bytes(damage.text_of(nbformat.v4.new_notebook()))
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "b.ipynb").write_bytes(damage.text_of(release))
    path, said = found(tmp_path, release)
    assert path is None
    assert "`a.ipynb`" in said
    assert "b.ipynb" not in said
