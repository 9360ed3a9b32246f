"""The film: data into noise and back, points and digits at the same t, and the field that leads.

`static/film.js` shows it frame by frame and lets a net train; Python computes what is to be seen.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.data import digits
from course.threads import one_thread

from .. import student
from ..panel import STATIC, Shown, State, allowed, choice, preset, said, script, seed
from ..picture import Arrays, Picture, Update
from ..style import Style
from . import exact

T, POINTS, CELLS, BOX, UNIT = 100, 400, 13, 3.0, 4096  # UNIT: arrays go out in steps of 1/4096
IMAGES, SIDE = 16, 8
DATA = {name: name for name in exact.SETS}
WAYS = {"forward": "data to noise", "back": "noise to data"}
ARROWS = {"exact": "exact", "none": "none"}


def grid() -> Tensor:
    """Where the arrows start: (13 * 13, 2), from the upper left."""
    line = torch.linspace(-BOX, BOX, CELLS) * (1 - 1 / CELLS)
    y, x = torch.meshgrid(-line, line, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)


def field(model: exact.Model, t: int) -> Tensor:
    """What `model` says of the noise at the grid's points, (13 * 13, 2)."""
    with torch.no_grad():
        return model(grid(), torch.full((CELLS**2,), t))


@lru_cache(maxsize=8)
def _fields(name: str) -> Tensor:
    """The exact field at each t, (T + 1, 13 * 13, 2); at t = 0 that of t = 1."""
    model = exact.SETS[name]().model(exact.straight(T))
    return torch.stack([field(model, max(t, 1)) for t in range(T + 1)])


@lru_cache(maxsize=8)
def _images(way: str, number: int) -> Tensor:
    """Digits at each t, (T + 1, 16, 64): real ones that dissolve, or noise that turns into some."""
    generator, alpha_bar = torch.Generator().manual_seed(number), exact.straight(T)
    real = 2 * digits.load().x_train.flatten(1) - 1
    if way == "forward":
        return exact.spread_out(real[torch.arange(IMAGES) + number % 1000], alpha_bar, generator)
    start = torch.randn(IMAGES, SIDE**2, generator=generator)
    return exact.flow(exact.Mixture(real).model(alpha_bar), start, alpha_bar).flip(0)


def compute(state: State, q_sample: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The film.

    state: data, way, arrows, seed. points (T + 1, 400, 2), images (T + 1, 16, 64) from -1 to 1,
    field (T + 1, 169, 2), far (T + 1,): energy distance from fresh data; share: alpha_bar; note:
    what there is to say about the student's function.
    """
    return dict(_film(state["data"], state["way"], int(state["seed"]), q_sample))


@lru_cache(maxsize=16)
def _film(name: str, way: str, number: int, q_sample: Callable[..., Any] | None) -> dict[str, Any]:
    alpha_bar, mixture = exact.straight(T), exact.SETS[name]()
    generator = torch.Generator().manual_seed(number)
    fresh = mixture.draw(POINTS, generator)
    start, note = mixture.draw(POINTS, generator), ""
    if way == "forward":
        points = exact.spread_out(start, alpha_bar, generator)
    else:
        noise = torch.randn(POINTS, 2, generator=generator)
        points = exact.flow(mixture.model(alpha_bar), noise, alpha_bar).flip(0)
    if q_sample is not None and way == "forward":
        yours, note = _jumps(q_sample, start, alpha_bar, generator)
        if yours is not None:
            gap = max(exact.distance(yours[t], points[t]) for t in (1, 20, 40, 60, 80, T))
            note = (
                note
                or (
                    f"Your `{student.name_of(q_sample)}` jumps where the walk goes: "
                    if gap < 0.03
                    else f"Your `{student.name_of(q_sample)}` and the walk part: "
                )
                + f"their clouds are at most {max(gap, 0):.3f} apart."
            )
            points = yours
    return {
        "points": points,
        "images": _images(way, number),
        "field": _fields(name),
        "far": [exact.distance(p.nan_to_num(), fresh) for p in points],
        "share": alpha_bar.tolist(),
        "note": note,
    }


def _jumps(
    q_sample: Callable[..., Any], x0: Tensor, alpha_bar: Tensor, generator: torch.Generator
) -> tuple[Tensor | None, str]:
    """The cloud at each t by the student's function, with one noise for all t; and what to say."""
    noise, clouds, note = torch.randn(x0.shape, generator=generator), [], ""
    for t in range(T + 1):
        when = torch.full((len(x0),), t)
        got, told = student.call(q_sample, x0, when, noise, alpha_bar, shape=tuple(x0.shape))
        note = note or told
        if got is None:
            return None, note.replace("the dashed line is", "the cloud shows")
        clouds.append(got.float())
    return torch.stack(clouds), note


class Film(Shown):
    """A film to be played both ways. `compute(state)` returns the arrays named there.

    With a `trainer` (see `training.Trainer`) it has a net that learns the field while one looks on.
    """

    _esm = script("film.js")
    _css = STATIC / "panel.css"

    controls: traitlets.List = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    scene = traitlets.Dict().tag(sync=True)
    arrays = traitlets.Bytes().tag(sync=True)  # int16: points, exact field, the net's field, images

    def __init__(
        self,
        title: str,
        compute: Callable[[State], dict[str, Any]],
        controls: Sequence[dict[str, Any]],
        presets: Sequence[dict[str, Any]],
        begin: int,
        trainer: Any = None,
    ) -> None:
        self._compute, self._begin, self._trainer = compute, begin, trainer
        self._controls = {control["name"]: control for control in controls}
        start = {name: control["value"] for name, control in self._controls.items()}
        super().__init__(
            title=title,
            controls=list(controls),
            presets=list(presets),
            state=start | presets[0]["state"],
        )
        self.observe(self._run, "state")
        self.on_msg(self._asked)
        self._run()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        value = proposal["value"]
        return {n: allowed(c, value.get(n, c["value"])) for n, c in self._controls.items()}

    def _run(self, _change: Any = None) -> None:
        with one_thread():
            self._last = a = self._compute(self.state)
        yours = a.get("yours")
        parts = [a["points"], a["field"], *([] if yours is None else [yours])]
        if "images" in a:
            parts.append(a["images"])
        sent = [_packed(part) for part in parts]
        with self.hold_sync():
            self.scene = {
                "T": T,
                "points": a["points"].shape[1],
                "cells": CELLS,
                "box": BOX,
                "unit": UNIT,
                "yours": yours is not None,
                "images": IMAGES if "images" in a else 0,
                "far": [round(f, 4) for f in a["far"]],
                "share": a["share"],
                "note": a["note"],
                "begin": self._begin,
                "losses": a.get("losses", []),
                "floor": a.get("floor", 0),
                "trains": self._trainer is not None,
            }
            self.arrays = b"".join(sent)

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """The page asks for some training, and gets it with what is to be seen at its t."""
        if self._trainer is None or not isinstance(content, dict):
            return
        if content.get("do") == "film":
            self._run()
            return
        with one_thread():
            if content.get("do") == "reset":
                self._trainer.reset(self.state)
                self._run()
                return
            told, points, arrows = self._trainer.frame(self.state, int(content.get("t", 0)))
        self.send(told, [_packed(points), _packed(arrows)])

    def caption_at(self, t: int) -> str:
        """What the widget says at t, as film.js does."""
        a = self._last
        return said(
            a["note"],
            f"t = {t} of {T}: {a['share'][t]:.1%} of the variance is data. Distance of the points "
            f"from fresh data: {max(0.0, a['far'][t]):.3f}.",
        )

    def still(self) -> tuple[bytes, str]:
        """The frame that it begins with."""
        drawn = Picture(draw, 2, Style()).png(self._last | {"t": self._begin})
        return drawn, self.caption_at(self._begin)


def _packed(values: Tensor) -> bytes:
    steps = (values.nan_to_num() * UNIT).round().clamp(-32767, 32767)
    return steps.to(torch.int16).numpy().tobytes()


def draw(figure: Figure, style: Style) -> Update:
    """Points and arrows (cause) beside digits at the same t, or the losses (effect)."""
    plane, right = style.axes(figure, ["points", ""])

    def update(a: Arrays) -> None:
        t, at = a["t"], grid().numpy()
        plane.set(xlim=(-BOX, BOX), ylim=(-BOX, BOX), aspect="equal")
        plane.plot(*a["points"][t].T, ls="", marker="o", ms=2.5, color=style.blue)
        for key, colour in (("field", style.muted), ("yours", style.orange)):
            if a.get(key) is not None:
                along = -a[key][t].numpy()
                plane.quiver(*at.T, *along.T, color=colour, scale=24, width=0.004)
        if "images" not in a:
            right.set_title("loss", loc="left", fontsize=9.5, color=style.ink)
            right.plot(a["losses"], color=style.orange)
            right.axhline(a["floor"], **style.line("truth"))
            return
        right.set_title("digits", loc="left", fontsize=9.5, color=style.ink)
        board = a["images"][t].reshape(4, 4, SIDE, SIDE).permute(0, 2, 1, 3).reshape(32, 32)
        right.imshow(np.asarray(board), cmap="Greys", vmin=-1.4, vmax=1.4)
        right.set_axis_off()

    return update


PRESETS = [
    preset(
        "a drop of ink",
        "drag the time to the right: where can you no longer tell moons from noise, and which "
        "digit is the last to go?",
        data="moons",
        way="forward",
        arrows="exact",
        seed=0,
    ),
    preset(
        "the film reversed",
        "from pure noise, drag to the left: at which t is it settled on which moon a point ends?",
        way="back",
    ),
    preset(
        "two points",
        "only two points are data: how do the arrows between them turn from late to early?",
        data="two points",
        way="back",
    ),
    preset("a ring", "what becomes of the hole, and when?", data="ring"),
    preset(
        "five clusters",
        "does a point go back to the cluster that is nearest to its noise?",
        data="clusters",
        way="back",
    ),
]


def widget(q_sample: Callable[..., Any] | None) -> Film:
    """The film; see `widgets.diffusion.time`."""
    return Film(
        "Data into noise, and back",
        lambda state: compute(state, q_sample),
        [
            choice("data", "data", "moons", DATA),
            choice("way", "film", "forward", WAYS),
            choice("arrows", "arrows", "exact", ARROWS),
            seed(),
        ],
        PRESETS,
        begin=30,
    )
