"""Vectors of places: sines and cosines, and how alike two places are.

Source: Vaswani et al., "Attention is all you need" (2017), section 3.5.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, preset, said, slider
from ..picture import Arrays, Update
from ..style import Style

PLACES = 48


def paces(d: int) -> Tensor:
    """By how much each of the d / 2 hands turns from one place to the next, in radians."""
    return torch.logspace(0, -4 * (1 - 2 / d), d // 2, dtype=torch.float64)


def table(d: int) -> Tensor:
    """The vectors of all places (48, d): a sine is a cosine a quarter turn late."""
    late = torch.tensor([math.pi / 2, 0.0]).double()
    angle = torch.arange(PLACES)[:, None, None] * paces(d)[:, None] - late
    return torch.cos(angle).reshape(PLACES, d)


def likeness(d: int, place: int) -> Tensor:
    """Inner products (48,) of one place's vector with all: a sum of cosines of the distance."""
    apart = torch.arange(PLACES)[:, None] - place
    return torch.cos(apart * paces(d)).sum(1)


def compute(state: State, positional_encoding: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Vectors and likeness.

    state: pairs (d is twice that), place. Returns codes (48, d), alike (48,), truth (48,), note.
    """
    d, place = 2 * int(state["pairs"]), int(state["place"])
    codes, note, truth = table(d), "", likeness(d, place)
    if positional_encoding is not None:
        got, note = student.against(codes, positional_encoding, PLACES, d)
        note = note.replace(": the dashed line is what it should do", "")
        # Not by the picture: columns in another order have the same inner products.
        note = note.replace("lies on the dashed line", "is right everywhere")
        note = note.replace("the dashed line", "the formula")
        codes = torch.zeros(PLACES, d).double() if got is None else got.nan_to_num(0.0, 0.0, 0.0)
    return {"codes": codes, "alike": codes @ codes[place], "truth": truth, "place": place,
            "note": note, "d": d}  # fmt: skip


def draw(figure: Figure, style: Style) -> Update:
    """The vectors, a row each (cause); the inner products of one with all (effect)."""
    codes, alike = style.axes(figure, ["the vector of each place", "how alike one place is to all"])
    codes.grid(False)
    codes.set(xlim=(0, 1), ylim=(PLACES - 0.5, -0.5), ylabel="place", xticks=[])
    codes.set_xlabel("entries 0 to d − 1")
    from matplotlib import colormaps

    colours = colormaps["PuOr"]
    image = codes.imshow(
        np.zeros((PLACES, 2, 4)), aspect="auto", interpolation="nearest", animated=True,
        extent=(0, 1, PLACES - 0.5, -0.5),
    )  # fmt: skip
    row = codes.plot([0, 1], [0, 0], color=style.ink, lw=2.0, animated=True)[0]
    alike.set(xlim=(0, PLACES - 1), ylim=(-1.08, 1.08), xlabel="place")
    alike.set_ylabel("inner product, over the largest")
    mine = alike.plot([], [], **style.line("curve"), animated=True)[0]
    true = alike.plot([], [], **style.line("truth"), animated=True)[0]
    here = alike.plot([], [], **style.point(), animated=True)[0]

    def update(a: Arrays) -> None:
        image.set_data(colours((a["codes"].numpy() + 1) / 2))
        row.set_ydata([a["place"], a["place"]])
        top, t = a["d"] / 2, np.arange(PLACES)
        mine.set_data(t, (a["alike"] / top).clamp(-9, 9).numpy())
        true.set_data(t, (a["truth"] / top).numpy())
        here.set_data([a["place"]], [float(a["alike"][a["place"]]) / top])

    return update


def caption(_state: State, a: Arrays) -> str:
    """How alike the neighbours are, and how many places the slowest hand needs for a turn."""
    place, top = a["place"], a["d"] / 2
    to = min(place + 2, PLACES - 1) if place < PLACES - 2 else place - 2
    slowest = 2 * math.pi / float(paces(a["d"])[-1])
    sentence = (
        f"d = {a['d']}: place {place} is like itself by {float(a['alike'][place]) / top:.2f}, and "
        f"like place {to} by {float(a['alike'][to]) / top:.2f}; the fastest hand is round "
        f"after 6.3 places, the slowest after {slowest:,.0f}."
    )
    return said(a["note"], sentence.replace("-", "−"))


PRESETS = [
    preset(
        "a hill",
        "move the place: does the hill on the right change its shape, or only where it stands?",
        pairs=16,
        place=12,
    ),
    preset(
        "one hand",
        "with d = 2 there is a single clock: which places look alike that aren't near each other?",
        pairs=1,
    ),
    preset(
        "two hands",
        "the second hand needs 628 places for a turn: does it tell place 12 from place 18?",
        pairs=2,
    ),
    preset(
        "many hands", "64 numbers a place: what do the right half of the columns tell?", pairs=32
    ),
]


def panel(positional_encoding: Callable[..., Any] | None) -> Panel:
    """Places as vectors; see `widgets.attention.positions`."""
    return Panel(
        "Places as vectors",
        compute,
        draw,
        caption,
        [
            slider("pairs", "pairs of sine and cosine", 16, 1, 32, 1),
            slider("place", "place", 12, 0, PLACES - 1, 1),
        ],
        PRESETS,
        given=(positional_encoding,),
        drag=[{"axes": 0, "y": "place"}, {"axes": 1, "x": "place"}],
    )
