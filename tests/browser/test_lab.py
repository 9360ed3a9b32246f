"""The GAN lab in a browser: played, paused and stepped by hand; one question at a time."""

import re

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.xdist_group("browser-widgets")
CELLS = (
    "from course import widgets",
    "made = widgets.gan.lab(); made",
    "import time; time.sleep(4)",
    "asked = made._frames; asked",
)


@pytest.fixture
def notebook(lab: LabPage) -> LabPage:
    """A notebook with the lab, open and ready."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "gan.ipynb")
    lab.open("work/gan.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab


@pytest.fixture
def panel(notebook: LabPage) -> Locator:
    """The lab, shown by a kernel."""
    return notebook.run(notebook.cell("widgets.gan.lab()")).locator(".course-panel")


def rounds(panel: Locator) -> int:
    """How many rounds the caption speaks of."""
    said = re.search(r"After (\d+) round", panel.locator(".course-caption").inner_text())
    assert said
    return int(said[1])


def test_a_player_steps_by_itself(panel: Locator):
    caption = panel.locator(".course-caption")
    expect(caption).to_contain_text("After 0 rounds")
    panel.get_by_role("button", name="step D").click()
    expect(caption).to_contain_text("D loses")
    expect(caption).not_to_contain_text("G loses")
    panel.get_by_role("button", name="step G").click()
    expect(caption).to_contain_text("G loses")
    panel.get_by_role("button", name="one round").click()
    expect(caption).to_contain_text("After 1 round:")
    panel.get_by_role("button", name="restart").click()
    expect(caption).to_contain_text("After 0 rounds")


def test_keys_play_and_pause(panel: Locator):
    play = panel.get_by_role("button", name="play")
    play.focus()
    play.press("Space")
    expect(panel.locator(".course-caption")).to_contain_text(re.compile(r"After [1-9]\d+ rounds"))
    panel.get_by_role("button", name="pause").press("Enter")
    expect(panel.get_by_role("button", name="play")).to_be_visible()
    panel.page.wait_for_timeout(500)
    seen = rounds(panel)
    panel.page.wait_for_timeout(1000)
    assert rounds(panel) == seen > 0


def test_a_busy_kernel_is_asked_once(notebook: LabPage, panel: Locator):
    panel.get_by_role("button", name="play").click()
    expect(panel.locator(".course-caption")).to_contain_text(re.compile(r"After [1-9]"))
    sleeping = notebook.cell("time.sleep")
    sleeping.locator(".cm-content").focus()
    notebook.page.keyboard.press("Control+Enter")
    expect(notebook.prompt(sleeping)).to_have_text("[*]:")
    for _ in range(5):  # pressed while nothing answers: none of it may pile up
        panel.get_by_role("button", name="pause").click()
        panel.get_by_role("button", name="play").click()
    panel.get_by_role("button", name="one round").click()
    before = rounds(panel)
    expect(notebook.prompt(sleeping)).to_have_text(re.compile(r"\[\d+\]:"))
    notebook.page.wait_for_timeout(1500)
    done = rounds(panel)
    # What had been asked before the sleep, and the one round.
    assert before < done <= before + 60
    notebook.page.wait_for_timeout(1000)
    assert rounds(panel) == done


def test_a_preset_starts_anew_and_the_loss_may_change_in_the_middle(panel: Locator):
    caption = panel.locator(".course-caption")
    panel.get_by_role("button", name="a coin").click()
    expect(caption).to_contain_text("heads, the coin")
    panel.get_by_role("button", name="one round").click()
    expect(caption).to_contain_text("After 1 round:")
    panel.get_by_label("G minimises").select_option("saturating")
    expect(panel.get_by_role("button", name="a coin")).to_have_attribute("aria-pressed", "false")
    expect(caption).to_contain_text("After 1 round:")
    panel.get_by_role("button", name="draw anew").click()
    expect(caption).to_contain_text("After 0 rounds")
