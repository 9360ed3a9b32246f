"""The GAN lab: a game that runs in the kernel for as long as the browser asks for the next frame.

`static/lab.js` draws a frame, and only then asks for another; so there is never a queue, and what
is not looked at is not trained. Where no kernel runs, matplotlib draws the same frame.
"""

from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.threads import one_thread

from ..panel import STATIC, Shown, State, allowed, choice, preset, script, seed
from ..picture import Arrays, Picture, Update
from ..style import Style
from .game import Game, Yours
from .scenes import COLUMNS

SECONDS = 0.025  # of play between two frames
HISTORY = 240  # values of each line of the chart
HEAD_START = 300  # steps of D before the game, where it is ahead
TURNS = {"even": (1, 1), "hurry": (1, 10), "ahead": (1, 1)}


class Lab(Shown):
    """A game to be played. What `state` has without a control stays as in the first preset."""

    _esm = script("lab.js")
    _css = STATIC / "panel.css"

    controls: Any = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    scene = traitlets.Dict().tag(sync=True)  # what stays through a game
    real = traitlets.Bytes().tag(sync=True)  # float32: real points, or images
    frame = traitlets.Dict().tag(sync=True)  # what changes, with the shapes of `arrays`
    arrays = traitlets.Bytes().tag(sync=True)  # float32: field, points, arrows, history; or images

    def __init__(self, title: str, controls: list, presets: list, yours: Yours) -> None:
        self._controls = {control["name"]: control for control in controls}
        self._yours, self._frames = yours, 0
        start = dict(presets[0]["state"])
        super().__init__(title=title, controls=controls, presets=presets, state=start)
        self.observe(self._changed, "state")
        self.on_msg(self._asked)
        self._begin()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Every control has a value, and one that it allows."""
        state = dict(self.presets[0]["state"])
        for name, control in self._controls.items():
            state[name] = allowed(control, proposal["value"].get(name, control["value"]))
        return state

    @property
    def saturating(self) -> bool:
        """Whether G minimises log(1 - s)."""
        return bool(self.state["loss"] == "saturating")

    def _changed(self, change: Any) -> None:
        old, new = change["old"], change["new"]
        if any(old[name] != new[name] for name in ("data", "seed")) or (
            old["turns"] != new["turns"] and "ahead" in (old["turns"], new["turns"])
        ):
            self._begin()
        else:
            self._show()

    def _asked(self, _widget: Any, asked: Any, _buffers: Any) -> None:
        """What the browser wants done before the next frame: play, round, D, G or restart."""
        self.do(str(asked.get("do", "")) if isinstance(asked, dict) else "")

    def do(self, what: str) -> None:
        """Play for a frame's time, a "round", a step of "D" or "G", or "restart"; then show."""
        steps = TURNS[self.state["turns"]]
        with one_thread():
            if what == "play":
                self.game.play(SECONDS, *steps, self.saturating)
            elif what == "round":
                self.game.round(*steps, self.saturating)
            elif what in ("D", "G"):
                self.game.step(what, self.saturating)
        if what == "restart":
            self._begin()
        else:
            self._show()

    def _begin(self) -> None:
        with one_thread():
            self.game = Game(self.state["data"], int(self.state["seed"]), self._yours)
            for _ in range(HEAD_START * (self.state["turns"] == "ahead")):
                self.game.step("D", self.saturating)
        scene, is_digits = self.game.scene, self.state["data"] == "digits"
        real = self.game.examples()
        with self.hold_sync():
            self.scene = {
                "kind": "digits" if is_digits else "plane",
                "columns": COLUMNS,
                "box": list(self.game.box()),
                "across": "x" if self.state["data"] == "coin" else "x₁",
                "up": "z" if self.state["data"] == "coin" else "x₂",
                "lines": list(scene.lines),
                "top": scene.top,
                "wanted": scene.wanted,
            }
            self.real = _bytes(real)
            self._show()

    def _show(self) -> None:
        with one_thread():
            self._last = a = self.game.look(self.saturating, HISTORY)
        self._frames += 1
        parts = [a[name] for name in ("field", "points", "arrows", "history")]
        with self.hold_sync():
            self.arrays = b"".join(_bytes(part) for part in parts)
            self.frame = {
                "number": self._frames,
                "rounds": self.game.rounds,
                "sizes": [part.numel() for part in parts],
                "caption": self.game.caption(),
            }

    def still(self) -> tuple[bytes, str]:
        """As in `Shown`: the present frame."""
        shown = {**self._last, "real": self.game.examples(), "scene": self.scene}
        shown["rounds"] = self.game.rounds
        return Picture(draw, 2, Style()).png(shown), self.game.caption()


def _bytes(values: Tensor) -> bytes:
    return bytes(values.detach().numpy().astype(np.float32).tobytes())


def draw(figure: Figure, style: Style) -> Update:
    """What D says and where G's points go (cause); what came of it so far (effect)."""
    plane, chart = style.axes(figure, ["real and made", "round by round"])

    def update(a: Arrays) -> None:
        scene = a["scene"]
        if scene["kind"] == "digits":
            tiles = a["points"].view(-1, COLUMNS, 8, 8).transpose(1, 2).flatten(2, 3).flatten(0, 1)
            plane.imshow(tiles.numpy(), cmap="gray_r", vmin=-1, vmax=1)
            plane.set_axis_off()
        else:
            left, right, bottom, top = scene["box"]
            extent = (left, right, bottom, top)
            plane.imshow(
                a["field"].numpy(), cmap="Blues", vmin=0, vmax=1.4, extent=extent, aspect="auto"
            )
            plane.plot(*a["real"].T, ".", ms=3, color=style.muted)
            plane.plot(*a["points"].T, "^", ms=3.5, color=style.orange)
            plane.set(xlabel=scene["across"], ylabel=scene["up"])
        for name, line, dash in zip(scene["lines"], a["history"], ("-", "--"), strict=False):
            chart.plot(np.linspace(0, a["rounds"], len(line)), line, ls=dash, label=name)
        chart.set(ylim=(0, 1.05 * scene["top"]), xlabel="rounds")
        style.legend(chart)

    return update


LOSSES = {"usual": "−log s", "saturating": "log(1 − s), saturating"}
PACE = {
    "even": "1 step of D, 1 of G",
    "hurry": "1 step of D, 10 of G",
    "ahead": f"the same, after {HEAD_START} steps of D alone",
}


def lab(yours: Yours) -> Lab:
    """The lab in the plane and on the line; see `widgets.gan.lab`."""
    usual = {"data": "ring", "loss": "usual", "turns": "even", "seed": 0}
    presets = [
        preset("a fair game", "which cluster is found last, and does any get lost again?", **usual),
        preset(
            "G in a hurry",
            "G makes ten steps for each of D's: where will its points be in a second, and then?",
            **usual | {"turns": "hurry"},
        ),
        preset(
            "D ahead",
            "D has learned alone and is sure: which of G's two losses has arrows to show?",
            **usual | {"turns": "ahead", "loss": "saturating"},
        ),
        preset(
            "a rare cluster",
            "one example of twenty lies at the top: will G bother?",
            **usual | {"data": "rare"},
        ),
        preset(
            "a coin",
            "across is what G makes, up is its noise: what curve makes 30 % heads?",
            **usual | {"data": "coin"},
        ),
    ]
    kinds = {"ring": "eight clusters", "rare": "a rare cluster", "coin": "a coin"}
    controls = [
        choice("data", "data", "ring", kinds),
        choice("loss", "G minimises", "usual", LOSSES),
        choice("turns", "a round is", "even", PACE),
        seed(),
    ]
    theirs = any(vars(yours).values())
    return Lab("The GAN lab" + (", played by you" if theirs else ""), controls, presets, yours)


def digits(yours: Yours) -> Lab:
    """Digits to order; see `widgets.gan.digits`."""
    usual = {"data": "digits", "loss": "usual", "turns": "even", "seed": 0}
    presets = [
        preset("digits to order", "which can be read first, and which get mixed up?", **usual),
        preset(
            "another start",
            "the same players, other weights: the same order?",
            **usual | {"seed": 3},
        ),
        preset(
            "G in a hurry",
            "ten steps of G for each of D's: do the rows stay different?",
            **usual | {"turns": "hurry"},
        ),
    ]
    controls = [
        choice("loss", "G minimises", "usual", LOSSES),
        choice("turns", "a round is", "even", PACE),
        seed(),
    ]
    theirs = any(vars(yours).values())
    title = "Digits to order" + (", by your generator" if theirs else "")
    return Lab(title, controls, presets, yours)
