"""`course check-grader`: every catalogued answer, handed in for real and graded for real."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from course import build, lesson
from course.grading import catalogue
from course.grading.catalogue import UNTOUCHED, Answer
from course.lesson import Lesson

Bundle = dict[str, Answer]


@dataclass(frozen=True)
class Row:
    """What one answer got: `named` is the mistake that the feedback says it is, if any."""

    exercise: str
    answer: Answer
    passed: bool
    named: str
    told: str

    @property
    def problem(self) -> str:
        """What is wrong about it, or nothing."""
        if self.answer.right:
            return "" if self.passed else f"wrongly failed: {self.told}"
        if self.passed:
            return "not caught"
        if self.answer.kind == "mistake" and self.named != self.answer.name:
            return f"named {self.named!r}" if self.named else f"not named: {self.told}"
        return ""


def inspect(root: Path, name: str, workers: int = 2) -> list[Row]:
    """Grade every solution, mistake, alternative and stub of lesson `name` with nbgrader.

    Independent answers share a submission; each worker grades its own copy of the course.
    """
    spoken = lesson.read(build.lesson_path(root, name))
    bundles = list(bundled(spoken))
    with tempfile.TemporaryDirectory(prefix="check-grader-") as folder:
        courses = [Path(folder) / str(n) for n in range(min(workers, len(bundles)))]
        shares = [bundles[n :: len(courses)] for n in range(len(courses))]
        with (
            tqdm(total=len(bundles), unit="submission", disable=None) as progress,
            ThreadPoolExecutor(len(courses)) as pool,
        ):

            def grade(course: Path, share: list[Bundle]) -> list[Row]:
                return _grade(root, course, spoken, share)

            working = [pool.submit(grade, *job) for job in zip(courses, shares, strict=True)]
            while not all(job.done() for job in working):
                progress.n = sum(1 for _ in Path(folder).glob(f"*/autograded/*/{name}"))
                progress.refresh()
                time.sleep(0.2)
            return [row for job in working for row in job.result()]


def bundled(spoken: Lesson) -> Iterator[Bundle]:
    """Submissions that hold each catalogued answer once, where nothing it builds on is wrong.

    What a mistake builds on is the lesson's own, for it is to be told by its results.
    """
    waiting: list[tuple[str, Answer]] = []
    for exercise in spoken.exercises.values():
        answers = [*catalogue.mistakes(exercise), *catalogue.alternatives(exercise), UNTOUCHED]
        waiting += [(exercise.name, answer) for answer in answers]
    yield {name: catalogue.solution(e) for name, e in spoken.exercises.items()}
    while waiting:
        bundle: Bundle = {}
        left = []
        for name, answer in waiting:
            if name not in bundle and _fits(spoken, bundle, name, answer):
                bundle[name] = answer
            else:
                left.append((name, answer))
        waiting = left
        yield bundle


def _fits(spoken: Lesson, bundle: Bundle, name: str, answer: Answer) -> bool:
    together = {**bundle, name: answer}
    wrong = {n for n, a in together.items() if not a.right}
    # A long training on another right answer rounds otherwise, and ends elsewhere.
    other = {n for n, a in together.items() if a.kind == "alternative"}
    return not any(
        _needs(spoken, together, n) & ((wrong | other if n in wrong else wrong) - {n})
        for n in together
    )


def _needs(spoken: Lesson, bundle: Bundle, name: str) -> set[str]:
    """The exercises whose functions the answer to `name` uses, and those that these use."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        exercise = spoken.exercises[waiting.pop()]
        answer = bundle.get(exercise.name) or catalogue.solution(exercise)
        new = catalogue.needs(spoken, exercise, answer) - found
        found |= new
        waiting += new
    return found


def _together(spoken: Lesson, bundle: Bundle) -> Bundle:
    """The bundle with what it builds on. The rest stays as released: to grade it takes time."""
    used = set().union(*(_needs(spoken, bundle, name) for name in bundle)) - set(bundle)
    return {**bundle, **{n: catalogue.solution(spoken.exercises[n]) for n in used}}


def _grade(root: Path, course: Path, spoken: Lesson, share: list[Bundle]) -> list[Row]:
    """Hand in each bundle of `share` in a course folder made for it, and have them graded."""
    name = spoken.name
    course.mkdir()
    shutil.copytree(root / "lessons", course / "lessons")
    shutil.copy(root / "nbgrader_config.py", course)
    (course / ".course-secret").write_bytes(b"as in every check")  # the same inputs each time
    build.build(course, [name])
    for number, bundle in enumerate(share):
        notebook = nbformat.read(build.notebook_path(course, "release", name), as_version=4)
        cells = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in notebook.cells}
        for exercise, answer in _together(spoken, bundle).items():
            if answer.source is not None:
                cells[exercise].source = answer.source
        folder = course / "submitted" / f"s{number}" / name
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    build.nbgrader(course, "autograde", name)
    rows = []
    for number, bundle in enumerate(share):
        path = course / "autograded" / f"s{number}" / name / f"{name}.ipynb"
        graded = nbformat.read(path, as_version=4)
        rows += [_row(graded, exercise, answer) for exercise, answer in bundle.items()]
    return rows


def _row(graded: NotebookNode, exercise: str, answer: Answer) -> Row:
    cell = next(c for c in graded.cells if c.id == f"test-{exercise}")
    told = next(o.metadata["course"] for o in cell.outputs if "course" in o.get("metadata", {}))
    return Row(exercise, answer, told["passed"], told["mistake"], told["told"])


def main(root: Path, options: argparse.Namespace) -> int:
    """Run `course check-grader`: print the table; 1 where an answer was judged or named wrongly."""
    status = 0
    for name in options.lessons or build.names(root):
        rows = inspect(root, name, options.workers)
        print(table(name, rows))
        status |= any(row.problem for row in rows)
    return status


def table(name: str, rows: list[Row]) -> str:
    """The rows by exercise, in figures, and a line for each that is not as it should be."""
    lines = [f"{name:28} {'caught':>9} {'named':>9} {'passed':>9}"]
    for exercise in dict.fromkeys(row.exercise for row in rows):
        own = [row for row in rows if row.exercise == exercise]
        wrong = [row for row in own if not row.answer.right]
        mistakes = [row for row in own if row.answer.kind == "mistake"]
        right = [row for row in own if row.answer.right]
        figures = [
            (sum(not r.passed for r in wrong), len(wrong)),
            (sum(r.named == r.answer.name for r in mistakes), len(mistakes)),
            (sum(r.passed for r in right), len(right)),
        ]
        said = [f"{n} of {total}" for n, total in figures]
        lines.append(f"{exercise:28} {said[0]:>9} {said[1]:>9} {said[2]:>9}")
    lines += [f"{r.exercise}, {r.answer}: {r.problem}" for r in rows if r.problem]
    return "\n".join(lines)
