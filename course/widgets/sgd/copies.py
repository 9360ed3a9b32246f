"""The experiment with copies: one epoch over copies of 100 examples.

Source: Karatzas, "A mental experiment" (1000 examples, 10 copies of 100).
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from .surfaces import descend, fields

ONE = 100
START = (-1.5, 1.5)


def gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Mean gradient (2,) of a linear neuron's loss on a batch."""
    return torch.mv(x.T, torch.mv(x, w) - y) / len(y)


def compute(state: State, sgd: Callable[..., Any] | None = None) -> dict[str, Any]:
    """One epoch in one step, and in mini-batches.

    state: copies, size, lr, seed. seen, high and batch_seen, batch_high: share of the epoch, and
    heights; path, batch_path (steps + 1, 2); yours (steps + 1, 2) or None.
    """
    count, size, lr = int(state["copies"]), int(state["size"]), float(state["lr"])
    generator = torch.Generator().manual_seed(int(state["seed"]))
    x = torch.randn(ONE, 2, generator=generator, dtype=torch.float64)
    y = x @ torch.tensor([1.0, -1.0], dtype=x.dtype)
    y = y + 0.5 * torch.randn(ONE, generator=generator, dtype=x.dtype)
    many_x, many_y = x.repeat(count, 1), y.repeat(count)
    start = torch.tensor(START, dtype=x.dtype)
    batches = list(torch.arange(ONE * count).split(size))

    squares = torch.einsum("ni,nj->nij", many_x, many_x).flatten(1)
    gradients = torch.cat([-many_y[:, None] * many_x, squares], 1)

    def walk(each: int) -> Tensor:
        step = torch.arange(ONE * count) // each
        many = step.bincount()
        mean = torch.zeros(len(many), 6, dtype=x.dtype).index_add(0, step, gradients)
        mean /= many[:, None]
        return descend(fields(mean[:, :2], mean[:, 2:]), start, [lr] * len(many))

    def height(path: Tensor) -> Tensor:
        return (path @ x.T - y).square().mean(1) / 2 - lowest

    best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    lowest = float((x @ best - y).square().mean()) / 2
    path, batch_path, yours, note = walk(size), walk(ONE * count), None, ""
    if sgd is not None:
        yours, note = student.against(path, sgd, gradient, start, many_x, many_y, batches, lr)
    ends = torch.tensor([0, *(len(b) for b in batches)]).cumsum(0)
    return {
        "path": path,
        "batch_path": batch_path,
        "yours": yours,
        "note": note,
        "seen": ends / (ONE * count),
        "high": height(path),
        "batch_high": height(batch_path),
        "batch_seen": [0, 1],
        "yours_high": None if yours is None else height(yours),
        "total": ONE * count,
    }


def draw(figure: Figure, style: Style) -> Update:
    """The path in the plane (cause), the height by examples seen (effect)."""
    plane, high = style.axes(figure, ["path of the weights in one epoch", "how much too high"])
    plane.set(xlim=(-2, 1.6), ylim=(-1.6, 2), xlabel="w₁", ylabel="w₂")
    plane.plot(1, -1, marker="*", ms=14, color=style.green, ls="")
    high.set(yscale="log", ylim=(1e-5, 20), xlim=(0, 1.02), xlabel="share of the epoch seen")
    lines = {}
    for key, ax in (("yours", plane), ("path", plane), ("batch_path", plane)):
        role = {"yours": "curve", "path": "truth", "batch_path": "tangent"}[key]
        look = {"marker": "o", "ms": 4, "animated": True, **style.line(role)}
        look["zorder"] = {"yours": 1, "path": 3, "batch_path": 2}[key]  # dashes over the line
        lines[key] = ax.plot([], [], **look)[0]
        lines[key + "h"] = high.plot([], [], **look)[0]
    style.legend(
        high,
        handles=[lines["pathh"], lines["batch_pathh"], lines["yoursh"]],
        labels=["mini-batches", "one batch", "your sgd"],
        loc="upper right",
        bbox_to_anchor=(1, 0.78),
    )

    def update(a: Arrays) -> None:
        for key, high, seen in (
            ("path", "high", "seen"), ("batch_path", "batch_high", "batch_seen"),
            ("yours", "yours_high", "seen"),
        ):  # fmt: skip
            there = a[key] is not None
            trace(lines[key], *(a[key].T if there else (None, None)))
            trace(lines[key + "h"], a[seen], a[high].clamp(1e-5) if there else None)

    return update


def caption(state: State, a: Arrays) -> str:
    """How high each ends after one epoch."""
    steps = len(a["path"]) - 1
    return said(
        a["note"],
        f"After one epoch over {a['total']} examples ({int(state['copies'])} × {ONE}): one batch "
        f"step ends {number(float(a['batch_high'][-1]))} too high, {steps} mini-batch "
        f"step{'s' * (steps != 1)} of {int(state['size'])} end{'s' * (steps == 1)} "
        f"{number(float(a['high'][-1]))} too high.",
    )


PRESETS = [
    preset(
        "10 × 100",
        "1000 examples, ten of each: how much does the tenth copy teach the batch walker?",
        copies=10,
        size=100,
        lr=0.5,
    ),
    preset("no copies", "100 examples, batches of 100: what is left of the difference?", copies=1),
    preset(
        "no copies, small batches",
        "no copies, but batches of 10: is the trick gone?",
        copies=1,
        size=10,
    ),
    preset(
        "tens", "a hundred steps of ten examples each: does it end lower still?", size=10, lr=0.2
    ),
]


def panel(sgd: Callable[..., Any] | None) -> Panel:
    """The experiment with copies; see `widgets.sgd.duplicates`."""
    return Panel(
        "Copies of a hundred examples",
        compute,
        draw,
        caption,
        [
            slider("copies", "copies", 10, 1, 10, 1),
            slider("size", "batch size", 100, 5, 100, 5),
            slider("lr", "learning rate", 0.5, 0.05, 1.5, 0.05),
            seed(),
        ],
        PRESETS,
        given=(sgd,),
    )
