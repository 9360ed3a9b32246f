"""The rows of a gradebook that one assignment, and one submission of it, are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbgrader.api import Base
from sqlalchemy import Connection, Select, Table, case, func, select

Row = dict[str, Any]
Rows = dict[str, list[Row]]

_ASSIGNMENT = (
    "course", "assignment", "notebook", "base_cell", "grade_cells", "solution_cells",
    "task_cells", "source_cell",
)  # fmt: skip
# In an order in which they can be written: what is referred to comes first.
_SUBMISSION = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")


class ChangedMeanwhileError(Exception):
    """The gradebook has other rows for a submission than it was graded with."""


def table(name: str) -> Table:
    """nbgrader's table of that name."""
    return Base.metadata.tables[name]


def of_assignment(db: Connection, name: str) -> Rows:
    """What the gradebook has about an assignment; no row of `assignment` where there is none."""
    found: Rows = {}
    for part in _ASSIGNMENT:
        t = table(part)
        query = select(t)
        if part == "assignment":
            query = query.where(t.c.name == name)
        elif part == "notebook":
            query = query.where(t.c.assignment_id.in_(_ids(found, "assignment")))
        elif part in ("base_cell", "source_cell"):
            query = query.where(t.c.notebook_id.in_(_ids(found, "notebook")))
        elif part != "course":
            query = query.where(t.c.id.in_(_ids(found, "base_cell")))
        found[part] = _rows(db, query)
    return found


def of_submission(db: Connection, assignment_id: str, student: str, lock: bool = False) -> Rows:
    """What the gradebook has about a student's submission; `lock` keeps others from changing it."""
    found: Rows = {}
    for part in _SUBMISSION:
        t = table(part)
        query = select(t)
        if part == "student":
            query = query.where(t.c.id == student)
        elif part == "submitted_assignment":
            query = query.where(t.c.assignment_id == assignment_id, t.c.student_id == student)
        elif part == "submitted_notebook":
            query = query.where(t.c.assignment_id.in_(_ids(found, "submitted_assignment")))
        else:
            query = query.where(t.c.notebook_id.in_(_ids(found, "submitted_notebook")))
        found[part] = _rows(db, query.with_for_update() if lock else query)
    return found


def insert(db: Connection, rows: Rows) -> None:
    """Write rows that are not there yet."""
    for part, new in rows.items():
        if new:
            db.execute(table(part).insert(), new)


def replace(db: Connection, assignment_id: str, student: str, before: Rows, after: Rows) -> None:
    """Turn a submission's rows from `before` into `after`. Raises ChangedMeanwhileError."""
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("BEGIN IMMEDIATE")  # so that nobody writes between reading and writing
    if of_submission(db, assignment_id, student, lock=True) != before:
        raise ChangedMeanwhileError
    for part in _SUBMISSION:
        old = {row["id"]: row for row in before[part]}
        insert(db, {part: [row for row in after[part] if row["id"] not in old]})
        t = table(part)
        for row in after[part]:
            known = old.get(row["id"], row)
            changed = {key: value for key, value in row.items() if known[key] != value}
            if changed:
                db.execute(t.update().where(t.c.id == row["id"]).values(changed))


def ungraded(db: Connection, assignment_id: str) -> dict[str, int]:
    """By student with a submission: how many of its locked code cells have no score."""
    submitted, notebook = table("submitted_assignment"), table("submitted_notebook")
    grade, cell, source = table("grade"), table("base_cell"), table("source_cell")
    missing = case((source.c.locked & grade.c.auto_score.is_(None), 1), else_=0)
    query = (
        select(submitted.c.student_id, func.sum(missing))
        .join(notebook, notebook.c.assignment_id == submitted.c.id)
        .join(grade, grade.c.notebook_id == notebook.c.id)
        .join(cell, cell.c.id == grade.c.cell_id)
        .join(
            source,
            (source.c.notebook_id == cell.c.notebook_id)
            & (source.c.name == cell.c.name)
            & (source.c.cell_type == "code"),
        )
        .where(submitted.c.assignment_id == assignment_id)
        .group_by(submitted.c.student_id)
    )
    return {student: int(count) for student, count in db.execute(query)}


def _rows(db: Connection, query: Select) -> list[Row]:
    found = [dict(row) for row in db.execute(query).mappings()]
    return sorted(found, key=lambda row: str(row["id"]))


def _ids(found: Rows, part: str) -> list[str]:
    return [row["id"] for row in found[part]]


def scores(assignment: Rows, submission: Rows) -> Iterator[tuple[str, float | None]]:
    """The automatic scores of a submission, by the names of its graded cells."""
    names = {row["id"]: row["name"] for row in assignment["base_cell"]}
    for row in submission["grade"]:
        yield names[row["cell_id"]], row["auto_score"]
