"""Every widget in JupyterLab: drawn without errors, answers a key, and is dark in the dark."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

from course import widgets

pytestmark = pytest.mark.xdist_group("browser-widgets")
NAMES = [
    f"{topic}.{name}"
    for topic in widgets.TOPICS
    for name, make in vars(getattr(widgets, topic)).items()
    if hasattr(make, "__wrapped__")
]
# Where the key goes: to a widget's first slider, or to what the hand holds.
HELD = "input[type=range], .course-grip, .course-input"
# Flagships that are held in other ways, and what waits for the student's function to say a number.
OWN = {
    "attention.pulls", "cnn.detector", "cnn.drawn", "cnn.playground", "diffusion.lab",
    "diffusion.time", "gan.digits", "gan.lab", "gnn.hops",
}  # fmt: skip


@pytest.fixture
def notebook(lab: LabPage) -> LabPage:
    """A notebook with one cell for each widget, open and ready."""
    cells = ["from course import widgets", *(f"widgets.{name}()" for name in NAMES)]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(book, lab.server.root / "work" / "widgets.ipynb")
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    lab.open("work/widgets.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab


def test_every_widget_answers_a_key_with_another_picture_and_sentence(notebook: LabPage):
    for name in [name for name in NAMES if name not in OWN]:
        panel = show(notebook, name)
        wait_for_picture(panel)
        shown, caption = panel.screenshot(), panel.locator(".course-caption")
        said = caption.inner_text()
        assert any(letter.isdigit() for letter in said), name
        held = panel.locator(HELD).first
        if held.count():
            up = held.evaluate("node => node.value === undefined || node.value !== node.max")
            held.press("ArrowRight" if up else "ArrowLeft")
        else:  # it has choices alone
            panel.get_by_role("group", name="Presets").get_by_role("button").nth(1).press("Enter")
        expect(caption, name).not_to_have_text(said)
        wait_for_picture(panel)
        assert panel.screenshot() != shown, name


def test_every_preset_shows_another_picture(notebook: LabPage):
    for name in NAMES:
        if name.startswith("activations."):  # of the others, tests/widgets asks the same
            panel = show(notebook, name)
            presets = panel.get_by_role("group", name="Presets").get_by_role("button")
            seen = []
            for i in range(presets.count()):
                choose(panel, presets.nth(i))
                seen.append(notebook.picture(f"widget-{name}-{i + 1}", panel))
            assert len(set(seen)) == len(seen) >= 3, name


def test_in_the_dark_theme_widgets_are_dark(notebook: LabPage):
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    expect(notebook.page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    for name in NAMES:
        panel = show(notebook, name)
        wait_for_picture(panel, dark=True)
        notebook.picture(f"widget-{name}-dark", panel)


def show(lab: LabPage, name: str) -> Locator:
    """Run the cell of a widget; returns the widget."""
    return lab.run(lab.cell(f"{name}()")).locator(".course-panel")


def choose(panel: Locator, preset: Locator) -> None:
    """Press a preset's button, and wait until its picture is there."""
    if preset.get_attribute("aria-pressed") != "true":
        image = panel.locator(".course-picture")  # a flagship has none, and draws at once
        shown = image.get_attribute("src") if image.count() else None
        preset.click()
        expect(preset).to_have_attribute("aria-pressed", "true")
        if shown:
            expect(image).not_to_have_attribute("src", shown)
    wait_for_picture(panel)


def wait_for_picture(panel: Locator, dark: bool = False) -> None:
    """Wait until the panel's picture is there, and as light or dark as JupyterLab is."""
    image = panel.locator(".course-picture")
    if image.count():
        panel.page.wait_for_function(
            """([image, dark]) => {
              const context = document.createElement("canvas").getContext("2d");
              context.drawImage(image, 0, 0);
              const [red, green, blue, alpha] = context.getImageData(1, 1, 1, 1).data;
              return alpha > 0 && (red + green + blue < 384) === dark;
            }""",
            arg=[image.element_handle(), dark],
        )
