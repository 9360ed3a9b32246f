"""Guidance: samples of one of three classes, from ignoring the label to exaggerating it.

Source: Ho and Salimans, "Classifier-free diffusion guidance" (2022).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from . import exact
from .film import T

POINTS, SPREAD, EVERY = 300, 0.55, 10
WEIGHTS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
CLASSES = {"0": "right", "1": "upper left", "2": "lower left"}
MARKERS = ("o", "^", "s")
ALL = exact.around(3, SPREAD, 0.9)


@lru_cache(maxsize=128)
def samples(
    guided_noise: Callable[..., Any] | None, label: int, w: float, seed_: int
) -> tuple[Tensor, str]:
    """Where noise (300, 2) ends under guidance, and a note on the student's function."""
    alpha_bar, notes = exact.straight(T), []
    with_label = exact.Mixture(ALL.centres[label : label + 1], SPREAD).model(alpha_bar)
    without = ALL.model(alpha_bar)

    def model(x: Tensor, t: Tensor) -> Tensor:
        cond, uncond = with_label(x, t), without(x, t)
        if guided_noise is None:  # without a function: no guidance
            return cond
        got, note = student.call(guided_noise, cond, uncond, w, shape=tuple(x.shape))
        if got is None or note:
            notes.append(note.replace("the dashed line is what it should do", "here w is 1"))
            return cond
        return got.float()

    noise = torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(seed_))
    ends = exact.flow(model, noise, alpha_bar, EVERY)[-1]
    return ends.nan_to_num(), next(iter(notes), "")


def compute(state: State, guided_noise: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Samples, and how pure and how various they are.

    state: label, w, seed. ends (300, 2), data (300, 2) of all classes and which (300,); pure and
    wide at each of WEIGHTS, and now: share whose class is most likely the label, and their standard
    deviation; note.
    """
    label, number_ = int(state["label"]), int(state["seed"])
    ends, note = samples(guided_noise, label, float(state["w"]), number_)
    generator = torch.Generator().manual_seed(number_ + 1)
    which = torch.randint(3, (POINTS,), generator=generator)
    data = ALL.centres[which] + SPREAD * torch.randn(POINTS, 2, generator=generator)
    each = [_measured(samples(guided_noise, label, w, number_)[0], label) for w in WEIGHTS]
    return {
        "ends": ends,
        "data": data,
        "which": which,
        "w": float(state["w"]),
        "pure": [pure for pure, _ in each],
        "wide": [wide for _, wide in each],
        "now": _measured(ends, label),
        "note": note or ("" if guided_noise else "Without your `guided_noise` w stays 1."),
    }


def _measured(ends: Tensor, label: int) -> tuple[float, float]:
    nearest = torch.cdist(ends, ALL.centres).argmin(1)  # equal spreads: the likeliest class
    return float((nearest == label).float().mean()), float(ends.std(0).mean())


def draw(figure: Figure, style: Style) -> Update:
    """Samples over the data (cause); purity and variety by w (effect)."""
    left, right = style.axes(figure, ["data of three classes, and samples", "by guidance w"])
    left.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    right.set(xlim=(0, 8), ylim=(0, 1.05), xlabel="w")
    look: dict[str, Any] = {"ls": "", "ms": 3, "animated": True}
    data = [left.plot([], [], marker=m, color=style.muted, mfc="none", **look)[0] for m in MARKERS]
    ends = left.plot([], [], marker="o", color=style.orange, **look)[0]
    pure = right.plot([], [], animated=True, marker="o", ms=4, **style.line("curve"))[0]
    wide = right.plot([], [], animated=True, marker="s", ms=4, **style.line("tangent"))[0]
    at = right.plot([], [], animated=True, **style.line("guide"))[0]
    style.legend(
        right,
        handles=[pure, wide],
        labels=["share that is of the class", "standard deviation"],
        loc="center right",
    )
    style.legend(left, handles=[*data, ends], labels=[*CLASSES.values(), "samples"],
                 loc="lower right")  # fmt: skip

    def update(a: Arrays) -> None:
        for k, dots in enumerate(data):
            trace(dots, *a["data"][a["which"] == k].T)
        trace(ends, *a["ends"].T)
        pure.set_data(WEIGHTS, a["pure"])
        wide.set_data(WEIGHTS, a["wide"])
        at.set_data([a["w"]] * 2, [0, 1.05])

    return update


def caption(state: State, a: Arrays) -> str:
    """Purity and variety at this w."""
    pure, wide = a["now"]
    return said(
        a["note"],
        f"w = {float(state['w']):.1f}: {pure:.0%} of the samples are most likely "
        f"{CLASSES[state['label']]}; their standard deviation is {number(wide)}, the class's own "
        f"{SPREAD}.",
    )


PRESETS = [
    preset(
        "obey",
        "w = 1 samples the class as it is: which samples look as if they were of another?",
        label="0",
        w=1.0,
        seed=0,
    ),
    preset("ignore", "w = 0: what share is of the class now?", w=0.0),
    preset("exaggerate", "at w = 3 hardly one is doubtful: what has that cost?", w=3.0),
    preset("too much", "where is the cloud now, and is there any datum?", w=8.0),
]


def panel(guided_noise: Callable[..., Any] | None) -> Panel:
    """Guidance; see `widgets.diffusion.guidance`."""
    return Panel(
        "Ask for a class",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            choice("label", "class", "0", CLASSES),
            slider("w", "guidance w", 1.0, 0.0, 8.0, 0.5),
            seed(),
        ],
        presets=PRESETS,
        given=(guided_noise,),
    )
