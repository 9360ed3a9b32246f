"""A student in a real JupyterLab: run, play, solve, validate, save."""

import json
import re
import shutil

import pytest
from labpage import LabPage
from labserver import Server
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.xdist_group("browser-student")
NOTEBOOK = "work/01_activations/01_activations.ipynb"
ANSWER = "return g(x @ w + b)"


@pytest.fixture(autouse=True)
def released_notebook(server: Server) -> None:
    """The notebook as it was handed out, whatever an earlier test did to it."""
    shutil.copy(
        server.root / "release" / "01_activations" / "01_activations.ipynb", server.root / NOTEBOOK
    )


def test_running_all_stops_at_the_first_exercise_and_says_what_to_write(lab: LabPage):
    lab.open(NOTEBOOK)
    lab.run_all()
    errors = lab.page.locator('.jp-OutputArea-output[data-mime-type$="stderr"]')
    expect(errors).to_have_count(1)
    expect(errors).to_contain_text("NotImplementedError: neuron: return g of the weighted sum")
    expect(errors).not_to_contain_text("NameError")
    expect(lab.page.locator(".jp-CodeCell", has=errors)).to_contain_text("neuron(x, w, -1.0")
    errors.click()
    expect(errors).to_be_in_viewport(ratio=1)
    lab.picture("student-first-exercise")


def test_a_slider_moved_from_the_keyboard_changes_picture_and_caption(lab: LabPage):
    lab.open(NOTEBOOK)
    lab.run(lab.cell("import torch.nn.functional"))
    panel = lab.run(lab.cell("widgets.activations.tower()")).locator(".course-panel")
    picture, caption = panel.locator(".course-picture"), panel.locator(".course-caption")
    expect(caption).to_contain_text(re.compile(r"\d"))
    shown, said, address = picture.screenshot(), caption.inner_text(), picture.get_attribute("src")

    slider = panel.locator("input[type=range]").first
    slider.focus()
    lab.page.keyboard.press("ArrowRight")

    expect(caption).not_to_have_text(said)
    expect(picture).not_to_have_attribute("src", address or "")
    assert picture.screenshot() != shown
    expect(slider).to_be_focused()


def test_a_point_dragged_with_the_mouse_takes_the_picture_along(lab: LabPage):
    lab.open(NOTEBOOK)
    lab.run(lab.cell("import torch.nn.functional"))
    panel = lab.run(lab.cell("widgets.activations.neuron()")).locator(".course-panel")
    expect(panel.locator(".course-caption")).to_contain_text("3 of 4 points lie on their side")
    point = panel.locator(".course-handle").first
    shown = panel.screenshot()

    x, y = middle(point)
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    lab.page.mouse.move(x + 60, y + 40, steps=6)
    lab.page.mouse.up()
    expect(point).to_be_focused()
    assert middle(point) == pytest.approx((x + 60, y + 40), abs=1)
    assert panel.screenshot() != shown

    dropped = point.get_attribute("aria-label") or ""
    lab.page.keyboard.press("ArrowLeft")
    expect(point).not_to_have_attribute("aria-label", dropped)
    assert middle(point)[0] < x + 60
    lab.picture("student-notebook")


def middle(shape: Locator) -> tuple[float, float]:
    """Where on the screen the middle of a shape is."""
    box = shape.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_an_exercise_is_solved_tested_validated_and_saved(lab: LabPage):
    lab.open(NOTEBOOK)
    lab.run(lab.cell("import torch.nn.functional"))
    answer, test = lab.cell("def neuron("), lab.cell("neuron(x, w, -1.0")

    lab.retype(answer, "raise NotImplementedError", "return g(x @ w)")
    assert lab.run(answer).count() == 0
    failed = lab.run(test)
    expect(failed).to_contain_text("by hand, the first row", ignore_case=True)
    expect(failed).not_to_contain_text("Traceback")
    lab.picture("student-check-fails")

    lab.retype(answer, "return g(x @ w)", ANSWER)
    assert lab.run(answer).count() == 0
    expect(lab.run(test)).to_contain_text("All checks in this cell passed")
    lab.picture("student-check-passes")

    done = lab.run(lab.cell("course.progress()"))
    expect(done).to_contain_text("1 of 13 exercises pass their visible checks")
    expect(done.locator("tr", has_text="passes its visible checks")).to_have_count(1)
    lab.picture("student-progress")

    lab.save()
    saved = json.loads((lab.server.root / NOTEBOOK).read_text())
    assert any(ANSWER in "".join(cell["source"]) for cell in saved["cells"])

    lab.page.get_by_role("button", name="Validate").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("The following cell failed")
    expect(dialog).to_contain_text("collapse: return one (W, b)")
    expect(dialog).not_to_contain_text("neuron(x, w, -1.0")  # which passes now
    lab.picture("student-validate")
