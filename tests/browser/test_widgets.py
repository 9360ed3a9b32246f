"""Every widget, in every preset, in the light and in the dark theme: drawn, and without errors."""

import nbformat
import pytest
from labpage import LabPage
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.xdist_group("browser-widgets")
WIDGETS = ("explorer", "tower", "zigzag", "neuron", "saturation")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_preset_shows_another_picture(lab: LabPage, theme: str):
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    write_notebook(lab)
    lab.open("work/widgets.ipynb")
    if theme == "dark":
        lab.menu("Settings", "Theme", "JupyterLab Dark")
        expect(lab.page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    lab.run(lab.cell("from course import widgets"))
    for name in WIDGETS:
        panel = lab.run(lab.cell(f"activations.{name}()")).locator(".course-panel")
        presets = panel.get_by_role("group", name="Presets").get_by_role("button")
        seen = []
        for i in range(presets.count()):
            choose(panel, presets.nth(i))
            wait_for_theme(panel, theme)
            seen.append(lab.picture(f"widget-{name}-{i + 1}-{theme}", panel))
        assert len(set(seen)) == len(seen) >= 3, name


def choose(panel: Locator, preset: Locator) -> None:
    """Press a preset's button, and wait until its picture is there."""
    image = panel.locator(".course-picture")  # a flagship has none, and draws at once
    if preset.get_attribute("aria-pressed") != "true":
        shown = image.get_attribute("src") if image.count() else None
        preset.click()
        expect(preset).to_have_attribute("aria-pressed", "true")
        if shown:
            expect(image).not_to_have_attribute("src", shown)


def wait_for_theme(panel: Locator, theme: str) -> None:
    """Wait until the panel's picture is as light or dark as JupyterLab is."""
    if panel.locator(".course-picture").count():
        panel.page.wait_for_function(
            """([image, dark]) => {
              const context = document.createElement("canvas").getContext("2d");
              context.drawImage(image, 0, 0);
              const [red, green, blue, alpha] = context.getImageData(1, 1, 1, 1).data;
              return alpha > 0 && (red + green + blue < 384) === dark;
            }""",
            arg=[panel.locator(".course-picture").element_handle(), theme == "dark"],
        )


def write_notebook(lab: LabPage) -> None:
    """A notebook with one cell for each widget."""
    cells = ["from course import widgets", *(f"widgets.activations.{name}()" for name in WIDGETS)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.server.root / "work" / "widgets.ipynb")
