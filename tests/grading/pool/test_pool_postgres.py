"""Is a gradebook in PostgreSQL what one in a file would be?"""

from collections.abc import Callable, Iterator

import ledger
import postgres
import pytest
from nbgrader.api import Gradebook
from small_course import SMALL, Course

from course.grading.pool import tables
from course.grading.pool.bundle import Result
from course.grading.pool.clerk import Clerk, Job

pytestmark = pytest.mark.xdist_group("pool")


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """The URL of a database on a server of our own."""
    with postgres.server() as url:
        yield url


def test_the_gradebook_is_that_of_a_file(
    handed_in: Course, copy_of: Callable[[Course], Course], shared: str
) -> None:
    course = copy_of(handed_in)
    with (course.root / "nbgrader_config.py").open("a") as settings:
        settings.write(f"c.CourseDirectory.db_url = {shared!r}\n")
    course.nbgrader("generate_assignment", SMALL, "--force")
    course.nbgrader("db", "assignment", "add", SMALL, "--duedate=2026-01-12 10:00 UTC")
    file = f"sqlite:///{course.root}/gradebook.db"
    command = ("autograde", SMALL, "--workers", "1")
    said = [course.course(*command)]
    said.append(course.course(*command, "--db", file, "--regrade", "all"))
    assert ["8 graded, 0 failed" in text for text in said] == [True, True]
    assert ledger.gradebook(shared) == ledger.gradebook(file)
    assert course.nbgrader("export", "--to=grades.csv")
    assert "late,1.5" not in (course.root / "grades.csv").read_text()
    assert len((course.root / "grades.csv").read_text().splitlines()) == 1 + 8


def test_who_marks_by_hand_meanwhile_is_not_overwritten(
    handed_in: Course, copy_of: Callable[[Course], Course], shared: str
) -> None:
    course = copy_of(handed_in)
    clerk = Clerk(course.root, SMALL, shared)
    bundle = clerk.bundle(Job("right"))
    assert bundle.rows["grade"], "graded by the test before"
    with Gradebook(shared) as gradebook:
        grade = gradebook.find_grade("test-half", SMALL, SMALL, "right")
        grade.manual_score = 1.5
        gradebook.db.commit()
    zero = [{**row, "auto_score": 0.0} for row in bundle.rows["grade"]]
    result = Result("right", {}, {**bundle.rows, "grade": zero}, "", "", 0.0)
    with pytest.raises(tables.ChangedMeanwhileError):
        clerk.write(bundle, result)
    with Gradebook(shared) as gradebook:
        grade = gradebook.find_grade("test-half", SMALL, SMALL, "right")
        assert (grade.manual_score, grade.auto_score) == (1.5, 2.0)
    clerk.close()
