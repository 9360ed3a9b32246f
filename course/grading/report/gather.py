"""What there is to know of a graded assignment: the gradebook's marks and the judge's verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment

from course.build import BuildError


@dataclass(frozen=True)
class Answer:
    """One student's answer to one exercise, and what the judge said of it.

    `state` is right, partly, wrong, unwritten, stopped (it took too long, or Python ended) or
    manual (no verdict of the judge's). `print` is the same for answers that gave the same results.
    """

    exercise: str
    score: float
    points: float
    state: str
    told: str = ""
    on: str = ""
    mistake: str = ""
    hint: str = ""
    print: str = ""
    source: str = ""


@dataclass(frozen=True)
class Submission:
    """A graded submission: `score` is in points, before the `penalty` for being late."""

    student: str
    score: float
    points: float
    penalty: float
    seconds_late: float
    answers: dict[str, Answer] = field(default_factory=dict)


def gather(root: Path, db_url: str, assignment: str) -> list[Submission]:
    """All graded submissions of `assignment`, by student.

    Raises BuildError where nothing has been graded yet.
    """
    with Gradebook(db_url) as gradebook:
        try:
            rows = gradebook.assignment_submissions(assignment)
        except MissingEntry:
            rows = []
        # An extension makes a row for somebody who has not handed in yet.
        graded = root / "autograded"
        found = [
            _submission(root, r) for r in rows if (graded / r.student_id / assignment).is_dir()
        ]
    if not found:
        raise BuildError(
            f"Nothing of {assignment} has been graded yet: run `course autograde {assignment}`."
        )
    return sorted(found, key=lambda s: s.student)


def _submission(root: Path, row: SubmittedAssignment) -> Submission:
    answers: dict[str, Answer] = {}
    for notebook in row.notebooks:
        folder = root / "autograded" / row.student_id / row.name
        cells = _cells(folder / f"{notebook.name}.ipynb")
        place = {name: i for i, name in enumerate(cells)}
        for grade in sorted(notebook.grades, key=lambda g: place.get(g.name, len(place))):
            name = grade.name.removeprefix("test-")
            told = _told(cells.get(grade.name, {}))
            source = _source(cells.get(name, {}))
            # A score by hand counts in place of the judge's.
            score, points = float(grade.score or 0), float(grade.max_score or 0)
            answers[name] = _answer(name, score, points, told, source)
    return Submission(
        student=row.student_id,
        score=sum(a.score for a in answers.values()),
        points=sum(a.points for a in answers.values()),
        penalty=float(sum(n.late_submission_penalty or 0 for n in row.notebooks)),
        seconds_late=float(row.total_seconds_late),
        answers=answers,
    )


def _cells(path: Path) -> dict[str, dict[str, Any]]:
    """The cells that nbgrader knows by their names. Read as JSON: a class has hundreds of these."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the marks are in the gradebook, and count without it
    marked = ((c, c.get("metadata", {}).get("nbgrader", {})) for c in notebook.get("cells", []))
    return {mark["grade_id"]: cell for cell, mark in marked if "grade_id" in mark}


def _told(cell: dict[str, Any]) -> dict[str, Any]:
    outputs: Iterator[dict[str, Any]] = (o.get("metadata", {}) for o in cell.get("outputs", []))
    return next((o["course"] for o in outputs if "course" in o), {})


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _answer(name: str, score: float, points: float, told: dict[str, Any], source: str) -> Answer:
    if score >= points:
        state = "right"
    elif not told:
        state = "manual"
    elif told.get("blank"):
        state = "unwritten"
    elif told.get("stopped"):
        state = "stopped"
    else:
        state = "partly" if score > 0 else "wrong"
    known = {k: str(told.get(k, "")) for k in ("told", "on", "mistake", "hint", "print")}
    return Answer(name, score, points, state, source=source, **known)
