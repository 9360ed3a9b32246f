"""The figures of a report, worked out of the answers: nothing here reads or writes a file."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from course.grading.report.gather import Answer, Submission

# A group of equal wrong answers is a candidate for the catalogue from so many on.
FEWEST = 2


@dataclass(frozen=True)
class Item:
    """One exercise in figures.

    `facility` is the mean share of its points, 0 to 1. `discrimination` is the correlation of its
    points with those of all other exercises, −1 to 1 (the corrected point-biserial coefficient;
    Lord and Novick, "Statistical Theories of Mental Test Scores", 1968); None where everybody, or
    nobody, got it. The counts are of students.
    """

    exercise: str
    points: float
    facility: float
    discrimination: float | None
    right: int
    partly: int
    wrong: int
    unwritten: int
    stopped: int
    manual: int


@dataclass(frozen=True)
class Pattern:
    """Students whose answers to one exercise went wrong in the same way.

    `name` is the catalogued mistake's, or empty where no mistake explains it; `says` is what the
    students were told; `example` is one answer, without comments and names.
    """

    exercise: str
    name: str
    says: str
    students: tuple[str, ...]
    example: str


def items(submissions: list[Submission]) -> list[Item]:
    """Facility and discrimination of each exercise, in the notebook's order."""
    names = list(dict.fromkeys(name for s in submissions for name in s.answers))
    table = np.array([[_points(s, name) for name in names] for s in submissions])
    most = {a.exercise: a.points for s in submissions for a in s.answers.values()}
    made = []
    for column, name in enumerate(names):
        own = table[:, column]
        states = Counter(s.answers[name].state for s in submissions if name in s.answers)
        made.append(
            Item(
                exercise=name,
                points=most[name],
                facility=float(own.mean() / most[name]) if most[name] else 1.0,
                discrimination=_correlation(own, table.sum(1) - own),
                right=states["right"],
                partly=states["partly"],
                wrong=states["wrong"],
                unwritten=states["unwritten"],
                stopped=states["stopped"],
                manual=states["manual"],
            )
        )
    return made


def _points(submission: Submission, exercise: str) -> float:
    answer = submission.answers.get(exercise)
    return answer.score if answer else 0.0


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    # Up to rounding: the rest of a class that got everything differs in the last bit.
    if np.ptp(one) < 1e-9 or np.ptp(other) < 1e-9:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def known_mistakes(submissions: list[Submission]) -> list[Pattern]:
    """The catalogue's mistakes that were made, the most frequent first."""
    return _patterns(submissions, lambda a: a.mistake, lambda a: (a.mistake, a.hint))


def unknown_mistakes(submissions: list[Submission]) -> list[Pattern]:
    """Wrong answers with equal results that no mistake explains, the largest groups first."""
    found = _patterns(submissions, lambda a: "" if a.mistake else a.print, lambda a: ("", a.told))
    return [p for p in found if len(p.students) >= FEWEST]


def _patterns(
    submissions: list[Submission],
    key: Callable[[Answer], str],
    said: Callable[[Answer], tuple[str, str]],
) -> list[Pattern]:
    groups: dict[tuple[str, str], list[tuple[str, Answer]]] = {}
    for submission in submissions:
        for answer in submission.answers.values():
            if answer.state in ("wrong", "partly", "stopped") and key(answer):
                group = groups.setdefault((answer.exercise, key(answer)), [])
                group.append((submission.student, answer))
    made = []
    for (exercise, _), group in groups.items():
        # The shortest says it most clearly.
        _, example = min(group, key=lambda one: len(one[1].source))
        name, says = said(example)
        students = tuple(student for student, _ in group)
        made.append(Pattern(exercise, name, says, students, anonymous(example.source)))
    return sorted(made, key=lambda p: (-len(p.students), p.exercise, p.name))


def anonymous(source: str) -> str:
    """Code without its comments and texts that stand alone, where people write their names.

    Code that can't be read as Python comes back as it is, less what follows a `#`.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(line.split("#")[0].rstrip() for line in source.splitlines())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A text standing alone is a docstring or a remark.
            kept = [n for n in body if not (isinstance(n, ast.Expr) and _is_text(n.value))]
            node.body = kept or ([ast.Pass()] if body else [])  # type: ignore[attr-defined]
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def distribution(submissions: list[Submission], bins: int = 10) -> list[tuple[str, int]]:
    """How many students got how many points, penalties taken off: (label, students).

    Bins are whole points wide, hold their lower edge, and the last one its upper too.
    """
    most = math.ceil(max(s.points for s in submissions))
    width = max(1, math.ceil(most / bins))
    edges = [*range(0, max(most, 1), width), max(most, 1)]
    marks = [max(s.score - s.penalty, 0.0) for s in submissions]
    counts, _ = np.histogram(marks, bins=edges)
    labels = [f"{low}–{high}" for low, high in pairwise(edges)]
    return [(label, int(count)) for label, count in zip(labels, counts, strict=True)]
