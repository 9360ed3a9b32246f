"""The flagships in a browser: hand and keys move them, and they say what Python says."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course.widgets.backprop import graph
from course.widgets.sgd import contest, walk
from course.widgets.softmax import walls

pytestmark = pytest.mark.xdist_group("browser-widgets")

OVERWRITES = """
class Node:
    def __init__(self, value, back=()):
        self.value, self.grad, self.back = value, 0.0, back

    def __add__(self, other):
        return Node(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Node(self.value * other.value, ((self, other.value), (other, self.value)))

    def backward(self, part=1.0):
        self.grad = part
        for node, slope in self.back:
            node.backward(part * slope)
"""
CELLS = [
    "from course import widgets",
    "widgets.softmax.overflow()",
    "widgets.backprop.stepper()",
    OVERWRITES + "\n\nwidgets.backprop.stepper(Node)",
    "widgets.sgd.landscape()",
    "widgets.sgd.race()",
]


@pytest.fixture
def notebook(lab: LabPage) -> LabPage:
    """A notebook with a cell for each flagship, open and ready."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "flagships.ipynb")
    lab.open("work/flagships.ipynb")
    lab.run(lab.cell(CELLS[0]))
    return lab


def show(lab: LabPage, code: str) -> Locator:
    """Run the cell of a widget; returns the widget."""
    return lab.run(lab.cell(code)).locator(".course-panel")


def drag(held: Locator, right: float, down: float, back: bool = False) -> None:
    """Take hold of the middle of something, and move it by so many pixels (and `back`)."""
    box = held.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = held.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right, y + down, steps=5)
    if back:
        mouse.move(x, y, steps=5)
    mouse.up()


# Overflow


def explains(panel: Locator, logits: list[float], name: str) -> None:
    """The explorer says of these logits what Python says of them."""
    want = walls.caption(walls.compute({"logits": logits, "format": name}))
    expect(panel.locator(".course-caption")).to_have_text(want)


def test_wherever_they_are_pushed_the_logits_are_as_in_torch(notebook: LabPage):
    panel = show(notebook, "softmax.overflow()")
    for preset in walls.PRESETS:
        for name in walls.FORMATS:
            panel.get_by_role("button", name=preset["name"]).click()
            panel.get_by_role("combobox").select_option(name)
            explains(panel, preset["state"]["logits"], name)

    panel.get_by_role("button", name="half precision").click()
    pack, single = panel.locator(".course-wide .course-grip"), panel.get_by_label("logit 1")
    pack.focus()
    pack.press("ArrowRight")
    pack.press("Shift+ArrowRight")
    explains(panel, [21.0, 22.0, 23.0], "float16")
    single.focus()
    single.press("Alt+ArrowLeft")
    explains(panel, [20.9, 22.0, 23.0], "float16")
    panel.get_by_role("button", name="reset").click()
    explains(panel, walls.PRESETS[0]["state"]["logits"], "float16")
    drag(pack, -40, 0)
    expect(panel.locator(".course-caption")).to_contain_text("right; stable")

    panel.get_by_role("button", name="reset").click()
    panel.get_by_role("combobox").select_option("float32")
    panel.get_by_role("button", name="play").click()
    expect(panel.get_by_role("button", name="play")).to_be_visible()  # it says "pause" until nan
    expect(panel.locator(".course-caption")).to_contain_text("broken")


# Stepper


def values(panel: Locator, **inputs: float) -> None:
    """At the end of the way back, the stepper has Python's values and gradients of `inputs`."""
    state = graph.PRESETS[0]["state"]
    a = graph.compute({**state, "inputs": {**state["inputs"], **inputs}})
    panel.get_by_role("button", name="to the end").click()
    for node in a["nodes"]:
        if node["given"] and not node["fixed"]:
            words = f"{node['label']}, value {node['value']:g}, gradient {node['grad']:g}"
            expect(panel.get_by_label(words, exact=True)).to_have_count(1)


def test_the_graph_is_edited_by_field_keys_and_hand_and_walked_by_steps_and_play(notebook: LabPage):
    panel = show(notebook, "backprop.stepper()")
    values(panel)
    panel.get_by_label("value of b").fill("4")
    panel.get_by_label("value of b").press("Enter")
    values(panel, b=4)
    a = panel.locator(".course-input").first
    a.focus()
    for key in ("ArrowUp", "ArrowUp", "PageUp", "ArrowDown"):
        a.press(key)
    values(panel, b=4, a=3.1)
    box = a.locator("rect")
    drag(box, 0, 50)
    values(panel, b=4, a=2.1)
    drag(box, 0, -40, back=True)  # the last wish is what it was: nothing to wait for
    a.press("ArrowUp")
    values(panel, b=4, a=2.2)

    panel.get_by_role("button", name="two paths").click()
    steps = panel.locator(".course-ledger li:not([hidden])")
    expect(steps).to_have_count(3)  # it begins when the way forward is done
    panel.get_by_role("button", name="reset").click()
    expect(steps).to_have_count(0)
    step = panel.get_by_role("button", name="step", exact=True)
    for done in range(1, 6):
        step.click()
        expect(steps).to_have_count(done)
    expect(panel.locator(".course-caption")).to_contain_text("∂e/∂e · ∂e/∂c = 1 · 2 = 2")
    panel.get_by_role("button", name="back", exact=True).click()
    expect(steps).to_have_count(4)
    panel.get_by_role("button", name="play").click()
    expect(panel.get_by_role("button", name="play")).to_be_visible()  # "pause" until the end
    expect(steps).to_have_count(10)
    expect(panel.locator(".course-caption")).to_contain_text(
        "Raise b by 0.01, and e moves by 0.0501"
    )

    panel = show(notebook, "widgets.backprop.stepper(Node)")
    expect(panel.locator(".course-edge.course-glow")).to_have_count(1)
    expect(panel.locator(".course-caption")).to_contain_text("was lost: it has")
    notebook.picture("widget-stepper-glowing", panel)


# Walks


def stands(panel: Locator, walk_: object, tick: int, **state: object) -> None:
    """The widget says at `tick` of the walks from this state what Python says of them."""
    walk_.state = {**walk_.state, **state}
    expect(panel.locator(".course-caption")).to_have_text(walk_.caption_at(tick))


def test_a_walk_starts_where_keys_and_hand_put_it_and_its_time_is_stepped_scrubbed_and_played(
    notebook: LabPage,
):
    panel, same = show(notebook, "sgd.landscape()"), walk.panel()
    plane = panel.locator("canvas").first
    stands(panel, same, 40)
    plane.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        plane.press(key)
    stands(panel, same, 40, start=[-1.6, 1.7])
    drag(plane, -62, -31)  # 360 pixels are 4.8 wide, so many more where the picture is larger
    width = plane.evaluate("node => node.clientWidth")
    stands(panel, same, 40, start=[round(-62 / width * 4.8, 2), round(31 / width * 4.8, 2)])
    panel.get_by_role("button", name="two basins").click()
    panel.get_by_role("button", name="pause").click()  # a preset plays at once
    panel.get_by_role("button", name="reset").click()
    stands(panel, same, 0, **(walk.PRESETS[0]["state"] | walk.PRESETS[2]["state"]))
    notebook.picture("widget-landscape", panel)

    panel, same = show(notebook, "sgd.race()"), contest.panel([])
    stands(panel, same, 40)
    panel.get_by_role("button", name="step", exact=True).click()
    stands(panel, same, 41)
    time = panel.get_by_role("slider", name="time")
    time.press("ArrowLeft")
    time.press("ArrowLeft")
    stands(panel, same, 39)
    drag(panel.locator("canvas").nth(1), 300, 0)  # past the right end
    stands(panel, same, 200)
    panel.get_by_role("button", name="reset").click()
    stands(panel, same, 0)
    panel.get_by_role("button", name="play").click()
    expect(panel.locator(".course-caption")).not_to_contain_text("After 0 steps")
    panel.get_by_role("button", name="pause").click()
    panel.locator("[data-control=alpha] input").press("ArrowLeft")
    panel.get_by_role("button", name="reset").click()
    panel.get_by_role("button", name="step", exact=True).click()
    stands(panel, same, 1, alpha=0.88)
