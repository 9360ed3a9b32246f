"""An instructor and a student on one server: hand out, hand in, grade, give back."""

import shutil
from pathlib import Path

import pytest
from labpage import LabPage
from playwright.sync_api import FrameLocator, expect

pytestmark = pytest.mark.xdist_group("browser-instructor")
NAME = "01_activations"
STUB = 'raise NotImplementedError("neuron: return g of the weighted sum over the last dimension, plus the bias")'


def press(frame: FrameLocator, action: str, wanted: str) -> None:
    """Press formgrader's button in a column, read that it went well, and close the message."""
    frame.locator(f"td.{action} a").first.click()
    message = frame.locator(".modal.in")
    expect(message).to_contain_text(wanted, timeout=120_000)
    expect(message).not_to_contain_text("Traceback")
    message.get_by_role("button", name="OK").click()
    expect(message).to_have_count(0)


def test_an_assignment_goes_out_comes_in_is_graded_and_goes_back(lab: LabPage):
    lab.page.set_viewport_size({"width": 1500, "height": 900})
    lab.page.goto(lab.server.url("lab"))

    formgrader = lab.formgrader()
    press(formgrader, "assign", "Successfully created the student version")
    press(formgrader, "release", "Successfully released")
    expect(formgrader.locator("td.status")).to_have_text("released")
    lab.picture("instructor-formgrader")

    hand_in(lab)

    lab.page.get_by_role("tab", name="Formgrader").click()
    press(formgrader, "collect", "Successfully collected")
    expect(formgrader.locator("td.num-submissions")).to_have_text("1")
    formgrader.locator("td.num-submissions a").click()
    expect(formgrader.locator("td.status")).to_have_text("needs autograding")
    press(formgrader, "autograde", "Successfully autograded")
    expect(formgrader.locator("td.score")).to_have_text("1 / 22")
    lab.picture("instructor-submissions")


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
    """Write the first answer into a notebook."""
    text = notebook.read_text()
    stub = STUB.replace('"', '\\"')
    assert stub in text
    notebook.write_text(text.replace(stub, "return g(x @ w + b)"))
