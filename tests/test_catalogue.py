"""Does every catalogued mistake lose its points, and every right answer keep them?"""

import time
from collections.abc import Iterator
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


# What trains a net takes seconds a seed: benchmarks/training.py has the pass rates of these, over
# 50 seeds. Here each answer is tried on as many seeds as fit into this time, and on one at least.
SECONDS = 2.0


def seeds(monkeypatch: pytest.MonkeyPatch, most: int) -> Iterator[int]:
    """The seeds from 1 on, each set for the next call."""
    started = time.process_time()
    for seed in range(1, most + 1):
        monkeypatch.setenv("COURSE_SEED", str(seed))
        yield seed
        if time.process_time() - started > SECONDS:
            return


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_a_right_answer_passes_whatever_the_random_inputs(name, exercise, monkeypatch):
    lesson = LESSONS[name]
    known = lesson.exercises[exercise]
    for seed in seeds(monkeypatch, 20):
        assert bank.judge(lesson, known, known.answer) is None, seed


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_a_mistake_fails_whatever_the_random_inputs(name, exercise, monkeypatch):
    lesson = LESSONS[name]
    known = lesson.exercises[exercise]
    for mistake in known.mistakes:
        wrong = known.solved_by(mistake)
        for seed in seeds(monkeypatch, 5):
            assert bank.judge(lesson, known, wrong) is not None, (mistake.name, seed)


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_an_unwritten_exercise_loses_its_points(name, exercise):
    stub = "def " + exercise + "(*args, **kwargs):\n    raise NotImplementedError"
    problem = bank.judge(LESSONS[name], LESSONS[name].exercises[exercise], stub)
    assert problem is not None
