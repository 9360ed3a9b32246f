"""The film in a browser: hand and keys move the time, and a net trains while one looks on."""

import re

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.xdist_group("browser-widgets")
NET = """\
import torch
from torch import nn
from course import widgets

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x, t):
        return self.layers(torch.cat([x, t[:, None] / 100], 1))

def loss(model, x0, alpha_bar, generator):
    t = torch.randint(1, len(alpha_bar), (len(x0),), generator=generator)
    noise = torch.empty_like(x0).normal_(generator=generator)
    angle = alpha_bar[t].sqrt().acos()[:, None]
    return (model(angle.cos() * x0 + angle.sin() * noise, t) - noise).square().mean()
"""
# Counts the frames in which something is drawn on the canvas on the left.
COUNT = """(canvas) => {
  window.courseFrames = 0;
  const context = canvas.getContext("2d"), clear = context.clearRect.bind(context);
  context.clearRect = (...box) => ((window.courseFrames += 1), clear(...box));
}"""


@pytest.fixture
def notebook(lab: LabPage) -> LabPage:
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    cells = [NET, "widgets.diffusion.time()", "widgets.diffusion.lab(Net, loss)"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(made, lab.server.root / "work" / "film.ipynb")
    lab.open("work/film.ipynb")
    lab.run(lab.cell("from torch import nn"))
    return lab


def show(lab: LabPage, call: str) -> Locator:
    return lab.run(lab.cell(call)).locator(".course-panel")


def test_keys_hand_and_presets_move_the_film(notebook: LabPage):
    panel = show(notebook, "diffusion.time()")
    caption, time = panel.locator(".course-caption"), panel.get_by_label("time t", exact=True)
    expect(caption).to_contain_text("t = 30 of 100")
    time.focus()
    time.press("ArrowRight")
    expect(caption).to_contain_text("t = 31 of 100: 91.4% of the variance is data.")
    box = panel.locator("canvas").first.bounding_box()
    assert box
    mouse = panel.page.mouse
    mouse.move(box["x"] + 100, box["y"] + 100)
    mouse.down()
    mouse.move(box["x"] + 100 + box["width"] / 5, box["y"] + 100, steps=5)
    mouse.up()
    expect(caption).to_contain_text("t = 51 of 100")
    notebook.picture("widget-time", panel)
    panel.get_by_role("button", name="the film reversed").click()
    expect(caption).to_contain_text("t = 100 of 100")
    panel.get_by_role("button", name="play").click()
    expect(caption).to_contain_text("t = 0 of 100")
    expect(panel.get_by_role("button", name="play")).to_be_visible()  # it says "pause" until then


def test_a_net_trains_and_its_film_can_be_scrubbed(notebook: LabPage):
    panel = show(notebook, "diffusion.lab(Net, loss)")
    caption = panel.locator(".course-caption")
    panel.locator("canvas").first.evaluate(COUNT)
    panel.get_by_role("button", name="train").click()
    expect(caption).to_contain_text(re.compile(r"After \d{2,} steps the loss is 0\."))
    panel.page.wait_for_function("window.courseFrames > 20")  # a frame for each slice of training
    panel.get_by_role("button", name="pause").nth(0).click()
    expect(caption).to_contain_text("Distance of the points")  # the whole film has come
    notebook.picture("widget-lab", panel)
    panel.get_by_label("time t", exact=True).press("Home")
    expect(caption).to_contain_text("t = 0 of 100")
    panel.get_by_role("button", name="forget").click()
    expect(caption).not_to_contain_text("After")


def test_in_the_dark_theme_the_film_is_dark(notebook: LabPage):
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    expect(notebook.page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    panel = show(notebook, "diffusion.time()")
    expect(panel).to_have_class(re.compile("course-dark"))
    notebook.picture("widget-time-dark", panel)
