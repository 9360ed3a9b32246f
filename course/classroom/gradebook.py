"""Puts the class into the gradebook: `python -m course.classroom.gradebook`, by the instructor.

Reads the people as JSON from standard input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nbgrader.api import Gradebook

from course.grading.settings import course_directory


def put(db_url: str, people: list[dict[str, str]]) -> None:
    """Add students, or bring up to date what is known of them."""
    with Gradebook(db_url) as gradebook:
        for person in people:
            # The last word is taken for the family name: for sorting, nothing depends on it.
            first, _, last = person["name"].rpartition(" ")
            gradebook.update_or_create_student(
                person["account"],
                first_name=first,
                last_name=last,
                email=person["email"],
                lms_user_id=person["id"],
            )


if __name__ == "__main__":
    put(course_directory(Path.cwd()).db_url, json.load(sys.stdin))
