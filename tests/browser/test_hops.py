"""The message-passing stepper in a browser: mouse and keys choose nodes, and layers go by."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course.widgets.gnn import stepper

pytestmark = pytest.mark.xdist_group("browser-widgets")


@pytest.fixture
def panel(lab: LabPage) -> Locator:
    """The stepper, shown by a kernel."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    cells = ["from course import widgets", "widgets.gnn.hops()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "hops.ipynb")
    lab.open("work/hops.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab.run(lab.cell("gnn.hops()")).locator(".course-panel")


def says(panel: Locator, state: dict, layer: int, node: int) -> None:
    """The stepper says of this layer and node what Python says of them."""
    want = stepper.compute(state)["told"][layer][node]
    expect(panel.locator(".course-caption")).to_have_text(want)


def button(panel: Locator, name: str) -> Locator:
    return panel.get_by_role("button", name=name, exact=True)


def test_every_preset_steps_through_its_layers(panel: Locator):
    for preset in stepper.PRESETS:
        state = preset["state"]
        button(panel, preset["name"]).click()
        says(panel, state, 0, state["node"])
        expect(button(panel, preset["name"])).to_have_attribute("aria-pressed", "true")
        for layer in range(1, state["layers"] + 1):
            button(panel, "step").click()
            says(panel, state, layer, state["node"])
        button(panel, "back").click()
        says(panel, state, state["layers"] - 1, state["node"])


def test_mouse_and_keys_choose_a_node(panel: Locator):
    state = next(p["state"] for p in stepper.PRESETS if p["name"] == "a chain")
    button(panel, "a chain").click()
    says(panel, state, 0, 6)
    panel.locator(".course-member").nth(3).click()
    says(panel, state, 0, 3)
    network = panel.locator(".course-network")
    network.focus()
    network.press("ArrowLeft")
    says(panel, state, 0, 2)
    network.press("ArrowRight")
    says(panel, state, 0, 3)
    network.press("Enter")
    says(panel, state, 1, 3)


def test_play_ends_with_the_last_layer_and_messages_fly(panel: Locator):
    state = stepper.PRESETS[0]["state"]
    button(panel, "play").click()
    expect(panel.locator(".course-message").first).to_be_attached()
    expect(button(panel, "pause")).to_be_visible()
    expect(button(panel, "play")).to_be_visible()
    says(panel, state, state["layers"], state["node"])


def test_another_aggregator_is_computed_in_python(panel: Locator):
    state = stepper.PRESETS[0]["state"] | {"how": "mean"}
    panel.get_by_role("combobox").select_option("mean")
    button(panel, "step").click()
    says(panel, state, 1, state["node"])
