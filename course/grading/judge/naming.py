"""Which catalogued mistake is behind a failure: the one that does the same on the same inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from course import check
from course.grading import bank
from course.grading.judge.court import PRELUDE
from course.grading.judge.link import StudentError
from course.grading.judge.record import Probe, Raised, Recorded, RecordedClass, alike, print_of
from course.lesson import Exercise, Lesson, Variant


def name(
    lesson: Lesson,
    exercise: Exercise,
    subjects: Mapping[str, Any],
    seed: int,
    reached: Mapping[str, int] | None = None,
) -> tuple[Variant | None, str]:
    """The mistake of `exercise` whose author would see what the student of `subjects` sees.

    With it a print of the student's answers: two students have the same one if, asked with the
    same `seed`, they answered alike.

    The questions that the graded cell puts to the right solution are put to the student's functions
    and to each mistake. On all the answers in which a mistake differs from the solution, the
    student's must be the same as the mistake's. Of several, the one that agrees most is named.
    Where there is none, those answers count alone that the student's cell came to: `reached` says
    how many of each function. (A long training later on may end elsewhere by rounding alone.)
    """
    asked = _asked(lesson, exercise, seed)
    given = {
        i: probe.put_to(subjects[probe.name])
        for i, probe in enumerate(asked.probes)
        if probe.name in subjects
    }
    prints = print_of(list(given.values()))
    found = asked.best(exercise.mistakes, given)
    if found is None and reached is not None:
        turns = Counter[str]()
        early = {}
        for i in given:
            probe = asked.probes[i].name
            if turns[probe] < reached.get(probe, 0):
                early[i] = given[i]
            turns[probe] += 1
        found = asked.best(exercise.mistakes, early)
    return found, prints


class _Asked:
    """What a graded cell asks, and what the solution and each mistake answer: worked out once."""

    def __init__(self, lesson: Lesson, exercise: Exercise, seed: int) -> None:
        self._lesson, self._exercise = lesson, exercise
        solution = bank.notebook(lesson, exercise, exercise.answer).__dict__
        self.probes = _probes(exercise, solution, seed)
        self._right = [_local(probe, solution) for probe in self.probes]
        self._notebooks: dict[str, dict[str, Any] | None] = {}
        self._outcomes: dict[tuple[str, int], Any] = {}

    def best(self, mistakes: Sequence[Variant], given: dict[int, Any]) -> Variant | None:
        """The mistake that agrees most with the student's answers to the probes in `given`."""
        agreed = {mistake.name: self.agreed(mistake, given) for mistake in mistakes}
        found = max(mistakes, key=lambda mistake: agreed[mistake.name], default=None)
        return found if found and agreed[found.name] else None

    def agreed(self, mistake: Variant, given: dict[int, Any]) -> int:
        """On how many probes `mistake` does what the student does; 0 if it can't be theirs.

        Stops at the first that tells the two apart: a probe may be a whole training.
        """
        wrong = self._notebook(mistake)
        if wrong is None:
            return 0  # it doesn't even define its function
        agreed, telling = 0, False
        for i, answer in given.items():
            if (mistake.name, i) not in self._outcomes:
                self._outcomes[mistake.name, i] = _local(self.probes[i], wrong)
            outcome = self._outcomes[mistake.name, i]
            same = alike(outcome, answer)
            if not alike(outcome, self._right[i]):
                telling = True
                if not same:
                    return 0
            agreed += same
        return agreed if telling else 0

    def _notebook(self, mistake: Variant) -> dict[str, Any] | None:
        if mistake.name not in self._notebooks:
            answer = self._exercise.solved_by(mistake)
            try:
                made = bank.notebook(self._lesson, self._exercise, answer).__dict__
            except Exception:
                made = None
            self._notebooks[mistake.name] = made
        return self._notebooks[mistake.name]


_asked = lru_cache(maxsize=64)(_Asked)  # the same for a whole class, asked with the same seed


def _probes(exercise: Exercise, solution: dict[str, Any], seed: int) -> list[Probe]:
    """All that the graded cell asks of the student's functions, written down on the solution."""
    probes: list[Probe] = []
    names = {**PRELUDE, **solution}
    for key, value in solution.items():
        if bank.is_own(value, solution):
            names[key] = Recorded(value, key, probes)
        elif isinstance(value, type) and value.__module__ == "__main__":
            names[key] = RecordedClass(value, key, probes)
    check.seed(seed)
    exec(exercise.test, names)
    return probes


def _local(probe: Probe, notebook: dict[str, Any]) -> Any:
    try:
        return probe.put_to(notebook[probe.name])
    except StudentError:
        raise
    except Exception as problem:
        return Raised(type(problem).__name__)
