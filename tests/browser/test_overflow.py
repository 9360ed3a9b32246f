"""The overflow explorer in a browser: its arithmetic is torch's, and hand and keys move it."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course.widgets.softmax import walls

pytestmark = pytest.mark.xdist_group("browser-widgets")


@pytest.fixture
def panel(lab: LabPage) -> Locator:
    """The explorer, shown by a kernel."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    cells = ["from course import widgets", "widgets.softmax.overflow()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "overflow.ipynb")
    lab.open("work/overflow.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab.run(lab.cell("softmax.overflow()")).locator(".course-panel")


def says(panel: Locator, logits: list[float], name: str) -> None:
    """The explorer says of these logits what Python says of them."""
    want = walls.caption(walls.compute({"logits": logits, "format": name}))
    expect(panel.locator(".course-caption")).to_have_text(want)


def test_every_preset_in_every_format_is_as_in_torch(panel: Locator):
    for preset in walls.PRESETS:
        for name in walls.FORMATS:
            panel.get_by_role("button", name=preset["name"]).click()
            panel.get_by_role("combobox").select_option(name)
            says(panel, preset["state"]["logits"], name)


def test_keys_and_hand_push_the_logits(panel: Locator):
    pack, single = panel.locator(".course-wide .course-grip"), panel.get_by_label("logit 1")
    pack.focus()
    pack.press("ArrowRight")
    pack.press("Shift+ArrowRight")
    says(panel, [21.0, 22.0, 23.0], "float16")
    single.focus()
    single.press("Alt+ArrowLeft")
    says(panel, [20.9, 22.0, 23.0], "float16")
    panel.get_by_role("button", name="reset").click()
    says(panel, walls.PRESETS[0]["state"]["logits"], "float16")
    box = pack.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = panel.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 40, y, steps=4)
    mouse.up()
    expect(panel.locator(".course-caption")).to_contain_text("right; stable")


def test_play_pauses_where_nan_starts(panel: Locator):
    panel.get_by_role("button", name="half precision").click()
    panel.get_by_role("combobox").select_option("float32")
    panel.get_by_role("button", name="play").click()
    expect(panel.get_by_role("button", name="play")).to_be_visible()  # it says "pause" until then
    expect(panel.locator(".course-caption")).to_contain_text("broken")
