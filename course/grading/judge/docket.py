"""What is asked in one submission: its questions, their seeds, and the lesson they come from."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from course import lesson as lessons
from course.lesson import Exercise, Lesson, LessonError

_SECRET = ".course-secret"


@dataclass(frozen=True)
class Docket:
    """The graded cells of a notebook as the gradebook has them, by grade id."""

    questions: dict[str, str]
    points: dict[str, float]
    lesson: Lesson | None
    submission: str
    secret: bytes

    def seed(self, grade_id: str) -> int:
        """Where the random inputs of a question start: the same for the same submission, always."""
        return self._drawn(f"{self.submission}/{grade_id}")

    def class_seed(self, grade_id: str) -> int:
        """The same for all submissions: for inputs on which their answers can be compared."""
        return self._drawn(f"all/{grade_id}")

    def _drawn(self, said: str) -> int:
        digest = hmac.new(self.secret, said.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:7], "big")

    def asked(self, grade_id: str) -> str:
        """A digest of all that a verdict depends on, beside the submission: what to grade anew."""
        exercise = self.exercise(grade_id)
        known = [(m.name, m.source) for m in exercise.mistakes] if exercise else []
        answer = exercise.answer if exercise else ""
        said = json.dumps([self.questions[grade_id], self.points[grade_id], answer, known])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def exercise(self, grade_id: str) -> Exercise | None:
        """The exercise that a graded cell belongs to, where its lesson is here."""
        exercises = self.lesson.exercises if self.lesson else {}
        return exercises.get(grade_id.removeprefix("test-"))


def load(coursedir: Any, ids: dict[str, str]) -> Docket:
    """The docket of the submission `ids` (nbgrader's resources: student, assignment, notebook)."""
    with Gradebook(ids["db_url"]) as gradebook:
        notebook = gradebook.find_notebook(ids["notebook"], ids["assignment"])
        points = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
        questions = {
            cell.name: cell.source
            for cell in notebook.source_cells
            if cell.name in points and cell.locked and cell.cell_type == "code"
        }
    folder = coursedir.format_path(coursedir.submitted_directory, ids["student"], ids["assignment"])
    when = coursedir.get_existing_timestamp(folder)
    submission = f"{ids['student']}/{ids['assignment']}/{ids['notebook']}/{when}"
    root = Path(coursedir.root)
    return Docket(questions, points, _lesson(root, ids["notebook"]), submission, secret(root))


def _lesson(root: Path, name: str) -> Lesson | None:
    path = root / "lessons" / f"{name}.py"
    return _parsed(path.read_text(encoding="utf-8"), name) if path.is_file() else None


@lru_cache(maxsize=8)
def _parsed(text: str, name: str) -> Lesson | None:
    """The lesson, read once for a whole class."""
    try:
        return lessons.parse(text, name)
    except LessonError:
        return None  # it is being edited: grades come from the gradebook, names of mistakes don't


def secret(root: Path) -> bytes:
    """The course's secret, made on first use and readable by its owner alone."""
    path = root / _SECRET
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    made = secrets.token_bytes(32)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
    return made
