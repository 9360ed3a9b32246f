"""All that grading leaves behind, in a form in which two courses can be compared."""

import json
from pathlib import Path
from typing import Any

from nbgrader.api import Base
from small_course import Course
from sqlalchemy import create_engine, select

Row = dict[str, Any]


def gradebook(url: str) -> dict[str, list[str]]:
    """Every table's rows, with each random id replaced by what it stands for, in order."""
    engine = create_engine(url)
    with engine.connect() as db:
        found = {
            table.name: [dict(row) for row in db.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    by_id = {(name, row["id"]): row for name, rows in found.items() for row in rows}
    # A cell's row in a table of its kind has the id of its row in the table of all cells.
    told = {name: [_told(name, row, by_id) for row in rows] for name, rows in found.items()}
    return {name: sorted(rows) for name, rows in told.items()}


def _told(name: str, row: Row, by_id: dict[tuple[str, str], Row]) -> str:
    said = {}
    for column in Base.metadata.tables[name].columns:
        value = row[column.name]
        refers = next(iter(column.foreign_keys), None)
        if refers is not None and value is not None:
            target = refers.column.table.name
            said[column.name] = _told(target, by_id[target, value], by_id)
        elif column.name != "id" or name in ("student", "course"):
            said[column.name] = repr(value)
    return json.dumps(said, sort_keys=True)


def graded(root: Path) -> dict[str, tuple[int, Any]]:
    """Every file below `autograded/` with its permissions; of notebooks all but times of day."""
    found = {}
    for path in sorted((root / "autograded").rglob("*")):
        name = path.relative_to(root / "autograded").as_posix()
        if path.is_file() and not name.startswith("."):
            content = path.read_bytes()
            if path.suffix == ".ipynb":
                content = _timeless(content)
            found[name] = (path.stat().st_mode, content)
    return found


def _timeless(content: bytes) -> bytes:
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
    # As it was written: the order of keys, and every other byte, still count.
    return json.dumps(notebook, indent=1, ensure_ascii=False).encode()


def everything(course: Course) -> tuple[dict, dict]:
    """The graded files of a course, and its own gradebook."""
    return graded(course.root), gradebook(f"sqlite:///{course.root}/gradebook.db")
