"""Does handing in late cost what the settings say, and nothing with an extension?"""

from collections.abc import Callable

import damage
import nbformat
import pytest
from nbgrader.api import Gradebook
from small_course import SMALL, Course

from course import cli

pytestmark = pytest.mark.xdist_group("round")

# Due at 9:00 on the 12th; handed in at:
CLASS = {
    "on-time": "2026-01-12 09:00:00 UTC",
    "grace": "2026-01-12 09:45:00 UTC",
    "same-day": "2026-01-12 12:00:00 UTC",
    "next-day": "2026-01-13 10:00:00 UTC",
    "weeks": "2026-02-12 09:00:00 UTC",
    "extended": "2026-01-13 10:00:00 UTC",
}


@pytest.fixture(scope="module")
def course(new_course: Callable[..., Course]) -> Course:
    """A class graded by a policy of a fifth a day, an hour's grace, half at most."""
    made = new_course(SMALL)
    with (made.root / "nbgrader_config.py").open("a") as settings:
        settings.write("c.LatePolicy.per_day = 0.2\n")
    made.nbgrader("generate_assignment", SMALL)
    made.nbgrader("db", "assignment", "add", SMALL, "--duedate=2026-01-12 09:00 UTC")
    for student, when in CLASS.items():
        folder = made.hand_in(student, SMALL)
        nbformat.write(damage.solved(made.released(SMALL)), folder / f"{SMALL}.ipynb")
        (folder / "timestamp.txt").write_text(when)
    return made


def penalties(course: Course) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        return {
            s.student_id: s.late_submission_penalty or 0.0
            for s in gradebook.assignment_submissions(SMALL)
        }


def test_a_share_a_day_after_the_grace_and_half_at_most(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course.root)
    # Before anything of this student's is there.
    assert cli.main(["extend", SMALL, "extended", "--days", "2"]) == 0
    assert "extended may hand in 90_small until 2026-01-14 09:00 UTC." in capsys.readouterr().out
    course.nbgrader("autograde", SMALL)
    assert penalties(course) == pytest.approx(
        {"on-time": 0, "grace": 0, "same-day": 0.6, "next-day": 1.2, "weeks": 1.5, "extended": 0}
    )

    assert cli.main(["extend", SMALL, "extended", "--days", "0"]) == 0
    assert "--force" in capsys.readouterr().out
    course.nbgrader("autograde", SMALL, "--student=extended", "--force")
    assert penalties(course)["extended"] == pytest.approx(1.2)


def test_an_extension_without_a_deadline_says_how_to_set_one(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course.root)
    assert cli.main(["extend", SMALL, "ada", "--days", "-1"]) == 1
    assert "0 or more" in capsys.readouterr().err
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.update_or_create_assignment(SMALL, duedate=None)
    assert cli.main(["extend", SMALL, "ada", "--days", "1"]) == 1
    assert "has no deadline" in capsys.readouterr().err
