"""An instructor and a student on one server: hand out, hand in, grade, give back."""

import getpass
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from labpage import LabPage
from playwright.sync_api import FrameLocator, Locator, expect

pytestmark = pytest.mark.xdist_group("browser-instructor")
NAME = "01_activations"
RIGHT = {"neuron": "return g(x @ w + b)"}
WRONG = {"sigmoid_prime": "s = torch.sigmoid(torch.sigmoid(z)); return s * (1 - s)"}


def assignment(frame: FrameLocator) -> Locator:
    """The assignment's row in formgrader's list of them."""
    return frame.locator("tr", has=frame.locator("td.name", has_text=NAME))


def press(frame: FrameLocator, action: str, wanted: str, row: Locator | None = None) -> None:
    """Press formgrader's button in a column, read that it went well, and close the message."""
    (row or assignment(frame)).locator(f"td.{action} a").click()
    message = frame.locator(".modal.in")
    expect(message).to_be_visible(timeout=120_000)
    assert wanted in message.inner_text()
    message.get_by_role("button", name="OK").click()
    expect(frame.locator(".modal, .modal-backdrop")).to_have_count(0)  # they fade


def test_an_assignment_goes_out_comes_in_is_graded_and_goes_back(lab: LabPage):
    lab.page.set_viewport_size({"width": 1500, "height": 900})
    lab.page.goto(lab.server.url("lab"))

    formgrader = lab.formgrader()
    press(formgrader, "assign", "Successfully created the student version")
    press(formgrader, "release", "Successfully released")
    expect(assignment(formgrader).locator("td.status")).to_have_text("released")
    lab.picture("instructor-formgrader")

    hand_in(lab)

    lab.page.get_by_role("tab", name="Formgrader").click()
    press(formgrader, "collect", "Successfully collected")
    expect(assignment(formgrader).locator("td.num-submissions")).to_have_text("1")
    sample_class(lab.server.root)
    assignment(formgrader).get_by_role("link", name="1", exact=True).click()
    expect(formgrader.locator("td.student-id")).to_have_count(5)
    student = getpass.getuser()
    row = formgrader.locator("tr", has=formgrader.locator("td.student-id", has_text=student))
    expect(row.locator("td.status")).to_have_text("needs autograding")
    press(formgrader, "autograde", "Successfully autograded", row)
    expect(row.locator("td.score")).to_have_text("1 / 22")
    lab.picture("instructor-submissions")

    read_submission(lab, formgrader)
    give_back(lab, formgrader, student)


def sample_class(root: Path) -> None:
    """Four more submissions."""
    command = ["sample-class", NAME, "--students", "4"]
    subprocess.run([sys.executable, "-m", "course.cli", *command], cwd=root, check=True)


def hand_in(lab: LabPage) -> None:
    """Fetch the assignment, write one answer into it, submit it: by the buttons of the list."""
    work = lab.server.root / "work" / NAME
    shutil.rmtree(work)  # put there by `make lab`: without it the list offers to fetch
    lab.menu("Nbgrader", "Assignment List")
    lab.page.get_by_role("button", name="Fetch").click()
    submit = lab.page.get_by_role("button", name="Submit")
    expect(submit).to_be_visible()
    solve(work / f"{NAME}.ipynb")
    submit.click()
    expect(lab.page.locator("#submitted_assignments_list")).to_contain_text(NAME)
    lab.picture("student-assignment-list")


def solve(notebook: Path) -> None:
    """Write one right answer into a notebook, and one that is wrong in a known way."""
    text = notebook.read_text()
    for name, answer in (RIGHT | WRONG).items():
        stub = (
            rf'raise NotImplementedError\(\\"{name}: .*?\\"\)'  # with quotes as they stand in JSON
        )
        text, stubs = re.subn(stub, answer, text)
        assert stubs == 1
    notebook.write_text(text)


def read_submission(lab: LabPage, formgrader: FrameLocator) -> None:
    """Look at the graded submission where an instructor can comment and change its points."""
    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.locator("td.name a", has_text=NAME).click()
    expect(formgrader.get_by_text("Avg. Code Score")).to_be_visible()  # a table of its notebooks
    formgrader.locator("td.name a", has_text=NAME).click()
    formgrader.locator("td.name a", has_text="Submission #1").click()
    expect(formgrader.locator("input#test-neuron")).to_have_attribute("placeholder", "1")
    expect(formgrader.locator("input#test-collapse")).to_have_attribute("placeholder", "0")
    expect(formgrader.locator("#collapse-comment")).to_be_editable()
    formgrader.locator("input#test-collapse").scroll_into_view_if_needed()
    lab.picture("instructor-manual-grading")
    formgrader.get_by_role("link", name="Manual Grading").click()


def give_back(lab: LabPage, formgrader: FrameLocator, student: str) -> None:
    """Write the feedback, release it, and read the page that the student gets."""
    formgrader.get_by_role("link", name="Manage Assignments").click()
    press(formgrader, "generate-feedback", "Successfully generated feedback")
    press(formgrader, "release-feedback", "Successfully released feedback")
    lab.page.goto(lab.server.url(f"files/feedback/{student}/{NAME}/{NAME}.html"))
    expect(lab.page.locator("body")).to_contain_text("1 of 22 points")
    expect(lab.page.locator("body")).to_contain_text("Recognised: sigmoid twice")
    expect(lab.page.locator("body")).to_contain_text("collapse is not written yet")
    lab.page.set_viewport_size({"width": 1100, "height": 1150})
    lab.picture("student-feedback")
