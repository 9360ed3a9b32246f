"""How long a hand waits for a widget, in a real JupyterLab in a real browser.

For each widget: the time from a key pressed on its slider to the frame in which the new picture is
on the screen, beside the same figure made with plain `ipywidgets.interact` and pyplot, in the same
run. For the flagship in JavaScript: frames a second while a point is dragged.

    python benchmarks/widgets.py [keys]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]

# Each widget and the control that is moved: low, high and step of the same slider in `interact`.
WIDGETS = {
    "explorer": ("z", -6, 6, 0.1),
    "tower": ("depth", 1, 30, 1),
    "zigzag": ("step", 0, 60, 1),
    "saturation": ("scale", 0.1, 8, 0.1),
}
SETUP = '''
%matplotlib inline
import sys; sys.path.insert(0, {root!r})
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from course import widgets
from course.widgets.activations import batch, curve, depth, path, plane
from course.widgets.style import DPI, HEIGHT, WIDTH, Style

def plain(module, state, name, low, high, step):
    """The same figure as people write it: everything anew in pyplot for each value."""
    def show(value):
        figure = plt.figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        update = module.draw(figure, Style())
        now = dict(state) | {{name: value}}
        update(module.compute(now))
        for artist in figure.findobj():
            artist.set_animated(False)
        plt.show()
    slider = FloatSlider(value=state[name], min=low, max=high, step=step)
    interact(show, value=slider)
'''
MODULES = {"explorer": "curve", "tower": "depth", "zigzag": "path", "saturation": "batch"}
NEURON = """
def neuron(x, w, b, g):
    return g(x @ w + b)

widgets.activations.neuron(neuron)
"""
PLAIN_NEURON = """
def show(value):
    figure = plt.figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
    state = dict(plane.PRESETS[0]["state"])
    state["points"] = [[value, -1.2, 0], *state["points"][1:]]
    plane.draw(figure, Style())(plane.compute(state, neuron))
    plt.show()

interact(show, value=FloatSlider(value=-1.2, min=-3, max=3, step=0.1));
"""

# In the page: the time of each key, and of the first frame after a picture has come or a canvas
# was painted. An image counts when it has loaded, which for a picture means decoded too.
WATCH = """
() => {
  const log = (window.courseLog = { key: 0, times: [], paints: [] });
  const shown = () => requestAnimationFrame(() => {
    const now = performance.now();
    log.paints.push(now);
    if (log.key) log.times.push(now - log.key);
    log.key = 0;
  });
  document.addEventListener("keydown", (event) => (log.key = event.timeStamp), true);
  document.addEventListener("load", (event) => event.target.tagName === "IMG" && shown(), true);
  const paint = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...of) {
    paint.apply(this, of);
    shown();
  };
}
"""


def cells() -> list[str]:
    """The notebook: for each widget one cell with ours, one with plain `interact`."""
    made = [SETUP.format(root=str(ROOT))]
    for name, (control, low, high, step) in WIDGETS.items():
        made.append(f"panel = widgets.activations.{name}(); panel")
        made.append(
            f"plain({MODULES[name]}, {{'alpha': 0.1, 'beta': 1.0}} | panel.state, "
            f"{control!r}, {low}, {high}, {step})"
        )
    return [*made, "widgets.activations.neuron()", NEURON, PLAIN_NEURON]


@contextmanager
def lab() -> Iterator[str]:
    """A JupyterLab of its own on the notebook; gives the notebook's address."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells()])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        # All cells stay in the page, wherever it is scrolled to.
        settings = Path(folder, "settings", "@jupyterlab")
        for plugin, values in (
            ("notebook-extension/tracker", {"windowingMode": "none"}),
            ("apputils-extension/notification", {"fetchNews": "false"}),
        ):
            file = settings / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(values))
        nbformat.write(book, Path(folder, "widgets.ipynb"))
        own = {f"JUPYTER_{part}_DIR": f"{folder}/.{part}" for part in ("CONFIG", "RUNTIME")}
        own |= {"JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings"}
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                f"--port={port}",
                f"--ServerApp.root_dir={folder}",
                "--IdentityProvider.token=",
            ],
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api").close()
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/lab/tree/widgets.ipynb"
        finally:
            server.terminate()
            server.wait(30)


def open_and_run(page: Page, address: str) -> None:
    """Open the notebook, run all of it, and wait until every figure is there."""
    page.goto(address)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")
    last = page.locator(".jp-CodeCell").last
    last.locator(".jp-OutputArea img").wait_for(timeout=120_000)
    page.evaluate(WATCH)
    time.sleep(1)


def press(page: Page, focusable: Locator, keys: int) -> list[float]:
    """Milliseconds from key to picture, for `keys` arrow keys on one control, half of them back."""
    focusable.scroll_into_view_if_needed()
    # ipywidgets' own slider has no mark that keeps JupyterLab from taking the arrow keys.
    focusable.evaluate("node => node.setAttribute('data-lm-suppress-shortcuts', 'true')")
    focusable.focus()
    times: list[float] = []
    for index in range(keys):
        before = page.evaluate("courseLog.times.length")
        page.keyboard.press("ArrowRight" if index < keys / 2 else "ArrowLeft")
        page.wait_for_function(f"courseLog.times.length > {before}", timeout=10_000)
        time.sleep(0.05)
        times.append(page.evaluate("courseLog.times.at(-1)"))
    return times


# A mouse reports every 4 ms. Playwright's own moves wait until each is shown, so that only every
# other frame could get one; the moves of the drag are therefore made in the page.
DRAG = """
(plane) => new Promise((done) => {
  const { left, top, width, height } = plane.getBoundingClientRect();
  const begin = performance.now();
  courseLog.paints = [];
  const timer = setInterval(() => {
    const angle = (performance.now() - begin) / 300;
    plane.dispatchEvent(new PointerEvent("pointermove", {
      clientX: left + width * (0.5 + 0.3 * Math.cos(angle)),
      clientY: top + height * (0.5 + 0.3 * Math.sin(angle)),
    }));
    if (performance.now() - begin < 3000) return;
    clearInterval(timer);
    done(courseLog.paints);
  }, 4);
})
"""


def frames(page: Page, panel: Locator) -> float:
    """Frames painted a second while the first point is dragged in circles for three seconds."""
    plane = panel.locator("svg").first
    plane.scroll_into_view_if_needed()
    point = panel.locator(".course-handle").first.bounding_box()
    assert point
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.mouse.down()
    paints = plane.evaluate(DRAG)
    page.mouse.up()
    # Several paints in one frame count once.
    moments = sorted({round(paint) for paint in paints})
    return (len(moments) - 1) / (moments[-1] - moments[0]) * 1000


def row(name: str, ours: list[float], plain: list[float]) -> str:
    """One line of the table: medians, 95th percentiles and their ratio."""

    def figures(times: list[float]) -> tuple[float, float]:
        return statistics.median(times), statistics.quantiles(times, n=20)[-1]

    (median, p95), (slow, slow95) = figures(ours), figures(plain)
    return f"{name:<22}{median:>8.1f}{p95:>8.1f}{slow:>10.1f}{slow95:>8.1f}{slow / median:>8.1f}x"


def main(keys: int) -> None:
    """Measure, and print the table."""
    find = [sys.executable, str(ROOT / "tools" / "browser.py")]
    path = subprocess.check_output(find, text=True).strip()
    with lab() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        open_and_run(page, address)
        panels, sliders = page.locator(".course-panel"), page.locator(".noUi-handle")
        print(f"load {os.getloadavg()[0]:.1f}; {keys} keys each; milliseconds from key to picture")
        print(f"{'':<22}{'median':>8}{'p95':>8}{'interact':>10}{'p95':>8}{'ratio':>9}")
        for index, (name, (control, *_)) in enumerate(WIDGETS.items()):
            label = panels.nth(index).locator(f"label[data-control={control}]")
            ours = press(page, label.locator("input"), keys)
            print(row(name, ours, press(page, sliders.nth(index), keys)), flush=True)
        slow = press(page, sliders.last, keys)
        for title, panel in (("neuron", panels.nth(4)), ("neuron, your function", panels.nth(5))):
            print(row(title, press(page, panel.locator(".course-handle").first, keys), slow))
        for title, panel in (("neuron", panels.nth(4)), ("neuron, your function", panels.nth(5))):
            print(f"{title}: {frames(page, panel):.0f} frames a second while dragging")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
