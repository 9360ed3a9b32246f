"""Does every nbgrader command do its part, from the lesson to the student's feedback and back?"""

import csv
import getpass
import re
from collections.abc import Callable

import damage
import nbformat
import pytest
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("round")


@pytest.fixture(scope="module")
def course(new_course: Callable[[str], Course]) -> Course:
    """A course in which nothing has been handed out."""
    return new_course(SMALL)


def test_a_round(course: Course) -> None:
    work = course.root / "work" / SMALL
    notebook = work / f"{SMALL}.ipynb"
    me = getpass.getuser()

    course.nbgrader("list")
    course.nbgrader("generate_assignment", SMALL, "--force")
    course.nbgrader("release_assignment", SMALL)
    assert SMALL in course.nbgrader("list")
    course.nbgrader("fetch_assignment", SMALL)
    assert "FAILED ON 2 CELL(S)" in course.nbgrader("validate", str(notebook))

    solved = damage.solved(nbformat.read(notebook, as_version=4))
    damage.cell(solved, "double").source = "def double(z):\n    return 4"
    nbformat.write(solved, notebook)
    assert "Success" in course.nbgrader("validate", str(notebook))  # of what is visible
    # Renamed, as browsers do: the student still finds the feedback, under the student's own name.
    notebook.rename(notebook.with_stem("My work"))
    course.nbgrader("submit", SMALL)
    assert me in course.nbgrader("list", "--inbound")

    course.nbgrader("collect", SMALL)
    course.nbgrader("autograde", SMALL)
    assert course.scores(SMALL) == {me: {"half": 2, "double": 0}}
    course.nbgrader("generate_feedback", SMALL)
    course.nbgrader("release_feedback", SMALL)
    course.nbgrader("fetch_feedback", SMALL)
    (page,) = work.glob("feedback/*/My work.html")
    assert "2 of 3 points" in " ".join(re.sub(r"<[^>]+>", "", page.read_text()).split())

    course.nbgrader("export")
    with (course.root / "grades.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], row["score"], row["max_score"]) == (me, "2.0", "3.0")


def test_what_cannot_be_submitted_is_refused_with_the_reason(course: Course) -> None:
    folder = course.root / "work" / "empty"
    folder.mkdir(parents=True)
    assert "There is no notebook in" in course.nbgrader("submit", "empty", fails=True)
    (folder / "a.ipynb").touch()
    with (folder / "data.bin").open("wb") as file:
        file.truncate(60_000_000)
    assert "60 MB, more than the 50 MB" in course.nbgrader("submit", "empty", fails=True)
