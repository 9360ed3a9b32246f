"""Does every catalogued mistake lose its points, and every right answer keep them?"""

from pathlib import Path

import pytest

from course import lesson as lessons
from course.grading import bank

ROOT = Path(__file__).resolve().parent.parent
LESSONS = {path.stem: lessons.read(path) for path in sorted((ROOT / "lessons").glob("*.py"))}
EXERCISES = [(name, exercise) for name, lesson in LESSONS.items() for exercise in lesson.exercises]


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_an_exercise_knows_five_mistakes_and_two_more_right_answers(name, exercise):
    known = LESSONS[name].exercises[exercise]
    assert len(known.mistakes) >= 5
    assert len(known.alternatives) >= 2


@pytest.mark.parametrize("name", LESSONS)
def test_mistakes_fail_and_right_answers_pass(name):
    outcomes = list(bank.run(LESSONS[name]))
    assert [o for o in outcomes if not o.as_wanted] == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_right_answer_passes_whatever_the_random_inputs(name, monkeypatch):
    lesson = LESSONS[name]
    for seed in range(1, 21):
        monkeypatch.setenv("COURSE_SEED", str(seed))
        for exercise in lesson.exercises.values():
            assert bank.judge(lesson, exercise, exercise.answer) is None, (exercise.name, seed)


@pytest.mark.parametrize("name", LESSONS)
def test_a_mistake_fails_whatever_the_random_inputs(name, monkeypatch):
    lesson = LESSONS[name]
    for seed in range(1, 6):
        monkeypatch.setenv("COURSE_SEED", str(seed))
        for outcome in bank.run(lesson):
            assert outcome.as_wanted, (outcome, seed)


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_an_unwritten_exercise_loses_its_points(name, exercise):
    stub = "def " + exercise + "(*args, **kwargs):\n    raise NotImplementedError"
    problem = bank.judge(LESSONS[name], LESSONS[name].exercises[exercise], stub)
    assert problem is not None
