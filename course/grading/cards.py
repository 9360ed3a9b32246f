"""What the feedback page says of each exercise: points, what failed, what to think about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task

from course.grading import notes
from course.grading.intake import released

_HEADING = re.compile(r"^#+ +(.+?)(?:\s+·\s+[●○]{3}.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Card:
    """One graded cell in words; `state` is right, wrong or unwritten."""

    name: str
    title: str
    score: float
    points: float
    state: str
    told: str
    on: str
    mistake: str
    hint: str
    answer: str
    comment: str

    @property
    def manual(self) -> bool:
        """Whether there is no verdict of the judge's: an answer in words, or a task."""
        return not self.told and self.state == "wrong"


class Cards(NbGraderPreprocessor):
    """Collects the cards of a graded notebook into `resources["cards"]`, for the page's template.

    Stands in `c.GenerateFeedback.preprocessors`, after `GetGrades`.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read the verdicts, scores and comments off the cells of `nb`."""
        ids = resources["nbgrader"]
        # From what was handed out, not from what came back: that may have lost its headings.
        heading, titles = _titles(
            released(self.parent.parent.coursedir, ids["assignment"])[ids["notebook"]]
        )
        answers = {c.metadata.nbgrader.grade_id: c for c in nb.cells if is_solution(c)}
        graded = [cell for cell in nb.cells if is_grade(cell) or is_task(cell)]
        by_title = {titles.get(name, ""): cell for name, cell in answers.items()}
        resources["cards"] = [
            _card(cell, title, by_title.get(title))
            for cell in graded
            for title in [titles.get(cell.metadata.nbgrader.grade_id, "")]
        ]
        resources["notes"] = next((c.source for c in nb.cells if c.get("id") == notes.ID), "")
        resources["heading"] = heading or ids["notebook"]
        return nb, resources


def _titles(release: NotebookNode) -> tuple[str, dict[str, str]]:
    """The first heading of a notebook, and the last one before each cell that nbgrader knows."""
    first, title, titles = "", "", {}
    for cell in release.cells:
        if cell.cell_type == "markdown" and (found := _HEADING.findall(cell.source)):
            first, title = first or found[0], found[-1]
        if "nbgrader" in cell.metadata:
            titles[cell.metadata.nbgrader.grade_id] = title
    return first, titles


def _card(cell: NotebookNode, title: str, answer: NotebookNode | None) -> Card:
    mark = cell.metadata.nbgrader
    told: dict[str, Any] = next(
        (
            o.metadata["course"]
            for o in cell.get("outputs", [])
            if "course" in o.get("metadata", {})
        ),
        {},
    )
    score, points = float(mark.get("score") or 0), float(mark.get("points") or 0)
    state = "right" if score >= points else ("unwritten" if told.get("blank") else "wrong")
    own = answer if answer is not None else cell
    comment = str(own.metadata.nbgrader.get("comment") or mark.get("comment") or "")
    return Card(
        name=mark.grade_id,
        title=title or mark.grade_id,
        score=score,
        points=points,
        state=state,
        told="" if told.get("passed") else str(told.get("told", "")),
        on=str(told.get("on", "")),
        mistake=str(told.get("mistake", "")).replace("-", " "),
        hint=str(told.get("hint", "")),
        answer=own.source if is_solution(own) else "",
        comment="" if comment == "No response." else comment,  # nbgrader's; the state says so
    )
