"""Does a regrade ask anew what changed, and leave the rest bit for bit?"""

import re
from collections.abc import Callable

import damage
import ledger
import nbformat
import pytest
from nbgrader.api import Gradebook
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("pool")

COMMAND = ("autograde", SMALL, "--workers", "1")


@pytest.fixture(scope="module")
def course(new_course: Callable[..., Course]) -> Course:
    """Two students, whose `double` and `half` are right by what is asked; one marked by hand."""
    made = new_course(SMALL)
    made.nbgrader("generate_assignment", SMALL)
    for student, half in (("ada", "def half(z):\n    return z / 2"), ("bela", "half = None")):
        notebook = damage.solved(made.released(SMALL))
        damage.cell(notebook, "half").source = half
        # Only an answer that is run again can be told from one whose verdict stands.
        notebook.cells.append(nbformat.v4.new_code_cell("import time; print(time.time_ns())"))
        (made.hand_in(student, SMALL) / f"{SMALL}.ipynb").write_bytes(damage.text_of(notebook))
    made.course(*COMMAND)
    with Gradebook(f"sqlite:///{made.root}/gradebook.db") as gradebook:
        for cell in ("test-half", "test-double"):
            grade = gradebook.find_grade(cell, SMALL, SMALL, "bela")
            grade.manual_score, grade.needs_manual_grade = 0.5, False
        gradebook.db.commit()
    return made


def outputs(course: Course, student: str) -> dict[str, list]:
    path = course.root / "autograded" / student / SMALL / f"{SMALL}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    return {c.id: c.outputs for c in cells if c.cell_type == "code"}


def grade(course: Course, student: str, cell: str) -> tuple:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        found = gradebook.find_grade(cell, SMALL, SMALL, student)
        return found.auto_score, found.manual_score, found.needs_manual_grade


def test_nothing_changed_and_nothing_is_run(course: Course) -> None:
    before = ledger.graded(course.root)
    assert "0 graded, 0 failed, 2 graded" in course.course(*COMMAND, "--regrade", "changed")
    assert ledger.graded(course.root) == before


def test_only_what_changed_is_asked_anew(course: Course) -> None:
    # Forge a verdict that stands: were that question asked again, it would be mended.
    path = course.root / "autograded" / "ada" / SMALL / f"{SMALL}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    damage.cell(notebook, "test-half").outputs[0].metadata.course.told = "forged"
    path.chmod(0o644)
    nbformat.write(notebook, path)
    before = {student: outputs(course, student) for student in ("ada", "bela")}
    lesson = course.root / "lessons" / f"{SMALL}.py"
    text = lesson.read_text()
    lesson.write_text(text.replace("assert double(m", "assert double(1) == 3 and double(m"))
    course.course("build", SMALL)
    course.nbgrader("generate_assignment", SMALL, "--force")

    said = course.course(*COMMAND, "--regrade", "changed")
    assert re.search(r"^ada: double 1 → 0: `double` does not give what it should", said, re.M)
    assert re.search(r"^bela: double 1 → 0 \(a mark given by hand stands\): ", said, re.M)
    assert "2 graded, 0 failed" in said
    for student, old in before.items():
        new = outputs(course, student)
        assert new["test-half"] == old["test-half"]
        assert new["test-double"] != old["test-double"]
    assert grade(course, "ada", "test-half") == (2.0, None, False)
    # As nbgrader has it: a mark by hand stands, and is to be looked at where the other moved.
    assert grade(course, "bela", "test-double") == (0.0, 0.5, True)
    assert grade(course, "bela", "test-half") == (0.0, 0.5, False)
    assert "0 graded, 0 failed" in course.course(*COMMAND, "--regrade", "changed")

    # What stands between a question asked anew and one that stands is run as ever.
    text = lesson.read_text()
    lesson.write_text(text.replace("assert half(m", "assert half(2) == 1 and half(m"))
    course.course("build", SMALL)
    course.nbgrader("generate_assignment", SMALL, "--force")
    assert "2 graded, 0 failed" in course.course(*COMMAND, "--regrade", "changed")
    assert "not run while" not in str(outputs(course, "ada")["double"])
