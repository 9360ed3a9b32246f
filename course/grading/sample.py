"""`course sample-class`: a believable class of submissions, and what each of them should score."""

from __future__ import annotations

import argparse
import copy
import csv
import datetime
import hashlib
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course import build, lesson
from course.grading import catalogue
from course.grading.catalogue import UNTOUCHED, Answer
from course.lesson import Exercise, Lesson

# How the students of the class work, one after the other and then again: the part of the exercises
# they try, the part of these that they get wrong, whether they solve them in other ways than the
# lesson, and what happens to their file.
_CLASS = [
    ("all right", 1.0, 0.0, False, ""),
    ("one slip", 1.0, 0.1, True, ""),
    ("half done", 0.5, 0.0, False, ""),
    ("all right in other ways", 1.0, 0.0, True, ""),
    ("some wrong", 1.0, 0.4, True, ""),
    ("nothing done", 0.0, 0.0, False, ""),
    ("a cell deleted", 1.0, 0.0, False, "deleted"),
    ("mostly wrong", 1.0, 0.8, False, ""),
    ("half done, some wrong", 0.6, 0.4, True, ""),
    ("a wrong file name", 1.0, 0.2, False, "renamed"),
    ("a syntax error", 1.0, 0.0, True, "syntax"),
    ("not a notebook", 1.0, 0.0, False, "garbage"),
]


@dataclass(frozen=True)
class Expected:
    """What one answer of one student should score."""

    student: str
    exercise: str
    answer: str
    points: int
    max: int


def write_class(
    assignment: str, students: int, root: Path, seed: int = 0, force: bool = False
) -> list[Expected]:
    """Write `students` submissions to `root/submitted` and return what each exercise should score.

    The same seed gives the same answers. `submitted/expected-<assignment>.csv` holds the result.
    Raises BuildError where a submission is there already, unless `force`.
    """
    spoken = lesson.read(build.lesson_path(root, assignment))
    release = nbformat.read(build.notebook_path(root, "release", assignment), as_version=4)
    names = [f"student-{i + 1:02d}" for i in range(students)]
    _make_room(root, assignment, names, force)
    now = datetime.datetime.now(datetime.UTC)
    expected: list[Expected] = []
    for i, student in enumerate(names):
        rng = random.Random(f"{seed} {student}")
        _, tried, wrong, otherwise, fate = _CLASS[i % len(_CLASS)]
        answers = _answers(spoken, rng, tried, wrong, otherwise)
        folder = root / "submitted" / student / assignment
        folder.mkdir(parents=True)
        scored = _hand_in(folder / f"{assignment}.ipynb", release, answers, fate, rng)
        (folder / "timestamp.txt").write_text(now.strftime("%Y-%m-%d %H:%M:%S.%f UTC"))
        # As `nbgrader submit` leaves it: release_feedback needs one.
        secret = hashlib.sha512(f"{seed} {student} {assignment}".encode()).hexdigest()
        (folder / "submission_secret.txt").write_text(secret)
        for exercise in spoken.exercises.values():
            points = exercise.points if exercise.name in scored else 0
            text = str(answers[exercise.name])
            expected.append(Expected(student, exercise.name, text, points, exercise.points))
    _save(_table(root, assignment), expected)
    return expected


def main(root: Path, options: argparse.Namespace) -> int:
    """Run `course sample-class`, print what each submission should score, and return 0."""
    if not 1 <= options.students <= 999:
        raise build.BuildError("A sample class has 1 to 999 students.")
    expected = write_class(options.assignment, options.students, root, options.seed, options.force)
    students = list(dict.fromkeys(e.student for e in expected))
    for i, student in enumerate(students):
        own = [e for e in expected if e.student == student]
        points, most = sum(e.points for e in own), sum(e.max for e in own)
        print(f"{student}  {points:3d} of {most}  {_CLASS[i % len(_CLASS)][0]}")
    print(
        f"Each answer: {_table(root, options.assignment).relative_to(root)}\n"
        f"Next: nbgrader autograde {options.assignment}"
    )
    return 0


def _answers(
    spoken: Lesson, rng: random.Random, tried: float, wrong: float, otherwise: bool
) -> dict[str, Answer]:
    """One student's answers: the first `tried` part of the exercises, and `wrong` of these wrong.

    An answer that builds on one that is wrong has no score that could be known, so none is chosen.
    """
    exercises = list(spoken.exercises.values())
    reached = exercises[: round(tried * len(exercises))]
    slips = max(1, round(wrong * len(reached))) if wrong else 0
    slipped = {e.name for e in rng.sample(reached, slips)}
    chosen: dict[str, Answer] = {}
    for exercise in exercises:
        right = {name for name, answer in chosen.items() if answer.right}
        candidates = [UNTOUCHED]
        if exercise in reached:
            candidates = _candidates(spoken, exercise, right, exercise.name in slipped, otherwise)
        chosen[exercise.name] = rng.choice(candidates)
    return chosen


def _candidates(
    spoken: Lesson, exercise: Exercise, right: set[str], slip: bool, otherwise: bool
) -> list[Answer]:
    solution = [catalogue.solution(exercise)]
    other = catalogue.alternatives(exercise)
    wanted = (
        [catalogue.mistakes(exercise)] if slip else [other, solution][:: 1 if otherwise else -1]
    )
    for answers in wanted:
        if known := catalogue.choose(answers, spoken, exercise, right):
            return known
    return [UNTOUCHED]


def _hand_in(
    path: Path, release: NotebookNode, answers: dict[str, Answer], fate: str, rng: random.Random
) -> set[str]:
    """Write the notebook with these answers; the exercises that should get their points."""
    notebook = copy.deepcopy(release)
    cells = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in notebook.cells}
    for name, answer in answers.items():
        if answer.source is not None:
            cells[name].source = answer.source
    scored = {name for name, answer in answers.items() if answer.right}
    if fate == "garbage":
        path.write_bytes(rng.randbytes(2_000))
        return set()
    if fate == "deleted":
        notebook.cells.remove(cells[f"test-{rng.choice(list(answers))}"])  # it will be put back
    if fate == "syntax":
        # The last exercise, since others may build on an earlier one.
        last = list(answers)[-1]
        cells[last].source += "\n\nprint('it works'"
        scored.discard(last)
    if fate == "renamed":
        path = path.with_name(f"Copy of {path.name}")
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return scored


def _make_room(root: Path, assignment: str, names: list[str], force: bool) -> None:
    table = _table(root, assignment)
    old = [e.student for e in read_expected(table)] if table.exists() else []
    folders = [root / "submitted" / name / assignment for name in dict.fromkeys([*names, *old])]
    there = [folder for folder in folders if folder.exists()]
    if there and not force:
        raise build.BuildError(
            f"{there[0].relative_to(root)} is there already: with --force the sample class takes "
            "its place."
        )
    for folder in there:
        shutil.rmtree(folder)


def read_expected(table: Path) -> list[Expected]:
    """What `write_class` left in `submitted/expected-<assignment>.csv`."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Expected(r["student"], r["exercise"], r["answer"], int(r["points"]), int(r["max"]))
        for r in rows
    ]


def _save(table: Path, expected: list[Expected]) -> None:
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "exercise", "answer", "points", "max"])
        writer.writerows([e.student, e.exercise, e.answer, e.points, e.max] for e in expected)


def _table(root: Path, assignment: str) -> Path:
    return root / "submitted" / f"expected-{assignment}.csv"
