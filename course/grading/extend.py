"""`course extend`: a later deadline for one student."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from course import build
from course.build import BuildError
from course.grading.settings import course_directory


def extend(db_url: str, assignment: str, student: str, by: timedelta) -> str:
    """Move the deadline of `assignment` for `student`, counted from everybody's; 0 takes it back.

    Returns a sentence that says until when. Raises BuildError for an assignment without a deadline
    or a length below 0.
    """
    if by < timedelta(0):
        raise BuildError("An extension is a time of 0 or more.")
    with Gradebook(db_url) as gradebook:
        try:
            due = gradebook.find_assignment(assignment).duedate
        except MissingEntry:
            due = None
        if due is None:
            raise BuildError(
                f"{assignment} has no deadline. Set one first: "
                f"nbgrader db assignment add {assignment} --duedate='2027-01-31 23:59 UTC'"
            )
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(assignment, student)
        gradebook.grant_extension(assignment, student, minutes=by.total_seconds() / 60)
    if not by:
        return f"{student} hands in {assignment} by {due:%Y-%m-%d %H:%M} UTC, as everybody does."
    return f"{student} may hand in {assignment} until {due + by:%Y-%m-%d %H:%M} UTC."


def main(root: Path, options: argparse.Namespace) -> int:
    """Run the command; what was graded already needs a regrade to lose its penalty."""
    build.lesson_path(root, options.assignment)
    by = timedelta(days=options.days, hours=options.hours)
    db_url = course_directory(root).db_url
    print(extend(db_url, options.assignment, options.student, by))
    if (root / "autograded" / options.student / options.assignment).is_dir():
        print(
            "It was graded already. To count penalties anew: "
            f"nbgrader autograde {options.assignment} --student={options.student} --force"
        )
    return 0
