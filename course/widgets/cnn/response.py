"""A learnt filter at work: the detector for small marks.

The kernel comes from the student's function alone; nothing here learns one. After Minhas, "Now the
interesting question" to "Another way of looking at this".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from course.data import marks

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number


@lru_cache(maxsize=64)
def _learnt(
    f: Callable[..., Any] | None, wanted: str, noise: float, number_: int
) -> tuple[Tensor | None, str]:
    """The student's kernel for one image of marks, and what to say of it."""
    if f is None:
        return None, "With your `learn_filter` in it, a kernel is learnt here."
    image, target = marks.scatter(wanted, noise, number_)
    got, note = student.call(f, image, target, shape=(3, 3))
    broken = got is not None and bool(note)
    note = note.replace(": the dashed line is what it should do", "; only the new image is shown")
    return (None if broken else got), note


def compute(state: State, learn_filter: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The kernel on a new image.

    state: wanted, noise, threshold, seed. image (32, 32): the new one; kernel (3, 3) and response
    (30, 30) as shares of its largest, or None; found, missed, false: places (n, 2) in the image.
    """
    wanted, noise, which = state["wanted"], float(state["noise"]), int(state["seed"])
    kernel, note = _learnt(learn_filter, wanted, noise, which)
    image, target = marks.scatter(wanted, noise, which + 10_000)
    response, alarm = None, torch.zeros_like(target, dtype=torch.bool)
    if kernel is not None:
        weights = kernel.float()[None, None]
        response = torch.nn.functional.conv2d(image[None, None], weights)[0, 0]
        response = response / response.max().clamp(min=1e-12)
        alarm = response > float(state["threshold"])
        # One alarm for each spot: only where nothing around is larger.
        largest = torch.nn.functional.max_pool2d(response[None, None], 3, 1, 1)[0, 0]
        alarm &= response == largest
    right = target > 0.5
    return {
        "image": image,
        "kernel": kernel,
        "response": response,
        "note": note,
        "found": (right & alarm).nonzero() + 1,
        "missed": (right & ~alarm).nonzero() + 1,
        "false": (~right & alarm).nonzero() + 1,
    }


def draw(figure: Figure, style: Style) -> Update:
    """The new image, the kernel (cause), and its response with what it finds (effect)."""
    titles = ["a new image", "kernel learnt on another one", "its response"]
    views = style.axes(figure, titles, (1, 0.62, 1))
    figure.set_layout_engine(
        "constrained", rect=(0, 0, 1, 0.97)
    )  # or square pictures push titles out
    for ax in views:
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)
    side = marks.SIDE
    for ax in (views[0], views[2]):
        ax.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal")
    views[1].set(xlim=(-0.5, 2.5), ylim=(2.5, -0.5), aspect="equal")
    common: dict[str, Any] = {"cmap": "gray", "animated": True, "interpolation": "nearest"}
    image = views[0].imshow(np.zeros((1, 1)), vmin=-0.3, vmax=1.2, **common)
    image.set_extent((-0.5, side - 0.5, side - 0.5, -0.5))
    response = views[2].imshow(np.zeros((1, 1)), vmin=-0.5, vmax=1, **common)
    response.set_extent((0.5, side - 1.5, side - 1.5, 0.5))
    kernel = views[1].imshow(
        np.zeros((3, 3)), cmap="PuOr", animated=True, alpha=0.55, vmin=-0.5, vmax=0.5
    )
    font: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "color": style.ink,
        "size": 9,
        "animated": True,
    }
    weights = [views[1].text(k % 3, k // 3, "", **font) for k in range(9)]
    plain: dict[str, Any] = {"ls": "", "mfc": "none", "mew": 1.8, "animated": True}
    spots = {
        "found": views[2].plot([], [], "o", ms=13, mec=style.green, **plain)[0],
        "missed": views[2].plot([], [], "x", ms=10, mec=style.orange, **plain)[0],
        "false": views[2].plot([], [], "^", ms=12, mec=style.orange, **plain)[0],
    }

    def update(a: Arrays) -> None:
        there = a["response"] is not None
        image.set_data(a["image"].numpy())
        for artist in (response, kernel, *weights, *spots.values()):
            artist.set_visible(there)
        if not there:
            return
        response.set_data(a["response"].numpy())
        shares = a["kernel"] / (2 * a["kernel"].abs().max().clamp(min=1e-12))
        kernel.set_data(shares.numpy())
        for text, value in zip(weights, a["kernel"].flatten().tolist(), strict=True):
            text.set_text(number(value).replace("-", "\N{MINUS SIGN}"))
        for name, line in spots.items():
            trace(line, a[name][:, 1], a[name][:, 0])

    return update


def caption(state: State, a: Arrays) -> str:
    """What is found, missed, and reported in vain."""
    if a["kernel"] is None:
        return a["note"]
    found, missed, wrong = len(a["found"]), len(a["missed"]), len(a["false"])
    share = 100 * float(state["threshold"])
    sentence = (
        f"Of {found + missed} marks {state['wanted']} in an image it has not seen, the kernel "
        f"finds {found} (○) and misses {missed} (×); {wrong} false alarm{'s' * (wrong != 1)} (△). "
        f"Reported is what exceeds {share:.0f} % of the largest response."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "a + detector",
        "nine weights against six kinds of marks: will it tell + from □ and ×?",
        wanted="+",
        noise=0.1,
        threshold=0.8,
        seed=1,
    ),
    preset(
        "a × detector",
        "which of the nine weights change their sign?",
        wanted="×",
    ),
    preset(
        "a dot",
        "every + and every × has a dot in its middle: can nine weights find single dots only?",
        wanted="·",
        threshold=0.85,
    ),
    preset("noise", "how much noise can nine weights bear?", noise=0.4, threshold=0.65),
    preset(
        "a dash",
        "a dash lies in every + as well: what keeps the + quiet?",
        wanted="—",
        threshold=0.85,
    ),
]


def panel(learn_filter: Callable[..., Any] | None) -> Panel:
    """The detector; see `widgets.cnn.detector`."""
    return Panel(
        "A filter that was learnt from one example",
        compute,
        draw,
        caption,
        [
            choice("wanted", "mark to find", "+", {kind: kind for kind in marks.KINDS}),
            slider("noise", "noise", 0.1, 0.0, 0.6, 0.05),
            slider("threshold", "threshold", 0.8, 0.05, 1.0, 0.05),
            seed(),
        ],
        PRESETS,
        given=(learn_filter,),
        views=3,
    )
