"""A course whose students are the attacks: built, handed in, graded, and its feedback written."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
from bank import LESSON, Submission
from small_course import Course

from course import build
from course import lesson as lessons
from course.lesson import Lesson

NAME = "90_attacked"
# Planted where no student may look: in tests, solutions, mistakes, and the grader's environment.
CANARIES = re.compile(r"CANARY-(comment|message|solution|mistake|token)|canary_\w+|7319\.25")
# Short times, for an attack that only waits is the same after 6 seconds as after 60.
SETTINGS = """
c.Execute.timeout = 8
c.Judge.question_seconds = 6
c.Judge.most_restarts = 4
"""


@dataclass(frozen=True)
class Outcome:
    """What one submission came to: points by exercise, and what its author gets to see."""

    scores: dict[str, float | None]
    page: str
    outputs: str

    @property
    def told(self) -> str:
        """The sentences below its graded cells."""
        return " | ".join(re.findall(r'"told": "([^"]+)"', self.outputs))


def prepare(
    root: Path, folder: Path, submissions: list[Submission], settings: str = SETTINGS
) -> Course:
    """A course in `folder`, like that in `root`, with these handed in."""
    course = Course(folder, root)
    shutil.copy(LESSON, folder / "lessons" / f"{NAME}.py")
    build.build(folder, [NAME])
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(settings)
    course.env |= {
        "COURSE_TEST_TOKEN": "CANARY-token",
        # What an attack leaves in the settings of IPython stays in this folder in any case.
        "IPYTHONDIR": str(folder / "ipython"),
    }
    # ipykernel prints in another way where it finds itself under pytest.
    course.env.pop("PYTEST_CURRENT_TEST", None)
    lesson, release = spoken(), course.released(NAME)
    for one in submissions:
        one.hand_in(course.hand_in(one.student, NAME), NAME, release, lesson)
    return course


def grade(course: Course) -> dict[str, Outcome]:
    """Grade all that was handed in, by one run of nbgrader's commands; by student."""
    course.nbgrader("autograde", NAME)
    course.nbgrader("generate_feedback", NAME)
    return {
        student: Outcome(scores, course.page(student, NAME), _outputs(course, student))
        for student, scores in course.scores(NAME).items()
    }


def spoken() -> Lesson:
    """The lesson that the attacks are made on."""
    return lessons.read(LESSON)


def _outputs(course: Course, student: str) -> str:
    path = course.root / "autograded" / student / NAME / f"{NAME}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    return json.dumps([cell.outputs for cell in cells if cell.cell_type == "code"])
