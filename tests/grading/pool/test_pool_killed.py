"""Killed at any moment, does it go on where it was: nothing lost, nothing graded twice?"""

import signal
from collections.abc import Callable, Iterator

import ledger
import pytest
from running import STUDENTS, Leftovers, Running, copies, more_than
from small_course import SMALL, Course

pytestmark = pytest.mark.xdist_group("pool killed")

COMMAND = ("course.cli", "autograde", SMALL, "--workers", "2")


@pytest.fixture
def leftovers() -> Iterator[Leftovers]:
    """What a command leaves outside the course folder."""
    with Leftovers() as found:
        yield found


def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(
    slow_class: Course,
    reference: Course,
    copy_of: Callable[[Course], Course],
    leftovers: Leftovers,
) -> None:
    course = copy_of(slow_class)
    course.env["TMPDIR"] = leftovers.folder

    # nbgrader itself leaves half a copy, which is no copy to us.
    running = Running(course, "nbgrader", "autograde", SMALL)
    running.until(more_than(course, 0))  # that of the first is there, and is being run
    running.send(signal.SIGKILL)
    leftovers.forget()
    half = copies(course)
    assert len(half) == 1

    # Ctrl-C, while another command asks to grade the same.
    running = Running(course, *COMMAND)
    running.until(lambda: bool(running.workers()))
    refused = course.course("autograde", SMALL, fails=True)
    assert f"{SMALL} is being graded by another command." in refused
    running.until(lambda: len(copies(course).items() - half.items()) > 0)
    status, said = running.send(signal.SIGINT)
    assert status == 130, said
    assert "Stopped. What was graded is kept" in said
    assert "Traceback" not in said
    assert leftovers.found() == []
    first = dict(copies(course).items() - half.items())
    assert 0 < len(first) < len(STUDENTS)

    # SIGKILL.
    running = Running(course, *COMMAND)
    running.until(more_than(course, len(first | half)))
    running.send(signal.SIGKILL)
    assert leftovers.found() == []
    second = dict(copies(course).items() - half.items())
    assert len(second) < len(STUDENTS)

    # A worker is killed while it starts, and then one that grades, whose work another takes over.
    running = Running(course, *COMMAND)
    running.until(lambda: bool(running.workers()))
    running.workers()[0].kill()
    running.until(lambda: bool(running.grading()))
    running.grading()[0].kill()
    status, said = running.end()
    assert status == 0, said
    assert f"0 failed, {len(second)} graded before" in said
    assert leftovers.found() == []

    # What was graded was not graded again.
    assert copies(course).items() >= (first | second).items()
    assert ledger.everything(course) == ledger.everything(reference)
