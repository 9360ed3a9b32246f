"""Does the real autograder give the sample class, answer for answer, what it should score?"""

import random
from collections.abc import Callable

import nbformat
import pytest
from small_course import Course

from course import lesson
from course.build import BuildError
from course.grading import catalogue, sample
from course.lesson import Lesson

LESSON = "01_activations"


@pytest.fixture(scope="module")
def course(new_course: Callable[[str], Course]) -> Course:
    """The real lesson, in a folder of its own."""
    return new_course(LESSON)


@pytest.fixture(scope="module")
def spoken(course: Course) -> Lesson:
    """The real lesson, read."""
    return lesson.read(course.root / "lessons" / f"{LESSON}.py")


@pytest.mark.xdist_group("sample class")
def test_twelve_students_score_what_they_should(course: Course) -> None:
    expected = sample.write_class(LESSON, 12, course.root, seed=1, force=True)
    course.nbgrader("autograde", LESSON)
    scores = course.scores(LESSON)
    wrong = [e for e in expected if scores[e.student][e.exercise] != e.points]
    assert not wrong
    assert len({e.student for e in expected}) == len(scores) == 12
    assert {e.answer.split()[0] for e in expected} == {
        "solution", "alternative", "mistake", "untouched",
    }  # fmt: skip
    totals = {sum(e.points for e in expected if e.student == s) for s in scores}
    most = sum(e.max for e in expected) // 12
    assert {0, most} < totals  # and some between


@pytest.mark.xdist_group("sample class")
def test_a_class_that_is_there_is_only_replaced_on_request(course: Course) -> None:
    first = sample.write_class(LESSON, 3, course.root, force=True)
    table = course.root / "submitted" / f"expected-{LESSON}.csv"
    assert sample.read_expected(table) == first
    with pytest.raises(BuildError, match=r"student-01.* is there already: with --force"):
        sample.write_class(LESSON, 2, course.root)
    assert sample.write_class(LESSON, 2, course.root, force=True) == [
        e for e in first if e.student != "student-03"
    ]
    assert not (course.root / "submitted" / "student-03" / LESSON).exists()


@pytest.mark.xdist_group("sample class")
def test_submissions_are_the_release_with_answers_in_it(course: Course) -> None:
    sample.write_class(LESSON, 1, course.root, force=True)
    folder = course.root / "submitted" / "student-01" / LESSON
    handed_in = nbformat.read(folder / f"{LESSON}.ipynb", as_version=4)
    release = course.released(LESSON)
    assert len(handed_in.cells) == len(release.cells)
    for ours, theirs in zip(handed_in.cells, release.cells, strict=True):
        is_answer = theirs.metadata.get("nbgrader", {}).get("solution", False)
        assert (ours.source != theirs.source) == is_answer
        assert "SOLUTION" not in ours.source


@pytest.mark.xdist_group("sample class")
def test_no_right_answer_builds_on_a_wrong_one(spoken: Lesson) -> None:
    for seed in range(20):
        answers = sample._answers(spoken, random.Random(seed), 1.0, 0.5, True)
        right = {name for name, answer in answers.items() if answer.right}
        for exercise in spoken.exercises.values():
            answer = answers[exercise.name]
            if answer.kind != "untouched":
                assert catalogue.needs(spoken, exercise, answer) <= right
