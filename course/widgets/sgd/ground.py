"""The picture of a walk: a surface from above with its walkers, and their heights over time.

`static/walk.js` plays it in the browser, frame by frame; Python computes the paths beforehand, and
draws the same state with matplotlib for where no kernel runs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.threads import one_thread

from ..panel import STATIC, Shown, State, allowed, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style
from .surfaces import grid

# Okabe and Ito's colours, for light and dark paper; each walker has its own marker and dashes too.
LOOKS = [
    ("#222222", "#e4e4e4", "o", []),
    ("#d55e00", "#e69f00", "^", []),
    ("#007d5c", "#2fc79a", "s", [7, 3]),
    ("#a0477a", "#cc79a7", "D", [2, 2]),
    ("#8a6d00", "#f0e442", "v", [9, 3, 2, 3]),
    ("#0060a0", "#9ad0f5", "P", [4, 2]),
]
Compute = Callable[[State], dict[str, Any]]


def quadratic(w: Tensor, c: Tensor) -> Tensor:
    """c0 + c1 a + c2 b + c3 a^2 + c4 a b + c5 b^2 at the points w (..., 2); as in walk.js."""
    a, b = w[..., 0], w[..., 1]
    return c[0] + c[1] * a + c[2] * b + c[3] * a * a + c[4] * a * b + c[5] * b * b


class Walk(Shown):
    """A walk to be played. `compute(state)` returns the arrays named in `walk.compute`."""

    _esm = script("walk.js")
    _css = STATIC / "panel.css"

    controls: traitlets.List = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    scene = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    # float32, and apart, for the ground is the same wherever they walk
    ground = traitlets.Bytes().tag(sync=True)  # core, whole
    arrays = traitlets.Bytes().tag(sync=True)  # shifts, paths, heights

    def __init__(
        self,
        title: str,
        compute: Compute,
        controls: Sequence[dict[str, Any]],
        presets: Sequence[dict[str, Any]],
    ) -> None:
        self._compute = compute
        self._controls = {control["name"]: control for control in controls}
        start = {name: control["value"] for name, control in self._controls.items()}
        super().__init__(
            title=title,
            controls=list(controls),
            presets=list(presets),
            state=start | presets[0]["state"],
        )
        self.observe(self._run, "state")
        self._run()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Every control has a value that it allows; what a preset sets besides is one of theirs."""
        value, state = proposal["value"], dict(self.presets[0]["state"])
        for name, control in self._controls.items():
            state[name] = allowed(control, value.get(name, control["value"]))
        if value.get("surface") in [p["state"].get("surface") for p in self.presets]:
            state["surface"] = value["surface"]
        start = value.get("start")
        try:
            state["start"] = start and [max(-9.0, min(9.0, float(v))) for v in start][:2]
        except (TypeError, ValueError):
            state["start"] = None
        return state

    def _run(self, _change: Any = None) -> None:
        with one_thread():
            a = self._compute(self.state)
        self._last = a
        with self.hold_sync():
            self.note = said(*a["notes"])
            self.scene = {
                "names": a["names"],
                "steps": a["steps"],
                "yours": a["yours"],
                "box": list(a["box"]),
                "goals": [list(goal) for goal in a["goals"]],
                "ticks": a["paths"].shape[1] - 1,
                "clock": a["clock"],
                "epoch": a["epoch"],
                "shifting": len(a["shifts"]) > 0,
                "looks": [list(LOOKS[i % len(LOOKS)]) for i in a["look"]],
            }
            self.ground = _bytes(a["core"], a["whole"])
            self.arrays = _bytes(a["shifts"], a["paths"], a["heights"])

    def caption_at(self, tick: int) -> str:
        """What the widget says at `tick`, as walk.js does."""
        a = self._last
        parts = []
        for name, steps, heights in zip(a["names"], a["steps"], a["heights"], strict=True):
            made = f" {steps[tick]} step{'s' * (steps[tick] != 1)}," if a["epoch"] else ""
            parts.append(f"{name}:{made} {_height(float(heights[tick]))} too high")
        epochs = f" ({tick / a['epoch']:.1f} epochs)" if a["epoch"] else ""
        return f"After {tick} {a['clock']}{epochs}: " + "; ".join(parts) + "."

    def still(self) -> tuple[bytes, str]:
        """The whole walk, and where it ends."""
        end = self._last["paths"].shape[1] - 1
        return Picture(draw, 2, Style()).png(self._last), said(self.note, self.caption_at(end))


def _height(value: float) -> str:
    if value > 1e4:
        return "over 10⁴"
    return "under 10⁻⁵" if value < 1e-5 else f"{float(f'{value:.2g}'):g}"


def _bytes(*parts: Tensor) -> bytes:
    return torch.cat([part.to(torch.float32).flatten() for part in parts]).numpy().tobytes()


def draw(figure: Figure, style: Style) -> Update:
    """The surface with the whole paths (cause); the heights over time (effect)."""
    plane, high = style.axes(figure, ["the surface from above", "how much too high"])

    def update(a: Arrays) -> None:
        left, right, bottom, top = a["box"]
        points = grid(a["box"])
        field = (a["core"] + quadratic(points, a["whole"])).numpy()
        field = np.log1p(12 * (field - field.min()) / max(1e-9, np.ptp(field)))
        plane.contourf(points[..., 0], points[..., 1], field, 14, cmap="Blues_r", alpha=0.6)
        plane.set(xlim=(left, right), ylim=(bottom, top), xlabel="w₁", ylabel="w₂")
        for goal in a["goals"]:
            plane.plot(*goal, marker="*", ms=12, color=style.green)
        for name, path, heights, look in zip(
            a["names"], a["paths"], a["heights"], a["look"], strict=True
        ):
            light, dark, marker, _ = LOOKS[look % len(LOOKS)]
            colour = dark if style.dark else light
            plane.plot(path[:, 0], path[:, 1], color=colour, lw=1.2)
            plane.plot(*path[-1:].T, marker=marker, ms=8, color=colour, mec=style.paper)
            high.plot(heights.clamp(1e-5), color=colour, lw=1.4, label=name)
        high.set(yscale="log", xlabel=a["clock"])
        style.legend(high)

    return update
