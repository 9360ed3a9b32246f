"""A JupyterLab in a browser, and a stopwatch in the page: from a key to what it asked for."""

import json
import os
import random
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
from playwright.sync_api import TimeoutError as NoAnswerError

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

# In the page: the time of each key, and of the first frame after what it waits for has come: an
# image ("image"; loaded means decoded too), a painted canvas or a changed drawing ("paint"), a
# widget's other sentence ("caption"). `frames` are the moments of all frames with the last two.
WATCH = """
() => {
  const frames = { paint: [], caption: [] };
  const log = (window.courseLog = { key: 0, wanted: "", times: [], frames });
  const note = (kind, frame) => {
    frames[kind]?.push(frame);
    if (!log.key || kind !== log.wanted) return;
    log.times.push(performance.now() - log.key);
    log.key = 0;
  };
  // What changes within a frame's callbacks belongs to that frame, all else to the next one.
  const ask = requestAnimationFrame.bind(window);
  let within = 0;
  window.requestAnimationFrame = (run) => ask((now) => {
    within = now;
    try { run(now); } finally { queueMicrotask(() => (within = 0)); } // after the observers below
  });
  const shown = (kind) => within ? note(kind, within) : ask((now) => note(kind, now));
  document.addEventListener("keydown", (event) => (log.key = event.timeStamp), true);
  const loaded = (event) => event.target.tagName === "IMG" && shown("image");
  document.addEventListener("load", loaded, true);
  for (const name of ["putImageData", "drawImage"]) {
    const paint = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...of) {
      paint.apply(this, of);
      if (this.canvas.isConnected) shown("paint");
    };
  }
  for (const drawing of document.querySelectorAll(".course-panel svg")) {
    const all = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(() => shown("paint")).observe(drawing, all);
  }
  for (const caption of document.querySelectorAll(".course-caption")) {
    let said = caption.textContent;
    new MutationObserver(() => {
      if (said !== caption.textContent) shown("caption");
      said = caption.textContent;
    }).observe(caption, { childList: true, characterData: true, subtree: true });
  }
}
"""

# A mouse reports every 4 ms. Playwright's own moves wait until each is shown, so that only every
# other frame could get one; the moves of the drag are therefore made in the page.
DRAG = """
(held) => new Promise((done) => {
  const { left, top, width, height } = held.closest("svg, canvas").getBoundingClientRect();
  const begin = performance.now();
  const timer = setInterval(() => {
    const angle = (performance.now() - begin) / 300;
    held.dispatchEvent(new PointerEvent("pointermove", {
      bubbles: true,
      clientX: left + width * (0.5 + 0.3 * Math.cos(angle)),
      clientY: top + height * (0.5 + 0.3 * Math.sin(angle)),
    }));
    if (performance.now() - begin < 3000) return;
    clearInterval(timer);
    done();
  }, 4);
})
"""

# Of a slider, ours or that of ipywidgets: what share of it lies in the direction of a key.
ROOM = """
(node, key) => {
  const at = (name) => Number(node[name] || node.getAttribute("aria-value" + name) || NaN);
  const now = node.value ? Number(node.value) : at("now");
  const room = (key === "ArrowRight" ? at("max") - now : now - at("min")) / (at("max") - at("min"));
  return Number.isNaN(room) ? null : room;
}
"""


@contextmanager
def lab(books: dict[str, list[str]]) -> Iterator[str]:
    """A JupyterLab of its own on notebooks {name: cells}; gives the address of their folder."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        for name, cells in books.items():
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
            book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(book, Path(folder, f"{name}.ipynb"))
        # All cells stay in the page, wherever it is scrolled to.
        settings = Path(folder, "settings", "@jupyterlab")
        for plugin, values in (
            ("notebook-extension/tracker", {"windowingMode": "none"}),
            ("apputils-extension/notification", {"fetchNews": "false"}),
        ):
            file = settings / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(values))
        own = {f"JUPYTER_{part}_DIR": f"{folder}/.{part}" for part in ("CONFIG", "RUNTIME")}
        own |= {"JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings"}
        own |= {"JUPYTER_CONFIG_PATH": str(ROOT / "tools/jupyter")}  # as `make lab` has it
        command = ["jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
        command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
        server = subprocess.Popen(
            [sys.executable, "-m", *command],
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
            yield f"http://127.0.0.1:{port}/lab/tree"
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium."""
    find = [sys.executable, str(ROOT / "tools" / "browser.py")]
    path = subprocess.check_output(find, text=True).strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def open_and_run(page: Page, address: str) -> None:
    """Open the notebook, run all of it, wait until every figure is there, and start the watch."""
    page.goto(f"{address}?reset")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")
    last = page.locator(".jp-CodeCell").last
    last.locator(".jp-OutputArea img").wait_for(timeout=120_000)
    time.sleep(1)
    page.evaluate(WATCH)


def press(page: Page, focusable: Locator, keys: int, wanted: str = "image") -> list[float]:
    """Milliseconds from key to what is `wanted`, for `keys` arrow keys, to and fro."""
    focusable.scroll_into_view_if_needed()
    # ipywidgets' own slider has no mark that keeps JupyterLab from taking the arrow keys.
    focusable.evaluate("node => node.setAttribute('data-lm-suppress-shortcuts', 'true')")
    focusable.focus()
    page.evaluate("wanted => (courseLog.wanted = wanted)", wanted)
    there, back = "ArrowRight", "ArrowLeft"
    times: list[float] = []
    missed = 0
    while len(times) < keys:
        before = page.evaluate("courseLog.times.length")
        room = focusable.evaluate(ROOM, there)  # None where it is no slider
        if len(times) == keys // 2 if room is None else room < 1e-6:
            there, back = back, there
        page.keyboard.press(there)
        try:
            page.wait_for_function(f"courseLog.times.length > {before}", timeout=2000)
        except NoAnswerError:
            # Further on, nothing changes. The first step back from there changes nothing either.
            missed += 1
            if missed > keys:
                raise
            if missed % 2:
                there, back = back, there
            page.evaluate("courseLog.key = 0")
            continue
        # A hand knows nothing of frames: each key comes at another moment of one.
        time.sleep(0.05 + random.random() / 60)
        times.append(page.evaluate("courseLog.times.at(-1)"))
    return times


def frames(page: Page, panel: Locator, doing: str, what: str, counted: str) -> float:
    """Frames a second with a new "paint" or "caption" in three seconds of a "drag" or of "play".

    what: in the panel, the element that is dragged in circles, or the name of the button.
    """
    if doing == "drag":
        held = panel.locator(what)
        held.scroll_into_view_if_needed()
        box = held.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.evaluate("kind => (courseLog.frames[kind] = [])", counted)
        held.evaluate(DRAG)
        page.mouse.up()
    else:
        panel.get_by_role("button", name=what, exact=True).click()
        page.evaluate("kind => (courseLog.frames[kind] = [])", counted)
        page.wait_for_timeout(3000)
    # Several paints in one frame count once.
    moments = sorted({round(at) for at in page.evaluate("kind => courseLog.frames[kind]", counted)})
    return (len(moments) - 1) / (moments[-1] - moments[0]) * 1000
