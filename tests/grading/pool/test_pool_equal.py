"""Does `course autograde` leave what `nbgrader autograde` leaves, with any number of workers?"""

from collections.abc import Callable

import damage
import ledger
import pytest
from nbgrader.api import Gradebook
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("pool")


def mark_by_hand(course: Course) -> None:
    """What an instructor does between two gradings: a mark, a comment, more time for one."""
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("test-double", SMALL, SMALL, "wrong")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.5, 0.25, False
        gradebook.find_comment("double", SMALL, SMALL, "wrong").manual_comment = "nearly"
        gradebook.db.commit()
        gradebook.grant_extension(SMALL, "late", days=1)


def hand_in_again(course: Course) -> None:
    for student in ("wrong", "late", "right"):
        folder = course.root / "submitted" / student / SMALL
        notebook = damage.solved(course.released(SMALL))
        damage.cell(notebook, "half").source = "def half(z):\n    return z"
        (folder / f"{SMALL}.ipynb").write_bytes(damage.text_of(notebook))
        (folder / "timestamp.txt").write_text("2026-01-14 09:00:00 UTC")


@pytest.fixture(scope="module")
def stock(handed_in: Course, copy_of: Callable[[Course], Course]) -> list[tuple]:
    """What nbgrader leaves: after a first grading, and after some handed in again."""
    course = copy_of(handed_in)
    left = []
    for change in (lambda _: None, both):
        change(course)
        course.nbgrader("autograde", SMALL)
        left.append(ledger.everything(course))
    return left


def both(course: Course) -> None:
    mark_by_hand(course)
    hand_in_again(course)


def test_files_and_gradebook_are_those_of_nbgrader(
    handed_in: Course, copy_of: Callable[[Course], Course], stock: list[tuple]
) -> None:
    course = copy_of(handed_in)
    steps = zip((lambda _: None, both), stock, ("3", "1"), strict=True)
    for change, left, workers in steps:
        change(course)
        said = course.course("autograde", SMALL, "--workers", workers)
        files, rows = ledger.everything(course)
        assert files == left[0]
        assert rows == left[1]
    # `wrong` had no time before, so nbgrader doesn't see that it is newer.
    assert "2 graded, 0 failed, 6 graded before" in said
