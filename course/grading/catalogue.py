"""All answers to an exercise whose score is known beforehand: right, wrong, and none."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from course.lesson import BEGIN_SOLUTION, END_SOLUTION, Exercise, Lesson


@dataclass(frozen=True)
class Answer:
    """What may stand in an answer cell. `source` is None where the student left the stub."""

    kind: str  # "solution", "alternative", "mistake" or "untouched"
    name: str  # of the alternative or mistake
    source: str | None

    @property
    def right(self) -> bool:
        """Whether it must get all points; the others must get none."""
        return self.kind in ("solution", "alternative")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


UNTOUCHED = Answer("untouched", "", None)


def solution(exercise: Exercise) -> Answer:
    """The lesson's own answer."""
    lines = exercise.answer.splitlines()
    kept = [ln for ln in lines if BEGIN_SOLUTION not in ln and END_SOLUTION not in ln]
    return Answer("solution", "", "\n".join(kept))


def alternatives(exercise: Exercise) -> list[Answer]:
    """Its other right answers."""
    return [Answer(v.kind, v.name, exercise.solved_by(v)) for v in exercise.alternatives]


def mistakes(exercise: Exercise) -> list[Answer]:
    """Its wrong answers."""
    return [Answer(v.kind, v.name, exercise.solved_by(v)) for v in exercise.mistakes]


def needs(lesson: Lesson, exercise: Exercise, answer: Answer) -> set[str]:
    """Names of the other exercises whose functions this answer, or the test, makes use of.

    Where one of them is wrong, the score of a right answer is not known.
    """
    used = _names(exercise.test) | _names(answer.source or "")
    return {
        other.name
        for other in lesson.exercises.values()
        if other is not exercise and used & _functions(other)
    }


def choose(
    answers: Iterable[Answer], lesson: Lesson, exercise: Exercise, right: set[str]
) -> list[Answer]:
    """Those of `answers` with a known score where the exercises in `right` are right."""
    return [a for a in answers if needs(lesson, exercise, a) <= right]


def _functions(exercise: Exercise) -> frozenset[str]:
    return _read(exercise.answer)[0]


def _names(source: str) -> frozenset[str]:
    return _read(source)[1]


@cache
def _read(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The functions and classes that a cell defines, and the names that it uses."""
    tree = ast.parse(source)
    defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(defined), frozenset(used)
