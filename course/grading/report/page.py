"""The report as one HTML page that needs no network, and as tables for a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course.grading.formulas import markdown2html
from course.grading.report.copies import Pair
from course.grading.report.figures import Item, Pattern
from course.grading.report.gather import Submission
from course.grading.report.result import Result

_TEMPLATES = Path(__file__).parent.parent / "templates" / "report"
_FORMATTER = HtmlFormatter(nowrap=False)


def write(result: Result, folder: Path) -> Path:
    """Write `folder/report.html` and the tables beside it; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    page.write_text(_page(result), encoding="utf-8")
    _table(folder / "students.csv", _STUDENTS, map(_student, result.submissions))
    _table(folder / "exercises.csv", Item.__dataclass_fields__, map(_item, result.items))
    _table(folder / "mistakes.csv", _MISTAKES, map(_mistake, result.known + result.unknown))
    _table(folder / "alike.csv", Pair.__dataclass_fields__, map(_pair, result.pairs))
    return page


def _page(result: Result) -> str:
    # Everything that comes from a submission is escaped; our own sentences are Markdown.
    made = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    made.filters |= {"prose": _prose, "code": _code, "percent": lambda x: f"{100 * x:.0f} %"}
    return made.get_template("report.html.j2").render(
        r=result, css=_FORMATTER.get_style_defs(".highlight")
    )


def _prose(text: str) -> str:
    return Markup(markdown2html({}, text)) if text else ""


def _code(source: str) -> str:
    return Markup(highlight(source, PythonLexer(), _FORMATTER))


def _table(path: Path, head: Any, rows: Any) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:  # Excel looks for the mark
        writer = csv.writer(file)
        writer.writerow(list(head))
        writer.writerows([_plain(value) for value in row] for row in rows)


def _plain(value: Any) -> Any:
    """A cell that a spreadsheet takes for no formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


_STUDENTS = ("student", "score", "penalty", "points", "hours late", "right", "wrong", "unwritten")


def _student(s: Submission) -> list[Any]:
    states = [answer.state for answer in s.answers.values()]
    wrong = sum(state in ("wrong", "partly", "stopped") for state in states)
    late = round(s.seconds_late / 3600, 2)
    right, blank = states.count("right"), states.count("unwritten")
    return [s.student, s.score, s.penalty, s.points, late, right, wrong, blank]


def _item(item: Item) -> list[Any]:
    return list(vars(item).values())


_MISTAKES = ("exercise", "mistake", "students", "told")


def _mistake(p: Pattern) -> list[Any]:
    return [p.exercise, p.name or "not in the catalogue", len(p.students), p.says]


def _pair(pair: Pair) -> list[Any]:
    return list(vars(pair).values())
