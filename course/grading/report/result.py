"""All that a report says, worked out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat

from course import build
from course.grading.report import copies, figures, gather
from course.grading.report.copies import Pair
from course.grading.report.figures import Item, Pattern
from course.grading.report.gather import Answer, Submission


@dataclass(frozen=True)
class Result:
    """A class's results in one assignment; see `figures` and `copies` for what they mean."""

    assignment: str
    submissions: list[Submission]
    items: list[Item]
    known: list[Pattern]
    unknown: list[Pattern]
    pairs: list[Pair]

    @property
    def distribution(self) -> list[tuple[str, int]]:
        """How many students got how many points."""
        return figures.distribution(self.submissions)

    @property
    def mean(self) -> float:
        """Mean mark in points, penalties taken off."""
        return sum(s.score - s.penalty for s in self.submissions) / len(self.submissions)

    @property
    def median(self) -> float:
        """Middle mark in points, penalties taken off."""
        marks = sorted(s.score - s.penalty for s in self.submissions)
        middle = len(marks) // 2
        return marks[middle] if len(marks) % 2 else (marks[middle - 1] + marks[middle]) / 2

    @property
    def most(self) -> float:
        """Points there are."""
        return max(s.points for s in self.submissions)

    @property
    def late(self) -> list[Submission]:
        """Who handed in late, the latest first."""
        return sorted(
            (s for s in self.submissions if s.seconds_late > 0), key=lambda s: -s.seconds_late
        )

    @property
    def stopped(self) -> list[tuple[str, Answer]]:
        """Answers that took too long, or ended Python, with their student."""
        return [
            (s.student, a)
            for s in self.submissions
            for a in s.answers.values()
            if a.state == "stopped"
        ]


def work_out(root: Path, db_url: str, assignment: str) -> Result:
    """The result of `assignment`. Raises BuildError where nothing of it has been graded."""
    submissions = gather.gather(root, db_url, assignment)
    sources = {s.student: _written(s) for s in submissions}
    return Result(
        assignment=assignment,
        submissions=submissions,
        items=figures.items(submissions),
        known=figures.known_mistakes(submissions),
        unknown=figures.unknown_mistakes(submissions),
        pairs=copies.pairs(sources, _given(root, assignment)),
    )


def _written(submission: Submission) -> str:
    """A student's answers one after the other; stubs say nothing of who wrote them."""
    written = (a.source for a in submission.answers.values() if a.state != "unwritten")
    return "\n\n".join(written)


def _given(root: Path, assignment: str) -> str:
    """The code that all students start from."""
    path = build.notebook_path(root, "release", assignment)
    if not path.is_file():
        return ""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
