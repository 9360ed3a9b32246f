"""What the feedback page says of each exercise: points, what failed, what to think about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task

from course.grading import notes

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
        cards: list[Card] = []
        title, answers = nb.metadata.get("title", ""), {}
        for cell in nb.cells:
            if cell.cell_type == "markdown" and not cell.metadata.get("nbgrader"):
                found = _HEADING.findall(cell.source)
                title = found[-1] if found and cell.get("id") != notes.ID else title
            if is_solution(cell) and not is_grade(cell):
                answers[title] = cell
            if is_grade(cell) or is_task(cell):
                cards.append(_card(cell, title, answers.get(title)))
        resources["cards"] = cards
        resources["notes"] = next((c.source for c in nb.cells if c.get("id") == notes.ID), "")
        resources["heading"] = next(
            (
                m
                for c in nb.cells
                if c.get("id") != notes.ID
                for m in _HEADING.findall(c.source)[:1]
            ),
            resources["nbgrader"]["notebook"],
        )
        return nb, resources


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
