"""Which catalogued mistake is behind a failure: the one that does the same on the same inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course import check
from course.grading import bank
from course.grading.judge.court import PRELUDE
from course.grading.judge.link import StudentError
from course.grading.judge.record import Probe, Raised, Recorded, alike, print_of
from course.lesson import Exercise, Lesson, Variant


def name(
    lesson: Lesson, exercise: Exercise, subjects: Mapping[str, Any], seed: int
) -> tuple[Variant | None, str]:
    """The mistake of `exercise` whose author would see what the student of `subjects` sees.

    With it a print of the student's answers: two students have the same one if, asked with the
    same `seed`, they answered alike.

    The questions that the graded cell puts to the right solution are put to the student's functions
    and to each mistake. On all the answers in which a mistake differs from the solution, the
    student's must be the same as the mistake's. Of several, the one that agrees most is named.
    """
    solution = bank.notebook(lesson, exercise, exercise.answer)
    probes = _probes(exercise, solution.__dict__, seed)
    probes = [p for p in probes if p.name in subjects]
    right = [_local(p, solution.__dict__) for p in probes]
    given = [p.put_to(subjects[p.name]) for p in probes]
    best: tuple[int, Variant] | None = None
    for mistake in exercise.mistakes:
        try:
            wrong = bank.notebook(lesson, exercise, exercise.solved_by(mistake)).__dict__
        except Exception:
            continue  # a mistake that doesn't even define its function can't be compared
        agreed = _agreed(probes, wrong, right, given)
        if agreed and (best is None or agreed > best[0]):
            best = agreed, mistake
    return best[1] if best else None, print_of(given)


def _agreed(probes: list[Probe], wrong: dict[str, Any], right: list[Any], given: list[Any]) -> int:
    """On how many probes a mistake does what the student does; 0 if it can't be theirs.

    Stops at the first that tells the two apart: a probe may be a whole training.
    """
    agreed, telling = 0, False
    for probe, correct, answer in zip(probes, right, given, strict=True):
        outcome = _local(probe, wrong)
        same = alike(outcome, answer)
        if not alike(outcome, correct):
            telling = True
            if not same:
                return 0
        agreed += same
    return agreed if telling else 0


def _probes(exercise: Exercise, solution: dict[str, Any], seed: int) -> list[Probe]:
    """All that the graded cell asks of the student's functions, written down on the solution."""
    probes: list[Probe] = []
    names = {**PRELUDE, **solution}
    for key, value in solution.items():
        if bank.is_own(value, solution):
            names[key] = Recorded(value, key, probes)
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
