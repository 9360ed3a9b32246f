"""Courses in which a class has handed in, and copies of them to grade."""

import itertools
import shutil
from collections.abc import Callable

import damage
import pytest
from running import STUDENTS
from small_course import SMALL, Course

from course.grading.judge import docket

FILE = f"{SMALL}.ipynb"


@pytest.fixture(scope="session")
def handed_in(new_course: Callable[..., Course]) -> Course:
    """A class with nothing graded yet: right, wrong, late, broken and missing notebooks."""
    course = new_course(SMALL)
    with (course.root / "nbgrader_config.py").open("a") as settings:
        settings.write("c.LatePolicy.per_day = 0.2\n")
    course.nbgrader("generate_assignment", SMALL)
    course.nbgrader("db", "assignment", "add", SMALL, "--duedate=2026-01-12 10:00 UTC")
    right = damage.solved(course.released(SMALL))
    wrong = damage.solved(course.released(SMALL))
    damage.cell(wrong, "double").source = "def double(z):\n    return z * 3"
    deleted = damage.solved(course.released(SMALL))
    damage.remove("test-half")(deleted)
    for student, name, content in (
        ("right", FILE, damage.text_of(right)),
        ("wrong", FILE, damage.text_of(wrong)),
        ("deleted", FILE, damage.text_of(deleted)),
        ("late", FILE, damage.text_of(right)),
        ("renamed", "My work.ipynb", damage.text_of(right)),
        ("broken", FILE, b"\x89PNG\r\n\x00\xff"),
        ("nothing", "notes.txt", b"later"),
        ("O'Neil (2)", FILE, damage.text_of(course.released(SMALL))),
    ):
        (course.hand_in(student, SMALL) / name).write_bytes(content)
    submitted = course.root / "submitted"
    (submitted / "late" / SMALL / "timestamp.txt").write_text("2026-01-13 09:00:00 UTC")
    (submitted / "wrong" / SMALL / "timestamp.txt").unlink()
    more = submitted / "right" / SMALL / "data" / "numbers.csv"
    more.parent.mkdir()
    more.write_text("1,2\n")
    docket.secret(course.root)  # the same hidden inputs in all copies
    return course


@pytest.fixture(scope="session")
def copy_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Course], Course]:
    """Copies a course, with the ids in its gradebook and its secret."""
    numbers = itertools.count()

    def copy(course: Course) -> Course:
        root = tmp_path_factory.mktemp(f"copy-{next(numbers)}") / "course"
        shutil.copytree(course.root, root, symlinks=True)
        made = Course.__new__(Course)
        made.root = root
        places = {k: v.replace(str(course.root), str(root)) for k, v in course.env.items()}
        made.env = places
        return made

    return copy


@pytest.fixture(scope="session")
def slow_class(new_course: Callable[..., Course]) -> Course:
    """A class whose notebooks take a while, so that there is a moment to kill in."""
    course = new_course(SMALL)
    course.nbgrader("generate_assignment", SMALL)
    notebook = damage.solved(course.released(SMALL))
    damage.append("double", "\nimport time\ntime.sleep(2.5)")(notebook)
    for student in STUDENTS:
        (course.hand_in(student, SMALL) / f"{SMALL}.ipynb").write_bytes(damage.text_of(notebook))
    docket.secret(course.root)
    return course


@pytest.fixture(scope="session")
def reference(slow_class: Course, copy_of: Callable[[Course], Course]) -> Course:
    """The class graded by nbgrader, with nothing killed."""
    course = copy_of(slow_class)
    course.nbgrader("autograde", SMALL)
    return course
