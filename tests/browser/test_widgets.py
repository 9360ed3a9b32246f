"""Every widget in every preset, and in the dark theme: drawn, and without errors."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.xdist_group("browser-widgets")
WIDGETS = ("explorer", "tower", "zigzag", "neuron", "saturation")


@pytest.fixture
def notebook(lab: LabPage) -> LabPage:
    """A notebook with one cell for each widget, open and ready."""
    write_notebook(lab)
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    lab.open("work/widgets.ipynb")
    lab.run(lab.cell("from course import widgets"))
    return lab


def test_every_preset_shows_another_picture(notebook: LabPage):
    for name in WIDGETS:
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
    for name in WIDGETS:
        panel = show(notebook, name)
        wait_for_picture(panel, dark=True)
        notebook.picture(f"widget-{name}-dark", panel)


def show(lab: LabPage, name: str) -> Locator:
    """Run the cell of a widget; returns the widget."""
    return lab.run(lab.cell(f"activations.{name}()")).locator(".course-panel")


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


def write_notebook(lab: LabPage) -> None:
    """A notebook with one cell for each widget."""
    cells = ["from course import widgets", *(f"widgets.activations.{name}()" for name in WIDGETS)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "widgets.ipynb")
