"""Are the figures of a report those of the class? Worked out here once more from who wrote what."""

import csv
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from scipy.stats import pointbiserialr
from small_course import Course

from course import cli

pytestmark = pytest.mark.xdist_group("report")

NAME = "93_report"
STUDENTS = 120
EXERCISES = {"half": 1, "square": 2, "middle": 3, "last": 4}
DUE = datetime(2026, 1, 12, 9)

LESSON = """\
# %% [markdown]
# # A lesson to report on
#
# **Points** 10

# %%
import math
"""
for _name, _points, _right, _wrong in (
    ("half", 1, "z / 2", "z * 2"),
    ("square", 2, "z * z", "2 ** z"),
    ("middle", 3, "(z + 1) / 2", "z / 2 + 1"),
    ("last", 4, "z - int(z)", "z - round(z)"),
):
    LESSON += f'''
# %% [markdown]
# ## {_name.title()}  ·  ●○○ · 4 min · {_points} point{"s" if _points > 1 else ""}

# %% answer="{_name}"
def {_name}(z: float) -> float:
    """A number made of z."""
    ### BEGIN SOLUTION say how
    return {_right}
    ### END SOLUTION

# %% test="{_name}" points={_points}
check.true({_name}(3.75) == (lambda z: {_right})(3.75), "Not for 3.75")
### BEGIN HIDDEN TESTS
z = float(check.uniform(1.5, 7.5, 1))
check.true({_name}(z) == (lambda z: {_right})(z), "Not for all numbers")
### END HIDDEN TESTS

# %% mistake="{_name}" name="known-{_name}"
def {_name}(z):
    """You made the mistake of {_name}. Look once more."""
    return {_wrong}
'''

# What students write, by kind.
WAYS = {
    "right": {"half": "z / 2", "square": "z * z", "middle": "(z + 1) / 2", "last": "z - int(z)"},
    "known": {"half": "z * 2", "square": "2 ** z", "middle": "z / 2 + 1", "last": "z - round(z)"},
    "shared": dict.fromkeys(EXERCISES, "z + 100"),
}


@dataclass
class Student:
    """Who wrote what, and when it came in."""

    answers: dict[str, str] = field(default_factory=dict)
    hours_late: float = 0.0
    remark: str = ""

    def code(self, exercise: str, number: int) -> str:
        kind = self.answers[exercise]
        head = f"def {exercise}(z):\n    # {self.remark or 'mine'}\n"
        if kind == "alone":
            return head + f"    return z + {1000 * (number + 1)}"
        if kind == "hangs":
            return head + "    while True: pass"
        if kind == "dies":
            return head + "    import os; os._exit(0)"
        return head + f"    return {WAYS[kind][exercise]}"

    def points(self, exercise: str) -> int:
        return EXERCISES[exercise] if self.answers[exercise] == "right" else 0


def planned() -> list[Student]:
    """The class: the abler, the more is right; what is wrong is drawn from kinds of wrong."""
    rng = random.Random(3)
    students = []
    for number in range(STUDENTS):
        able = number / STUDENTS
        answers = {}
        for exercise in EXERCISES:
            wrong = rng.choice(["known", "known", "shared", "alone", "blank"])
            answers[exercise] = "right" if rng.random() < able else wrong
        late = rng.choice([0, 0, 0, 0, 5.5])
        students.append(Student(answers, late, f"by Student Number {number}"))
    students[7].answers["half"] = "hangs"
    students[9].answers["square"] = "dies"
    return students


# Two who wrote the same unusual thing, one with other names and spaces.
UNUSUAL = """
def helper(values):
    total, seen = 0.0, {}
    for place, value in enumerate(sorted(values, reverse=True)):
        if value in seen and place % 3 == 1:
            total = total * 0.5 + seen[value] ** 2
        elif not value > total or place << 2 == 8:
            seen[value] = [place, total, -value][place % 3] if place else 1
        else:
            total -= (value + place) // 7
    return {key: total - item for key, item in seen.items()}
"""
COPIED = UNUSUAL.replace("values", "xs").replace("total", "sum_").replace("seen", "dict_")


@pytest.fixture(scope="module")
def plan() -> list[Student]:
    return planned()


@pytest.fixture(scope="module")
def course(new_course: Callable[..., Course], plan: list[Student]) -> Course:
    made = new_course(NAME, LESSON)
    with (made.root / "nbgrader_config.py").open("a") as settings:
        settings.write("c.Judge.question_seconds = 2\nc.LatePolicy.per_day = 0.1\n")
    made.nbgrader("generate_assignment", NAME)
    made.nbgrader("db", "assignment", "add", NAME, f"--duedate={DUE} UTC")
    release = nbformat.writes(made.released(NAME))
    for number, student in enumerate(plan):
        notebook = nbformat.reads(release, as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in EXERCISES and student.answers[name] != "blank":
                cell.source = student.code(name, number)
                if name == "last" and number in (20, 40):
                    cell.source += UNUSUAL if number == 20 else COPIED
        folder = made.hand_in(name_of(number), NAME)
        nbformat.write(notebook, folder / f"{NAME}.ipynb")
        when = DUE + timedelta(hours=student.hours_late)
        (folder / "timestamp.txt").write_text(f"{when} UTC")
    made.course("autograde", NAME)
    return made


@pytest.fixture(scope="module")
def report(course: Course) -> Path:
    """The folder of the report."""
    course.course("report", NAME)
    return course.root / "reports" / NAME


def name_of(number: int) -> str:
    return f"s{number:03d}"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_facility_and_discrimination_are_those_of_the_plan(
    plan: list[Student], report: Path
) -> None:
    rows = {row["exercise"]: row for row in table(report / "exercises.csv")}
    assert list(rows) == list(EXERCISES)
    totals = [sum(s.points(name) for name in EXERCISES) for s in plan]
    for name, most in EXERCISES.items():
        own = [s.points(name) for s in plan]
        kinds = Counter(s.answers[name] for s in plan)
        rest = [total - points for total, points in zip(totals, own, strict=True)]
        expected = pointbiserialr([points > 0 for points in own], rest).statistic
        row = rows[name]
        assert float(row["discrimination"]) == pytest.approx(expected, abs=1e-9)
        assert float(row["facility"]) == pytest.approx(sum(own) / most / STUDENTS)
        assert int(row["right"]) == kinds["right"]
        assert int(row["wrong"]) == kinds["known"] + kinds["shared"] + kinds["alone"]
        assert int(row["unwritten"]) == kinds["blank"]
        assert int(row["stopped"]) == kinds["hangs"] + kinds["dies"]


def test_marks_and_penalties_are_those_of_the_plan(plan: list[Student], report: Path) -> None:
    rows = table(report / "students.csv")
    assert [row["student"] for row in rows] == [name_of(n) for n in range(STUDENTS)]
    for student, row in zip(plan, rows, strict=True):
        score = sum(student.points(name) for name in EXERCISES)
        assert float(row["score"]) == score
        assert float(row["penalty"]) == pytest.approx(0.1 * score if student.hours_late else 0)
        assert float(row["hours late"]) == student.hours_late


def test_mistakes_are_counted_and_what_no_mistake_explains_is_grouped(
    plan: list[Student], report: Path
) -> None:
    rows = table(report / "mistakes.csv")
    counted = {(row["exercise"], row["mistake"]): int(row["students"]) for row in rows}
    for name in EXERCISES:
        kinds = Counter(s.answers[name] for s in plan)
        assert counted.pop((name, f"known-{name}")) == kinds["known"]
        # All who wrote the same make one group; who stands alone makes none.
        assert counted.pop((name, "not in the catalogue")) == kinds["shared"]
    assert not counted
    assert len(rows) == 2 * len(EXERCISES)


def test_examples_are_anonymous_and_late_stopped_and_alike_are_listed(
    plan: list[Student], report: Path
) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "by Student Number" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)  # needs no network
    assert page.count(" hours,") == sum(s.hours_late > 0 for s in plan)
    assert "s007, <code>half</code>" in page
    assert "s009, <code>square</code>" in page
    (pair,) = table(report / "alike.csv")
    assert (pair["one"], pair["other"]) == ("s020", "s040")


def test_the_summary_says_the_most_important(course: Course) -> None:
    said = course.course("report", NAME)
    assert f"{NAME}: {STUDENTS} graded, mean" in said
    assert "Mistakes made most" in said
    assert "1 pair" in said


def test_nothing_graded_is_said_so(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.root / "lessons" / "94_none.py").write_text("")
    monkeypatch.chdir(course.root)
    assert cli.main(["report", "94_none"]) == 1
    assert "Nothing of 94_none has been graded yet" in capsys.readouterr().err
