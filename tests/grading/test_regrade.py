"""Does a submission get the same marks whenever it is graded, on inputs nobody else gets?"""

import re
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode
from small_course import Course

pytestmark = pytest.mark.xdist_group("round")

NAME = "91_luck"
STUDENTS = ["ada", "bela", "cleo"]

# What it is worth depends on the hidden inputs alone: two runs agree only if those do.
LESSON = '''\
# %% [markdown]
# # Luck
#
# **Points** 5

# %%
import torch

# %% [markdown]
# ## Same  ·  ●○○ · 4 min · 4 points

# %% answer="same"
def same(z: torch.Tensor) -> torch.Tensor:
    """z itself."""
    ### BEGIN SOLUTION return z
    return z
    ### END SOLUTION

# %% test="same" points=4
check.close(same(torch.ones(2)), torch.ones(2))
### BEGIN HIDDEN TESTS
float(same(check.uniform(0.0, 4.0, 1, dtype=torch.float64)))
### END HIDDEN TESTS

# %% [markdown]
# ## Twice  ·  ●○○ · 4 min · 1 point

# %% answer="twice"
def twice(z: torch.Tensor) -> torch.Tensor:
    """Twice z."""
    ### BEGIN SOLUTION multiply
    return 2 * z
    ### END SOLUTION

# %% test="twice" points=1
check.close(twice(torch.zeros(2)), torch.zeros(2))
### BEGIN HIDDEN TESTS
z = check.randn(2)
check.close(twice(z), 2 * z)
### END HIDDEN TESTS
'''


@pytest.fixture(scope="module")
def course(new_course: Callable[..., Course]) -> Course:
    """A class that handed in the same notebook, graded once."""
    made = new_course(NAME, LESSON)
    made.nbgrader("generate_assignment", NAME)
    notebook = made.released(NAME)
    answers = {"same": "def same(z):\n    return z", "twice": "def twice(z):\n    return 3 * z"}
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    for student in STUDENTS:
        nbformat.write(notebook, made.hand_in(student, NAME) / f"{NAME}.ipynb")
    made.nbgrader("autograde", NAME)
    return made


def graded(course: Course, student: str) -> NotebookNode:
    path = course.root / "autograded" / student / NAME / f"{NAME}.ipynb"
    return nbformat.read(path, as_version=4)


def told(course: Course, student: str) -> list[str]:
    """All that stands below the graded cells, in the judge's own words."""
    by_name = {
        c.metadata.get("nbgrader", {}).get("grade_id"): c for c in graded(course, student).cells
    }
    return [str(by_name[name].outputs) for name in ("test-same", "test-twice")]


def test_everybody_gets_inputs_of_their_own(course: Course) -> None:
    scores = course.scores(NAME)
    points = {scores[student]["same"] for student in STUDENTS}
    assert len(points) == len(STUDENTS)
    assert all(p is not None and 0 < p < 4 for p in points)
    # The input on which `twice` went wrong is told, and it is another for each.
    assert len({told(course, student)[1] for student in STUDENTS}) == len(STUDENTS)


def test_the_seed_is_kept_with_the_verdict(course: Course) -> None:
    seeds = {
        output.metadata.course.seed
        for student in STUDENTS
        for cell in graded(course, student).cells
        for output in cell.get("outputs", [])
        if "course" in output.get("metadata", {})
    }
    assert len(seeds) == 2 * len(STUDENTS)


def test_a_regrade_gives_the_same_bit_for_bit(course: Course) -> None:
    scores = course.scores(NAME)
    before = {student: told(course, student) for student in STUDENTS}
    course.nbgrader("autograde", NAME, "--force")
    assert course.scores(NAME) == scores  # floats, compared exactly
    assert {student: told(course, student) for student in STUDENTS} == before


def test_an_instructor_is_told_why_with_everything_asked_again(course: Course) -> None:
    said = course.course("why", "bela", NAME, "twice")
    assert "bela, 91_luck, twice: did not pass" in said
    assert "The line that failed:\n    check.close(twice(z), 2 * z)" in said
    # The very input of the grading: what came back is three times, what should, twice of it.
    asked, came, expected = (
        [float(x) for x in re.findall(r"-?\d+\.\d+", re.search(rf"{title}:\n(.*)", said)[1])]
        for title in ("Asked with", "Came back", "Should come back")
    )
    assert came == pytest.approx([3 * z for z in asked], abs=1e-5)
    assert expected == pytest.approx([2 * z for z in asked], abs=1e-5)
    assert "return 3 * z" in said
    assert "Asked again just now: the same." in said
    assert "The answer:" in course.course("why", "bela", NAME, "same")


def test_what_was_never_graded_or_asked_is_said_so(course: Course) -> None:
    assert "has not been graded" in course.course("why", "dora", NAME, "twice", fails=True)
    assert "it has same, twice" in course.course("why", "bela", NAME, "thrice", fails=True)


def test_who_hands_in_once_more_gets_new_inputs(course: Course) -> None:
    first = course.scores(NAME)["ada"]["same"]
    stamp = course.root / "submitted" / "ada" / NAME / "timestamp.txt"
    stamp.write_text("2026-01-13 09:00:00 UTC")
    course.nbgrader("autograde", NAME)
    assert course.scores(NAME)["ada"]["same"] != first
