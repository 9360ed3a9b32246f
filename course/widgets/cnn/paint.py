"""The filter playground: the flagship, drawn in the browser.

`static/playground.js` correlates as the weights change; Python hands it the photograph and a
student's kernels, and draws the same state where no kernel runs.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.data import photos

from .. import student
from ..panel import STATIC, Shown, State, preset, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style, number

LIMIT = 99.0  # weights stay within [-99, 99]
FACTORS = {"camera": 2, "coffee": 2, "brick": 2, "horse": 2}
SHOWN = {"signed": "0 as mid-grey", "brightness": "0 as black", "size": "without its sign"}
KERNELS = ("identity", "box", "edge", "sharpen", "gaussian3", "gaussian5")


def _weights(*rows: str) -> list[float]:
    return [float(v) for row in rows for v in row.split()]


PRESETS = [
    preset(
        "left less right",
        "where is the result mid-grey, and which edges are bright, which dark?",
        photo="camera",
        weights=_weights("0 0 0", "1 0 -1", "0 0 0"),
        shown="signed",
    ),
    preset(
        "a single 1",
        "one weight, off the middle: what happens to the photograph?",
        photo="coffee",
        weights=_weights("1 0 0", "0 0 0", "0 0 0"),
        shown="brightness",
    ),
    preset(
        "level lines",
        "a wall: does this kernel see the bricks' long sides, their short ones, or both?",
        photo="brick",
        weights=_weights("-1 -2 -1", "0 0 0", "1 2 1"),
        shown="size",
    ),
    preset(
        "relief",
        "light seems to fall from one side: from which, and what if you turn the kernel?",
        photo="coffee",
        weights=_weights("-2 -1 0", "-1 1 1", "0 1 2"),
        shown="brightness",
    ),
    preset(
        "outline",
        "a silhouette has two values only: how many values can its outline have?",
        photo="horse",
        weights=_weights("-1 -1 -1", "-1 8 -1", "-1 -1 -1"),
        shown="signed",
    ),
]


@lru_cache
def photo(name: str) -> Tensor:
    """The photograph (height, width), float32 in whole 255ths, as the browser gets it."""
    return (photos.load(name, FACTORS[name]) * 255).round() / 255


def compute(state: State) -> dict[str, Tensor]:
    """image and result (height, width), and weights (size, size).

    Correlation; beyond its border the photograph goes on as at the border.
    """
    image, flat = photo(state["photo"]), torch.tensor(state["weights"])
    size = round(len(flat) ** 0.5)
    weights, half = flat.reshape(size, size), size // 2
    wide = torch.nn.functional.pad(image[None, None], (half,) * 4, mode="replicate")
    result = torch.nn.functional.conv2d(wide, weights[None, None])[0, 0]
    return {"image": image, "weights": weights, "result": result}


def caption(a: Arrays) -> str:
    """What the weights add up to, and what that does to even parts."""
    total, n = float(a["weights"].sum()), a["weights"].numel()
    even = "become 0" if abs(total) < 1e-4 else f"become {number(total, 3)} times as bright"
    even = "stay as they are" if abs(total - 1) < 1e-4 else even
    low, high = float(a["result"].min()), float(a["result"].max())
    return (
        f"The {n} weights add up to {number(total, 3)}: even parts {even}. "
        f"The result runs from {number(low, 3)} to {number(high, 3)}."
    )


def draw(figure: Figure, style: Style) -> Update:
    """Photograph, weights, result."""
    titles = ["photograph", "weights", "result"]
    views = style.axes(figure, titles, widths=(1, 0.7, 1))
    for ax in views:
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)
    figure.set_layout_engine(
        "constrained", rect=(0, 0, 1, 0.97)
    )  # or square pictures push titles out

    def update(a: Arrays) -> None:
        low, high = {"signed": (-1, 1), "brightness": (0, 1), "size": (0, 1)}[a["shown"]]
        result = a["result"].abs() if a["shown"] == "size" else a["result"]
        views[0].imshow(a["image"].numpy(), cmap="gray", vmin=0, vmax=1)
        views[2].imshow(result.numpy(), cmap="gray", vmin=low, vmax=high)
        size = len(a["weights"])
        views[1].set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        for i, row in enumerate(a["weights"].tolist()):
            for j, value in enumerate(row):
                views[1].text(
                    j, i, number(value), size=9, ha="center", va="center", color=style.ink
                )

    return update


def kernels(kernel: Callable[..., Any]) -> tuple[list[dict[str, Any]], str]:
    """A student's kernels that can be drawn, by name, and what to say of those that can't."""
    made, notes = [], []
    for name in KERNELS:
        size = 5 if name.endswith("5") else 3
        got, note = student.call(kernel, name, shape=(size, size))
        if got is not None and not note:
            made.append({"name": name, "weights": [round(v, 6) for v in got.flatten().tolist()]})
        elif "not written yet" in note:
            return [], f"`{student.name_of(kernel)}` is not written yet: your buttons come then."
        else:
            notes.append(f"{name}: {note}")
    return made, notes[0] if notes else ""


class Playground(Shown):
    """A photograph, nine (or 25) weights, and the result; `kernel` is a student's or None."""

    _esm = script("playground.js")
    _css = (STATIC / "panel.css").read_text() + (STATIC / "playground.css").read_text()

    options = traitlets.Dict({"photo": list(FACTORS), "shown": SHOWN}).tag(sync=True)
    yours: traitlets.List = traitlets.List([]).tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    image = traitlets.Bytes().tag(sync=True)
    source = traitlets.Dict().tag(sync=True)  # of the image: photo, size [height, width]
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(self, kernel: Callable[..., Any] | None = None) -> None:
        yours, note = kernels(kernel) if kernel is not None else ([], "")
        super().__init__(
            title="A few weights, used everywhere",
            presets=PRESETS,
            state=PRESETS[0]["state"],
            yours=yours,
            note=note,
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """A known photograph, 9 or 25 finite weights; TraitError otherwise."""
        new = proposal["value"]
        try:
            weights = [float(v) for v in new["weights"]]
            known = new["photo"] in FACTORS and new["shown"] in SHOWN
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of the playground: {error}") from error
        if not known or len(weights) not in (9, 25) or any(v != v for v in weights):
            raise traitlets.TraitError("a photograph, how to show it, and 9 or 25 numbers")
        weights = [max(-LIMIT, min(LIMIT, v)) for v in weights]
        return {"photo": new["photo"], "weights": weights, "shown": new["shown"]}

    def _follow(self, _change: Any = None) -> None:
        image = photo(self.state["photo"])
        with self.hold_sync():
            self.source = {"photo": self.state["photo"], "size": list(image.shape)}
            self.image = (image * 255).round().to(torch.uint8).numpy().tobytes()

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self.state) | {"shown": self.state["shown"]}
        return Picture(draw, 3, Style()).png(arrays), said(self.note, caption(arrays))
