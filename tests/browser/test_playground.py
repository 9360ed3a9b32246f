"""The playground and the sheet for digits in a browser: hand and keys, and torch's arithmetic."""

import re

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course.widgets.cnn import paint

pytestmark = pytest.mark.xdist_group("browser-widgets")

NET = """
import torch
from torch import nn

class DigitsCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(108, 10)

    def forward(self, x):
        return self.head(self.features(x))

def fit(net, x, y):
    return net
"""


def shown(lab: LabPage, call: str) -> Locator:
    """The widget that `call` makes, shown by a kernel."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    cells = ["from course import widgets" + NET, call]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "cnn.ipynb")
    lab.open("work/cnn.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab.run(lab.cell(call)).locator(".course-panel")


def value_shown(panel: Locator) -> tuple[int, int, float]:
    """The pixel that the playground's sentence is about, and its sum, once all is drawn."""
    panel.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    said = panel.locator(".course-caption").inner_text()
    found = re.search(r"At row (\d+), column (\d+): .* = ([−\d.e]+)\.$", said)
    assert found, said
    return int(found[1]), int(found[2]), float(found[3].replace("−", "-"))


def is_torchs(panel: Locator, state: dict) -> None:
    """The sum that is shown is the one that torch makes."""
    i, j, value = value_shown(panel)
    assert value == pytest.approx(float(paint.compute(state)["result"][i, j]), abs=6e-3)


def test_the_playground_correlates_as_torch_does_under_hand_and_keys(lab: LabPage):
    panel = shown(lab, "widgets.cnn.playground()")
    photograph = panel.locator("canvas").first
    for preset in paint.PRESETS:
        panel.get_by_role("button", name=preset["name"]).click()
        expect(panel.get_by_role("combobox").first).to_have_value(preset["state"]["photo"])
        expect(panel).to_have_attribute("aria-busy", "false")
        photograph.focus()
        photograph.press("Shift+ArrowLeft")
        is_torchs(panel, preset["state"])

    state = paint.PRESETS[0]["state"]
    panel.get_by_role("button", name=paint.PRESETS[0]["name"]).click()
    weight = panel.get_by_label("weight in row 1, column 3")
    weight.press("Shift+ArrowUp")
    expect(weight).to_have_text("1")
    photograph.press("ArrowDown")
    weights = [0, 0, 1, 1, 0, -1, 0, 0, 0]
    is_torchs(panel, state | {"weights": [float(w) for w in weights]})

    box = panel.get_by_label("weight in row 3, column 1").bounding_box()
    assert box
    mouse = lab.page.mouse
    mouse.move(box["x"] + 20, box["y"] + 20)
    mouse.down()
    mouse.move(box["x"] + 20, box["y"] - 40, steps=4)
    mouse.up()
    expect(panel.get_by_label("weight in row 3, column 1")).to_have_text("1")
    panel.get_by_role("button", name="turn the kernel by half a turn").click()
    weights[6] = 1
    photograph.press("ArrowUp")
    is_torchs(panel, state | {"weights": [float(w) for w in weights[::-1]]})

    size = panel.locator("canvas").last.bounding_box()
    assert size
    mouse.move(size["x"] + size["width"] / 4, size["y"] + size["height"] / 2)
    i, j, _ = value_shown(panel)
    assert (i, j) == (pytest.approx(128, abs=2), pytest.approx(64, abs=2))


def test_what_is_drawn_by_hand_or_key_is_read(lab: LabPage):
    panel = shown(lab, "widgets.cnn.drawn(DigitsCNN, fit)")
    sheet, caption = panel.locator(".course-draw"), panel.locator(".course-caption")
    expect(caption).to_contain_text("Your net reads")
    panel.get_by_role("button", name="clear").click()
    blank = panel.get_by_role("button", name="a blank sheet")
    expect(blank).to_have_attribute("aria-pressed", "true")
    expect(panel).to_have_attribute("aria-busy", "false")
    nothing = caption.inner_text()

    box = sheet.bounding_box()
    assert box
    mouse = lab.page.mouse
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    mouse.up()
    expect(blank).to_have_attribute("aria-pressed", "false")
    expect(caption).not_to_have_text(nothing)
    expect(sheet).to_have_attribute("aria-label", re.compile("At row 3, column 3: (0.[5-9]|1)"))
    expect(panel).to_have_attribute("aria-busy", "false")
    upright = caption.inner_text()

    panel.get_by_role("button", name="shift left").click()
    expect(caption).not_to_have_text(upright)
    panel.get_by_role("button", name="shift right").click()
    expect(caption).to_have_text(upright)

    panel.get_by_role("button", name="clear").click()
    expect(caption).to_have_text(nothing)
    sheet.press("ArrowRight")
    sheet.press(" ")
    sheet.press(" ")
    expect(sheet).to_have_attribute("aria-label", re.compile("At row 3, column 4: 1"))
    expect(caption).not_to_have_text(nothing)
    sheet.press("Delete")
    expect(caption).to_have_text(nothing)

    panel.get_by_role("combobox").select_option("1")
    expect(caption).to_contain_text("Shown is layer 2 ReLU: 3 of 6 × 6")
