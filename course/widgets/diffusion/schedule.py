"""Schedules: how much of the data is left at t, and how signal and noise cross.

Source: Ho et al. (2020), linear; Nichol and Dhariwal (2021), cosine; Kingma et al. (2021), the
straight one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style
from . import exact

FIRST = 0.0001
# The cosine schedule at t / T = 0.1, 0.2 ... 0.9, for any T.
COSINE = (0.97209, 0.89871, 0.78691, 0.64748, 0.49384, 0.34081, 0.20312, 0.09405, 0.02409)
KINDS = {"linear": "linear", "cosine": "cosine", "straight": "straight line"}


def rings(kind: str, T: int, last: float) -> tuple[list[float], list[float]]:
    """Where the right curve passes: t / T, and the share that is left."""
    if kind == "cosine":
        return [k / 10 for k in range(1, 10)], list(COSINE)
    kept = np.multiply.accumulate(1 - np.linspace(FIRST, last, T))
    at = [round(k * T / 10) for k in range(1, 11)]
    return [t / T for t in at], [float(kept[t - 1]) for t in at]


def compute(
    state: State,
    linear_betas: Callable[..., Any] | None = None,
    alpha_bar_of: Callable[..., Any] | None = None,
    cosine_alpha_bar: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Shares by t / T.

    state: kind, T, last. curves: for each kind (u, share) or None where it is not yours yet; rings:
    points of the right ones; shown: the chosen kind's share (T + 1,); note.
    """
    T, last, notes = int(state["T"]), float(state["last"]), []
    curves: dict[str, Tensor | None] = {"straight": exact.straight(T).double(), "linear": None}
    curves["cosine"] = None
    if linear_betas is not None:
        betas, note = student.call(linear_betas, T, FIRST, last, shape=(T + 1,))
        notes.append(note)
        if betas is not None and alpha_bar_of is not None:
            curves["linear"], note = student.call(alpha_bar_of, betas.float(), shape=(T + 1,))
            notes.append(note)
    if cosine_alpha_bar is not None:
        curves["cosine"], note = student.call(cosine_alpha_bar, T, shape=(T + 1,))
        notes.append(note)
    marks = {kind: rings(kind, T, last) for kind in ("linear", "cosine")}
    kind = state["kind"]
    for name, made in curves.items():
        if name in marks and made is not None:
            at = torch.tensor([round(u * T) for u in marks[name][0]])
            want = torch.tensor(marks[name][1], dtype=torch.float64)
            off = float((made[at] - want).abs().max())
            exactly = name == "linear" or T % 10 == 0
            if exactly and off > 2e-3:
                notes.append(f"Your {name} schedule misses the rings by up to {off:.2g}.")
    shown = curves[kind]
    if shown is None:
        u, share = marks[kind]
        grid = np.linspace(0, 1, T + 1)
        shown = torch.tensor(np.interp(grid, [0.0, *u, 1.0], [1.0, *share, share[-1]]))
    notes = [n.replace("dashed line is what", "rings are where") for n in notes if n]
    return {"curves": curves, "rings": marks, "shown": shown, "note": " ".join(notes), "T": T}


def draw(figure: Figure, style: Style) -> Update:
    """The share that is left, by schedule (cause); signal and noise of the chosen one (effect)."""
    left, right = style.axes(
        figure, ["share of the variance that is data (ᾱ)", "factors on signal and noise"]
    )
    looks: dict[str, dict[str, Any]] = {
        "linear": style.line("curve"),
        "cosine": style.line("tangent") | {"ls": (0, (7, 2))},
        "straight": style.line("guide") | {"lw": 1.8},
    }
    lines, dots = {}, {}
    for kind, look in looks.items():
        lines[kind] = left.plot([], [], animated=True, **look)[0]
        if kind != "straight":
            dots[kind] = left.plot(
                [], [], ls="", marker="o", ms=7, mfc="none", mec=look["color"], animated=True
            )[0]
    signal = right.plot([], [], animated=True, **style.line("curve"))[0]
    noise = right.plot([], [], animated=True, **style.line("tangent"))[0]
    style.legend(left, handles=list(lines.values()), labels=list(KINDS.values()), loc="upper right")
    style.legend(
        right, handles=[signal, noise], labels=["signal √ᾱ", "noise √(1 − ᾱ)"], loc="center right"
    )
    for ax in (left, right):
        ax.set(xlim=(0, 1), ylim=(-0.03, 1.05), xlabel="t / T")

    def update(a: Arrays) -> None:
        u = np.linspace(0, 1, a["T"] + 1)
        for kind, line in lines.items():
            made = a["curves"][kind]
            trace(line, u, made)
        for kind, ring in dots.items():
            trace(ring, *a["rings"][kind])
        share = a["shown"].clamp(0, 1)
        trace(signal, u, share.sqrt())
        trace(noise, u, (1 - share).sqrt())

    return update


def caption(state: State, a: Arrays) -> str:
    """What is left at the end, and how many steps are neither data nor noise."""
    share = a["shown"]
    between = int(((share < 0.9) & (share > 0.1)).sum())
    name = KINDS[state["kind"]]
    return said(
        a["note"],
        f"{name[0].upper()}{name[1:]}, T = {a['T']}: at t = T the share of the data is "
        f"{float(share[-1]):.2g}; {between} of {a['T']} steps lie between 90% and 10%.",
    )


PRESETS = [
    preset(
        "Ho's thousand",
        "a thousand steps up to β = 0.02: what share of them is nearly all noise?",
        kind="linear",
        T=1000,
        last=0.02,
    ),
    preset(
        "only a hundred",
        "the same betas, a hundred steps: how much of the data is left at the end?",
        T=100,
    ),
    preset("larger steps", "ten times the β: is the film whole again?", T=100, last=0.2),
    preset("cosine", "how many more steps lie between data and noise?", kind="cosine", T=100),
    preset("straight", "where does this one spend its steps?", kind="straight", T=100),
]


def panel(
    linear_betas: Callable[..., Any] | None,
    alpha_bar_of: Callable[..., Any] | None,
    cosine_alpha_bar: Callable[..., Any] | None,
) -> Panel:
    """Schedules; see `widgets.diffusion.schedules`."""
    return Panel(
        "How much noise, and when?",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            choice("kind", "shown on the right", "linear", KINDS),
            slider("T", "steps T", 1000, 20, 1000, 20),
            slider("last", "last β (linear)", 0.02, 0.005, 0.4, 0.005),
        ],
        presets=PRESETS,
        given=(linear_betas, alpha_bar_of, cosine_alpha_bar),
    )
