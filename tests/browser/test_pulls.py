"""Attention as pulls in a browser: its arithmetic is Python's, and hand and keys move it."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course.widgets.attention import plane

pytestmark = pytest.mark.xdist_group("browser-widgets")
MINE = """
def kernel_attention(q, k, v, kernel, mask):
    weights = kernel(q, k)
    return weights @ v / weights.sum(-1, keepdim=True)

from course import widgets
"""


@pytest.fixture
def panel(lab: LabPage) -> Locator:
    """The widget with a function that forgets the mask, shown by a kernel."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    cells = [MINE, "widgets.attention.pulls(kernel_attention)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "pulls.ipynb")
    lab.open("work/pulls.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab.run(lab.cell("attention.pulls(")).locator(".course-panel")


def says(panel: Locator, **state) -> None:
    """The widget says of this state what Python says of it."""
    want = plane.caption(plane.compute(state))
    expect(panel.locator(".course-caption")).to_contain_text(want)


def test_every_preset_with_every_kernel_is_as_in_python(panel: Locator):
    for preset in plane.PRESETS:
        for name in plane.KERNELS:
            panel.get_by_role("button", name=preset["name"], exact=True).click()
            panel.get_by_label("kernel ").select_option(name)
            says(panel, **{**preset["state"], "kernel": name})


def test_keys_move_query_keys_and_values_and_hide_a_key(panel: Locator):
    state = plane.PRESETS[0]["state"]
    panel.get_by_role("button", name="near", exact=True).click()
    query = panel.get_by_role("button", name="query", exact=True)
    query.focus()
    query.press("ArrowRight")
    query.press("Shift+ArrowUp")
    state = {**state, "q": [round(state["q"][0] + 0.1, 2), round(state["q"][1] + 0.5, 2)]}
    says(panel, **state)
    value = panel.get_by_role("button", name="value 2", exact=True)
    value.focus()
    value.press("ArrowLeft")  # values are the keys here: key 2 goes along
    moved = [list(point) for point in state["keys"]]
    moved[1] = [round(moved[1][0] - 0.1, 2), moved[1][1]]
    state = {**state, "keys": moved, "values": moved}
    says(panel, **state)
    expect(panel.locator(".course-caption")).to_contain_text("lands on the star")
    key = panel.get_by_role("button", name="key 5", exact=True)
    key.focus()
    key.press("m")
    state = {**state, "seen": [True, True, True, True, False]}
    says(panel, **state)
    expect(panel.locator(".course-caption")).to_contain_text("is off the star by")
    panel.get_by_role("button", name="key 5: hidden").click()
    expect(panel.locator(".course-caption")).to_contain_text("lands on the star")


def test_the_hand_drags_the_query_far_away_and_the_nearest_key_takes_all(panel: Locator):
    panel.get_by_role("button", name="near", exact=True).click()
    panel.get_by_role("slider", name="θ").fill("1.5")
    query = panel.get_by_role("button", name="query", exact=True)
    box, stage = query.bounding_box(), panel.locator(".course-stage").first.bounding_box()
    assert box
    assert stage
    mouse = panel.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(stage["x"] + stage["width"] + 40, stage["y"] + stage["height"] / 2, steps=6)
    mouse.up()
    expect(panel.locator(".course-caption")).to_contain_text("key 3 100 %")
    expect(panel.get_by_role("button", name="key 3: 100 %")).to_be_visible()
