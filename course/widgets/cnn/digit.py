"""A digit that is drawn by hand, the feature maps of the student's net, and what it reads.

`static/digit.js` is the sheet to draw on; Python runs the net, which the student's class and the
lesson's `fit` make.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from course.data import digits
from course.threads import one_thread

from .. import student
from ..panel import STATIC, Shown, State, preset, script
from ..picture import Arrays, Picture, Update
from ..style import Style

SIDE, CLASSES = 8, 10
SHOWN = 32  # maps of a layer that are shown


def _sheet(x: Tensor) -> list[float]:
    return [round(v, 3) for v in x.flatten().tolist()]


def sheets() -> list[dict[str, Any]]:
    """The presets: a held-out 3 and what can happen to it."""
    held_out = digits.load()
    mean = held_out.x_train[held_out.y_train == 3].mean(0)
    threes = held_out.x_test[held_out.y_test == 3]
    three = threes[(threes - mean).square().sum((1, 2, 3)).argmin()][0]  # a typical one
    mixed = torch.randperm(64, generator=torch.Generator().manual_seed(1))
    cut = three.clone()
    cut[:, 4:] = 0
    return [
        preset(
            "a 3",
            "which maps of the first layer show level strokes, and which upright ones?",
            pixels=_sheet(three),
        ),
        preset(
            "shifted by two",
            "the same 3 further left: do the maps change, or only what is where? And the bars?",
            pixels=_sheet(torch.nn.functional.pad(three[:, 2:], (0, 2))),
        ),
        preset("half a 3", "the right half is gone: what is left of the 3?", pixels=_sheet(cut)),
        preset(
            "shuffled",
            "the same 64 numbers in other places: what does a dense net lose, what yours?",
            pixels=_sheet(three.flatten()[mixed]),
        ),
        preset("a blank sheet", "how sure is the net of nothing?", pixels=[0.0] * SIDE * SIDE),
    ]


def train(
    net: Callable[..., Any] | None, fit: Callable[..., Any] | None
) -> tuple[nn.Module | None, str]:
    """A trained net of the student's class, or None and the reason in a sentence."""
    if net is None or fit is None:
        return None, "With your `DigitsCNN` in it, your net reads here what you draw."
    name, data = student.name_of(net), digits.load()
    try:
        with torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(0)
            made = fit(net(), data.x_train, data.y_train)
            logits = made.eval()(torch.zeros(1, 1, SIDE, SIDE))
    except NotImplementedError:
        return None, f"`{name}` is not written yet: draw, and it will be read then."
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")[:120]
        return None, f"Your `{name}` stopped with {type(error).__name__}: {first}"
    if not isinstance(logits, Tensor) or tuple(logits.shape) != (1, CLASSES):
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        return None, f"Your `{name}` returned {got} for one digit, expected (1, {CLASSES})."
    return made, ""


def look(net: nn.Module, pixels: list[float]) -> tuple[list[tuple[str, Tensor]], Tensor]:
    """Name and maps (channels, height, width) of each layer that has maps; probabilities (10,)."""
    seen: list[tuple[str, Tensor]] = []

    def note(module: nn.Module, _: Any, out: Any) -> None:
        if isinstance(out, Tensor) and out.dim() == 4:
            seen.append((type(module).__name__, out[0].detach()))

    leaves = [m for m in net.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(note) for m in leaves]
    x = torch.tensor(pixels).reshape(1, 1, SIDE, SIDE)
    try:
        with torch.no_grad():
            p = net(x)[0].softmax(0)
    finally:
        for hook in hooks:
            hook.remove()
    return seen, p


def compute(net: nn.Module | None, state: State) -> dict[str, Any]:
    """layers: their names; maps (channels, height, width) of the chosen one; p (10,) or None."""
    if net is None:
        return {"layers": [], "layer": 0, "maps": torch.zeros(0, 1, 1), "p": None}
    seen, p = look(net, state["pixels"])
    names = [
        f"{i + 1} {name}: {len(m)} of {m.shape[1]} × {m.shape[2]}"
        for i, (name, m) in enumerate(seen)
    ]
    layer = min(int(state["layer"]), len(seen) - 1)
    maps = seen[layer][1][:SHOWN] if seen else torch.zeros(0, 1, 1)
    return {"layers": names, "layer": max(layer, 0), "maps": maps, "p": p}


def caption(a: Arrays, note: str) -> str:
    """What is read, and how much of the layer is silent."""
    if a["p"] is None:
        return note
    (first, second), (best, next_) = (v.tolist() for v in a["p"].topk(2))
    blank = int((a["maps"].amax((1, 2)) <= 0).sum())
    layer = a["layers"][a["layer"]] if a["layers"] else "no layer with maps"
    return (
        f"Your net reads {best} ({first:.1%}), then {next_} ({second:.1%}). "
        f"Shown is layer {layer}; {blank} of these maps are nowhere above 0."
    )


def draw(figure: Figure, style: Style) -> Update:
    """The sheet, the maps side by side, the probabilities."""
    sheet, maps, bars = style.axes(figure, ["drawn", "feature maps", "read as"], (0.8, 1.4, 0.8))
    for ax in (sheet, maps):
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
    bars.set(xlim=(0, 1), ylim=(9.6, -0.6), yticks=range(CLASSES))
    figure.set_layout_engine(
        "constrained", rect=(0, 0, 1, 0.97)
    )  # or square pictures push titles out

    def update(a: Arrays) -> None:
        sheet.imshow(np.reshape(a["pixels"], (SIDE, SIDE)), cmap="gray_r", vmin=0, vmax=1)
        if len(a["maps"]):
            across = 8
            rows = -(-len(a["maps"]) // across)
            height, width = a["maps"].shape[1:]
            table = np.full((rows * (height + 1), across * (width + 1)), np.nan)
            for k, one in enumerate(a["maps"].numpy()):
                i, j = (k // across) * (height + 1), (k % across) * (width + 1)
                table[i : i + height, j : j + width] = one
            reach = max(float(a["maps"].abs().max()), 1e-9)
            maps.imshow(table, cmap="PuOr", vmin=-reach, vmax=reach)
        if a["p"] is not None:
            bars.barh(range(CLASSES), a["p"].tolist(), color=style.blue)

    return update


class Drawn(Shown):
    """A sheet of 8 by 8 pixels, and what the student's net makes of it."""

    _esm = script("digit.js")
    _css = (STATIC / "panel.css").read_text() + (STATIC / "digit.css").read_text()

    note = traitlets.Unicode().tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    seen = traitlets.Dict().tag(sync=True)
    maps = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, net: Callable[..., Any] | None = None, fit: Callable[..., Any] | None = None
    ) -> None:
        self._net, note = train(net, fit)
        presets = sheets()
        super().__init__(
            title="Draw a digit, and look inside",
            presets=presets,
            note=note,
            state={**presets[0]["state"], "layer": 0},
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """64 pixels from 0 to 1 and the number of a layer; TraitError otherwise."""
        new = proposal["value"]
        try:
            pixels, layer = [float(v) for v in new["pixels"]], int(new["layer"])
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of a sheet: {error}") from error
        if len(pixels) != SIDE * SIDE or any(v != v for v in pixels):
            raise traitlets.TraitError(f"a sheet has {SIDE * SIDE} numbers")
        return {"pixels": [max(0.0, min(1.0, v)) for v in pixels], "layer": max(0, layer)}

    def _follow(self, _change: Any = None) -> None:
        with one_thread():
            a = compute(self._net, self.state)
        with self.hold_sync():
            self.maps = a["maps"].float().contiguous().numpy().tobytes()
            self.seen = {
                "layers": a["layers"],
                "layer": a["layer"],
                "shape": list(a["maps"].shape),
                "p": [] if a["p"] is None else a["p"].tolist(),
                "caption": caption(a, self.note),
                "state": {"pixels": self.state["pixels"], "layer": self.state["layer"]},
            }

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self._net, self.state) | {"pixels": self.state["pixels"]}
        return Picture(draw, 3, Style()).png(arrays), caption(arrays, self.note)
