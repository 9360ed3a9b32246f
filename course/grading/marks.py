"""`course marks`: points in the files that Canvas and Moodle import.

Each format is an nbgrader exporter, so `nbgrader export --exporter=course.grading.marks.Canvas`
writes the same. What a student can choose (a name, an e-mail address) is made harmless to
spreadsheets; what an LMS finds a student by is written as it is, or refused.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.api import Assignment, Grade, Gradebook, Student, SubmittedAssignment
from nbgrader.api import SubmittedNotebook as Notebook
from nbgrader.plugins import ExportPlugin
from sqlalchemy import case, func
from traitlets import Enum

from course import build
from course.build import BuildError
from course.grading.settings import course_directory

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), also in the
# wide forms of East Asian keyboards, and before it what it would skip.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass
class Mark:
    """What one student has for one assignment; points after the penalty, never below 0."""

    points: float
    before_penalty: float
    penalty: float
    when: datetime | None
    by_hand: bool  # something still waits for a human grader


def plain(text: str | None) -> str:
    """A text as a cell of a table: on one line, and never a formula."""
    said = " ".join(_CONTROL.sub(" ", text or "").split())
    # Moodle reads a table with PHP's fgetcsv, for which \" does not end a field.
    said = said.replace("\\", "/")
    return f"'{said}" if _FORMULA.match(said) else said


def registered(student: Student) -> str:
    """What the university's register, and so the LMS, calls a student; the account without that."""
    return kept(student.lms_user_id or student.id)


def kept(name: str) -> str:
    """A student's id, unchanged. BuildError where an LMS or a spreadsheet would not keep it so."""
    if name != plain(name):
        raise BuildError(
            f"The student {name!r} can't be exported: an id must not begin with = + - or @, nor "
            "have line breaks, backslashes or spaces around it."
        )
    return name


def number(points: float) -> str:
    """Points with two decimals at most, which is what Canvas and Moodle show."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


class Marks(ExportPlugin):
    """What all formats have in common."""

    missing = Enum(
        ("blank", "0"), default_value="blank", help="What stands for work that was not handed in."
    ).tag(config=True)

    no_mark = ""

    def export(self, gradebook: Gradebook) -> dict[str, dict[str, Mark]]:
        """Write the file `to`, readable by its owner alone; returns the marks by assignment and id.

        BuildError where there is nothing to write, or an id that would not arrive as it is.
        """
        path = self.to or "grades.csv"
        chosen = self._assignments(gradebook)
        students = [s for s in gradebook.students if not self.student or s.id in self.student]
        marks = {assignment.name: _marks(gradebook, assignment) for assignment in chosen}
        rows = list(self.rows(chosen, students, marks))
        # With a byte order mark, without which Excel garbles names; Canvas and Moodle take it.
        with open(path, "w", encoding="utf-8-sig", newline="", opener=_private) as file:
            csv.writer(file).writerows(rows)
        return marks

    def rows(
        self,
        assignments: list[Assignment],
        students: list[Student],
        marks: dict[str, dict[str, Mark]],
    ) -> Iterator[list[str]]:
        """The table, line by line, from marks by assignment and student's id."""
        raise NotImplementedError

    def shown(self, mark: Mark | None) -> str:
        """A mark as it stands in the table."""
        if mark is None:
            return "0" if self.missing == "0" else self.no_mark
        return number(mark.points)

    def _assignments(self, gradebook: Gradebook) -> list[Assignment]:
        """Those asked for; without any, those of which something is graded."""
        wanted = [str(name) for name in self.assignment]
        known = {assignment.name: assignment for assignment in gradebook.assignments}
        if unknown := sorted(set(wanted) - set(known)):
            raise BuildError(f"The gradebook has no {unknown[0]}.")
        names = wanted or [name for name in known if _marks(gradebook, known[name])]
        if not names:
            raise BuildError("Nothing is graded yet.")
        return [known[name] for name in sorted(set(names))]


def _marks(gradebook: Gradebook, assignment: Assignment) -> dict[str, Mark]:
    """Who handed in what, by student; summed up by the database, which nbgrader's own sums are not.

    With those a class of 300 takes 10 s: each is a query of its own, through a table with no index.
    """
    found = gradebook.db.query(
        SubmittedAssignment.id, SubmittedAssignment.student_id, SubmittedAssignment.timestamp
    ).filter(SubmittedAssignment.assignment_id == assignment.id)
    notebooks = (
        gradebook.db.query(Notebook.assignment_id, func.sum(Notebook.late_submission_penalty))
        .join(SubmittedAssignment, SubmittedAssignment.id == Notebook.assignment_id)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
        .group_by(Notebook.assignment_id)
    )
    penalties = {submission: penalty or 0.0 for submission, penalty in notebooks}
    grades = (
        gradebook.db.query(
            Notebook.assignment_id,
            func.sum(Grade.score),
            func.count(Grade.auto_score) + func.count(Grade.manual_score),
            func.sum(case((Grade.needs_manual_grade, 1), else_=0)),
        )
        .join(Grade, Grade.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedAssignment.id == Notebook.assignment_id)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
        .group_by(Notebook.assignment_id)
    )
    points = {submission: rest for submission, *rest in grades}
    marks = {}
    for submission, student, when in found:
        score, graded, by_hand = points.get(submission, (0.0, 0, 0))
        if when is None and not graded:
            continue  # an extension alone makes an entry too
        penalty = penalties.get(submission, 0.0)
        marks[student] = Mark(max(0.0, score - penalty), score, penalty, when, bool(by_hand))
    return marks


class Csv(Marks):
    """The columns of nbgrader's own export, a line for each student and assignment."""

    def rows(
        self,
        assignments: list[Assignment],
        students: list[Student],
        marks: dict[str, dict[str, Mark]],
    ) -> Iterator[list[str]]:
        """As `Marks.rows`."""
        yield [
            "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
            "raw_score", "late_submission_penalty", "score", "max_score",
        ]  # fmt: skip
        for assignment in assignments:
            for student in students:
                mark = marks[assignment.name].get(student.id)
                yield [
                    plain(assignment.name),
                    str(assignment.duedate or ""),
                    str((mark and mark.when) or ""),
                    kept(student.id),
                    plain(student.last_name),
                    plain(student.first_name),
                    plain(student.email),
                    number(mark.before_penalty) if mark else self.shown(None),
                    number(mark.penalty) if mark else self.shown(None),
                    self.shown(mark),
                    number(assignment.max_score),
                ]


class Canvas(Marks):
    """Canvas's gradebook import: a column for each assignment, points possible in the second line.

    Canvas looks for a student by `ID` (a number of its own, which we don't know), then by
    `SIS User ID`, then by `SIS Login ID`; the register's id may be either of these two.
    """

    def rows(
        self,
        assignments: list[Assignment],
        students: list[Student],
        marks: dict[str, dict[str, Mark]],
    ) -> Iterator[list[str]]:
        """As `Marks.rows`."""
        about = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        yield [*about, *(plain(a.name) for a in assignments)]
        # Canvas writes it with these spaces.
        yield ["    Points Possible", "", "", "", "", *(number(a.max_score) for a in assignments)]
        for student in students:
            yield [
                _name(student),
                "",
                registered(student),
                registered(student),
                "",
                *(self.shown(marks[a.name].get(student.id)) for a in assignments),
            ]


class Moodle(Marks):
    """Moodle's grade import: the first line names the columns, which are mapped while importing."""

    no_mark = "-"  # as Moodle's own export; an empty cell would be a grade in a new item

    def rows(
        self,
        assignments: list[Assignment],
        students: list[Student],
        marks: dict[str, dict[str, Mark]],
    ) -> Iterator[list[str]]:
        """As `Marks.rows`."""
        yield [
            "First name", "Last name", "ID number", "Email address",
            *(plain(a.name) for a in assignments),
        ]  # fmt: skip
        for student in students:
            yield [
                plain(student.first_name),
                plain(student.last_name),
                registered(student),
                plain(student.email),
                *(self.shown(marks[a.name].get(student.id)) for a in assignments),
            ]


def _name(student: Student) -> str:
    """Last name, first name; the id where there is none, or Canvas would read it otherwise."""
    parts = (plain(student.last_name), plain(student.first_name))
    said = plain(", ".join(part for part in parts if part))
    return kept(student.id) if not said or "points possible" in said.lower() else said


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


FORMATS = {"canvas": Canvas, "moodle": Moodle, "csv": Csv}


def main(root: Path, options: argparse.Namespace) -> int:
    """Run the command: write the file, and say what Canvas and Moodle have to be told."""
    kind, path = options.to
    if kind not in FORMATS:
        raise BuildError(f"There is no format {kind}: take canvas, moodle or csv.")
    if bool(options.assignments) == options.all:
        raise BuildError("Name the assignments, or take --all that are graded.")
    for name in options.assignments:
        build.lesson_path(root, name)
    settings = course_directory(root)
    exporter = FORMATS[kind](to=path, assignment=options.assignments, missing=options.missing)
    with Gradebook(options.db or settings.db_url, settings.course_id) as gradebook:
        for assignment, marks in exporter.export(gradebook).items():
            points = number(gradebook.find_assignment(assignment).max_score)
            by_hand = sum(mark.by_hand for mark in marks.values())
            waiting = f", {by_hand} still to be graded by hand" if by_hand else ""
            print(f"{assignment}: {len(marks)} handed in, {points} points{waiting}")
    print(f"Written to {path}.")
    return 0
