"""The catalogue of mistakes and alternatives, run against the graded cells of its lesson.

Everything runs in this process: quick enough to try each wrong answer while writing a lesson, and
the same on a machine with a GPU. `python -m course.grading.bank` prints the table.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import linecache
import os
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course import check
from course import lesson as lessons
from course.lesson import Exercise, Lesson
from course.threads import one_thread

_numbers = itertools.count()


@dataclass(frozen=True)
class Outcome:
    """What one answer to one exercise got: `problem` is None where every check passed."""

    exercise: str
    kind: str  # solution, mistake or alternative
    name: str
    problem: BaseException | None

    @property
    def as_wanted(self) -> bool:
        """Whether a mistake failed its checks, and anything else passed them."""
        return (self.problem is not None) == (self.kind == "mistake")

    @property
    def is_told(self) -> bool:
        """Whether what stopped it is one of our sentences, and no error of Python's."""
        return self.problem is None or isinstance(self.problem, check.Failed)


def run(lesson: Lesson) -> Iterator[Outcome]:
    """Try the solution of each exercise of `lesson`, its mistakes and its alternatives."""
    for exercise in lesson.exercises.values():
        yield Outcome(exercise.name, "solution", "", judge(lesson, exercise, exercise.answer))
        for variant in exercise.mistakes + exercise.alternatives:
            answer = exercise.solved_by(variant)
            problem = judge(lesson, exercise, answer)
            yield Outcome(exercise.name, variant.kind, variant.name, problem)


def judge(lesson: Lesson, exercise: Exercise, answer: str) -> BaseException | None:
    """Run the graded cell of `exercise` on `answer`, the other exercises solved.

    Returns what stopped it, or None. The random inputs are the same for each call.
    """
    check.seed(int(os.environ.get("COURSE_SEED", "0")))
    try:
        with one_thread():
            execute(exercise.test, notebook(lesson, exercise, answer))
    except Exception as problem:
        return problem
    return None


def notebook(lesson: Lesson, exercise: Exercise, answer: str) -> types.ModuleType:
    """The names that a student's kernel has before the graded cell of `exercise`.

    What `answer` raises passes through; widgets are left out.
    """
    made = types.ModuleType("__main__")
    for cell in lesson.cells:
        key = lessons.key_of(cell)
        given = cell.cell_type == "code" and key is None and "widgets." not in cell.source
        if key == "answer" and cell.metadata["answer"] == exercise.name:
            execute(answer, made)
            break
        if given or key == "answer":
            execute(cell.source, made)
    return made


def execute(source: str, notebook: types.ModuleType) -> None:
    """Run a cell in a notebook's namespace."""
    # The source must be found again by `inspect`, as that of a notebook's cell is.
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    with contextlib.redirect_stdout(io.StringIO()):
        # Annotations are what they say, as in a notebook: this file's own `__future__` stays here.
        exec(compile(source, name, "exec", dont_inherit=True), notebook.__dict__)


def is_own(value: object, notebook: dict[str, object]) -> bool:
    """Whether `value` is a function written in this notebook."""
    return isinstance(value, types.FunctionType) and value.__globals__ is notebook


def main() -> int:
    """Print what each answer of each lesson in ./lessons got; 1 where one is not as wanted."""
    wrong = 0
    for path in sorted(Path("lessons").glob("*.py")):
        print(path.stem)
        for outcome in run(lessons.read(path)):
            wrong += not outcome.as_wanted
            mark = "ok " if outcome.as_wanted else "NO "
            said = "" if outcome.problem is None else f"{outcome.problem}".splitlines()[0]
            print(f"{mark} {outcome.exercise:24} {outcome.kind:12} {outcome.name:28} {said[:150]}")
    print(f"{wrong} not as wanted, on {', '.join(check.devices())}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
