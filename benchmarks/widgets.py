"""How long a hand waits for a widget, in a real JupyterLab in a real browser.

For each widget: the time from a key pressed on its slider to the frame in which the new picture is
on the screen, beside the same figure made with plain `ipywidgets.interact` and pyplot, in the same
run. For the flagships in JavaScript: frames a second too, while something is dragged or played.

    python benchmarks/widgets.py [--keys 40] [topic ...]
"""

import argparse
import os
import statistics
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page
from stopwatch import ROOT, browser_page, frames, lab, open_and_run, press

SETUP = f'''
%matplotlib inline
import sys; sys.path.insert(0, {str(ROOT)!r})
import matplotlib.pyplot as plt
import torch
from ipywidgets import FloatSlider, interact
from course import widgets
from course.widgets.activations import plane
from course.widgets.attention import plane as pulls
from course.widgets.backprop import graph
from course.widgets.cnn import paint
from course.widgets.diffusion import film, training
from course.widgets.gnn import stepper as hops
from course.widgets.sgd import contest, ground, walk
from course.widgets.softmax import walls
from course.widgets.style import DPI, HEIGHT, WIDTH, Style

def plain(draw, arrays, **slider):
    """The same figure as people write it: everything anew in pyplot for each value."""
    def show(value):
        figure = plt.figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        draw(figure, Style())(arrays(value))
        for artist in figure.findobj():
            artist.set_animated(False)
        plt.show()
    interact(show, value=FloatSlider(**slider))

def plain_panel(panel, name):
    control = next(control for control in panel.controls if control["name"] == name)
    value, low, high = panel.state[name], control["low"], control["high"]
    plain(panel._draw, lambda value: panel._compute({{**panel.state, name: value}}),
          value=value, min=low, max=high, step=control["step"])
'''


LAST = "plt.plot([])"  # its picture says that all cells have run


@dataclass(frozen=True)
class Slid:
    """A panel: what makes it, the control that is moved, and the state it is in besides."""

    make: str
    control: str
    state: dict[str, str] = field(default_factory=dict)

    def cells(self, topic: str) -> list[str]:
        """Ours, and plain `interact`."""
        made = f"panel = widgets.{topic}.{self.make}"
        put = f"panel.state = {{**panel.state, **{self.state}}}"
        return [f"{made}\n{put}\npanel", f"plain_panel(panel, {self.control!r})"]


@dataclass(frozen=True)
class Held:
    """A flagship: what takes the key, and what tells that it was answered ("paint", "caption").

    plain: `draw, arrays, value=, min=, max=, step=` of the same figure; empty where no key moves
    it. moves: for what frames are counted, "drag" or "play" with what and for which kind of frame
    (see `stopwatch.frames`).
    """

    make: str
    focus: str
    answer: str
    plain: str
    moves: tuple[tuple[str, str, str], ...]
    before: str = ""

    def cells(self, topic: str) -> list[str]:
        """Ours, and plain `interact`."""
        beside = f"plain({self.plain})" if self.plain else "None"
        return [f"{self.before}\nwidgets.{topic}.{self.make}", beside]


NEURON = "def neuron(x, w, b, g):\n    return g(x @ w + b)"
POINT = """plane.draw, lambda value: plane.compute(plane.PRESETS[0]["state"]
    | {"points": [[value, -1.2, 0], *plane.PRESETS[0]["state"]["points"][1:]]}, neuron),
    value=-1.2, min=-3, max=3, step=0.1"""
LOGIT = """walls.draw,
    lambda value: walls.compute({"logits": [value - 2, value - 1, value], "format": "float16"}),
    value=12, min=-1000, max=1000, step=1"""
INPUT = """graph.draw,
    lambda value: graph.compute({"program": "paths", "inputs": {"a": value, "b": 1, "one": 1}}),
    value=2, min=-20, max=20, step=0.1"""
START = """ground.draw,
    lambda value: %s.compute(%s.PRESETS[0]["state"] | {"start": [value, 1.8]}),
    value=-1.8, min=-4, max=2.4, step=0.1"""
QUERY = """pulls.draw,
    lambda value: pulls.compute(pulls.PRESETS[0]["state"] | {"q": [value, -1.1]}),
    value=-0.8, min=-3, max=3, step=0.1"""
PAINT = """paint.draw,
    lambda value: {"shown": "signed"} | paint.compute(paint.PRESETS[0]["state"]
        | {"weights": [0, 0, 0, 1, value, -1, 0, 0, 0]}),
    value=0, min=-3, max=3, step=0.1"""
LAYERS = """hops.draw, lambda value, start=hops.PRESETS[0]["state"]: {**hops.compute(start),
    "layers": int(value), "node": start["node"]},
    value=3, min=1, max=6, step=1"""
FRAME = """film.draw, lambda value, arrays=%s: arrays | {"t": int(value)},
    value=30, min=0, max=100, step=1"""
# As large as the lesson's, with the time as one number, and its loss by an angle.
NET = """
class Net(torch.nn.Sequential):
    def __init__(self):
        units = [torch.nn.Linear(n, 64) for n in (3, 64, 64)]
        hidden = [layer for unit in units for layer in (unit, torch.nn.GELU())]
        super().__init__(*hidden, torch.nn.Linear(64, 2))
    def forward(self, x, t):
        return super().forward(torch.cat([x, t[:, None] / 100], 1))
def loss(model, x0, alpha_bar, generator):
    t = torch.randint(1, len(alpha_bar), (len(x0),), generator=generator)
    noise = torch.empty_like(x0).normal_(generator=generator)
    angle = alpha_bar[t].sqrt().acos()[:, None]
    return (model(angle.cos() * x0 + angle.sin() * noise, t) - noise).square().mean()
"""
PLANE = "canvas >> nth=0"
Widgets = dict[str, Slid | Held]
WALK = (("drag", PLANE, "paint"), ("drag", PLANE, "caption"), ("play", "play", "paint"))

TOPICS: dict[str, Widgets] = {
    "activations": {
        "explorer": Slid("explorer()", "z"),
        "tower": Slid("tower()", "depth"),
        "zigzag": Slid("zigzag()", "step"),
        "saturation": Slid("saturation()", "scale"),
        "neuron, yours": Held(
            "neuron(neuron)",
            ".course-handle >> nth=0",
            "paint",
            POINT,
            (("drag", ".course-handle >> nth=0", "paint"),),
            before=NEURON,
        ),
    },
    "softmax": {
        "temperature": Slid("temperature()", "alpha"),
        "output_layer": Slid("output_layer()", "logit"),
        "margins": Slid("margins()", "margin"),
        "outlier": Slid("outlier()", "x"),
        "outlier, Huber": Slid("outlier()", "delta", {"kind": "huber"}),
        "overflow": Held(
            "overflow()",
            ".course-grip",
            "caption",
            LOGIT,
            (("drag", ".course-grip", "paint"),),
        ),
    },
    "backprop": {
        "nudge": Slid("nudge()", "w"),
        "arrows": Slid("arrows()", "scale"),
        "xor": Slid("xor()", "seen"),
        "stepper": Held(
            "stepper()",
            ".course-input >> nth=0",
            "caption",
            INPUT,
            (
                ("drag", ".course-input >> nth=0", "paint"),
                ("drag", ".course-input >> nth=0", "caption"),
            ),
        ),
    },
    "sgd": {
        "noise": Slid("noise()", "lr"),
        "epochs": Slid("epochs()", "size"),
        "duplicates": Slid("duplicates()", "lr"),
        "schedule": Slid("schedule()", "lr"),
        "balance": Slid("balance()", "rare"),
        "landscape": Held("landscape()", PLANE, "caption", START % ("walk", "walk"), WALK),
        "race": Held("race()", PLANE, "caption", START % ("contest", "contest"), WALK),
    },
    "attention": {
        "sentence": Slid("sentence()", "word"),
        "positions": Slid("positions()", "place"),
        "patches": Slid("patches()", "theta"),
        "machine": Slid("machine()", "time"),
        "pulls": Held(
            "pulls()",
            ".course-query",
            "caption",
            QUERY,
            (("drag", ".course-query", "paint"), ("drag", ".course-query", "caption")),
        ),
    },
    "cnn": {
        "stepper": Slid("stepper()", "step", {"pad": 2}),
        "receptive": Slid("receptive()", "at"),
        "playground": Held(
            "playground()",
            ".course-weight >> nth=4",
            "paint",
            PAINT,
            (),
        ),
    },
    "gnn": {
        "aggregators": Slid("aggregators()", "move"),
        "oversmoothing": Slid("oversmoothing()", "depth"),
        "neighbours": Slid("neighbours()", "theta"),
        "hops": Held("hops()", "input[type=range]", "paint", LAYERS, (("play", "play", "paint"),)),
    },
    "gan": {
        "inverse": Slid("inverse()", "knots"),
        "slopes": Slid("slopes()", "z"),
        "distances": Slid("distances()", "shift"),
        "lab, training": Held("lab()", "", "", "", (("play", "play", "caption"),)),
    },
    "diffusion": {
        "schedules": Slid("schedules()", "T"),
        "guess": Slid("guess()", "t"),
        "clock": Slid("clock()", "t"),
        "guidance": Slid("guidance(lambda cond, uncond, w: torch.lerp(uncond, cond, w))", "w"),
        "time": Held(
            "time()",
            "input[type=range]",
            "caption",
            FRAME % "film.compute(film.PRESETS[0]['state'])",
            (("drag", PLANE, "caption"), ("play", "play", "paint")),
        ),
        "lab, training": Held(
            "lab(Net, loss)",
            "input[type=range]",
            "caption",
            FRAME % "training.Trainer(Net, loss).whole(training.PRESETS[0]['state'])",
            (("play", "train", "caption"),),
            before=NET,
        ),
    },
}


def row(name: str, ours: list[float], plain: list[float]) -> str:
    """One line of the table: medians, 95th percentiles and their ratio."""

    def figures(times: list[float]) -> tuple[float, float]:
        return statistics.median(times), statistics.quantiles(times, n=20)[-1]

    (median, p95), (slow, slow95) = figures(ours), figures(plain)
    return f"{name:<22}{median:>8.1f}{p95:>8.1f}{slow:>10.1f}{slow95:>8.1f}{slow / median:>8.1f}x"


def measured(page: Page, name: str, widget: Slid | Held, keys: int, ours: Locator) -> str:
    """Lines of the table for one widget: `ours` is its cell, the next one has plain `interact`."""
    panel = ours.locator(".course-panel")
    handle = ours.locator("xpath=following-sibling::*").locator(".noUi-handle").first
    if isinstance(widget, Slid):
        control = panel.locator(f"label[data-control={widget.control}] input")
        return row(name, press(page, control, keys), press(page, handle, keys))
    lines = [f"{name:<22}"]
    if widget.plain:
        times = press(page, panel.locator(widget.focus), keys, widget.answer)
        lines = [row(name, times, press(page, handle, keys))]
    for doing, what, counted in widget.moves:
        rate = frames(page, panel, doing, what, counted)
        lines.append(f"{'':<4}{doing}: {rate:.0f} frames a second ({counted})")
    return "\n".join(lines)


def main(topics: list[str], keys: int) -> None:
    """Measure, and print the table."""
    books = {
        topic: [SETUP, *(cell for w in TOPICS[topic].values() for cell in w.cells(topic)), LAST]
        for topic in topics
    }
    with lab(books) as address, browser_page() as page:
        print(f"{keys} keys each; milliseconds from key to picture")
        print(f"{'':<22}{'median':>8}{'p95':>8}{'interact':>10}{'p95':>8}{'ratio':>9}")
        for topic in topics:
            open_and_run(page, f"{address}/{topic}.ipynb")
            print(f"{topic} (load {os.getloadavg()[0]:.1f})", flush=True)
            cells = page.locator(".jp-CodeCell")
            for index, (name, widget) in enumerate(TOPICS[topic].items()):
                ours = cells.nth(1 + 2 * index)
                print(measured(page, f"  {name}", widget, keys, ours), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("topics", nargs="*", metavar="topic", help=f"of {', '.join(TOPICS)}")
    parser.add_argument("--keys", type=int, default=40, help="keys pressed on each widget")
    chosen = parser.parse_args()
    unknown = set(chosen.topics) - set(TOPICS)
    if unknown:
        parser.error(f"no topic {', '.join(sorted(unknown))}; there are: {', '.join(TOPICS)}")
    main(chosen.topics or list(TOPICS), chosen.keys)
