"""The receptive-field viewer: who feeds a unit, and how strongly each pixel counts.

A cut along one side of the image. After Moerland, "Stacking layers = Hierarchy".
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

PIXELS, DEEPEST = 81, 4
PATTERNS = {
    "plain": "stride 1 everywhere",
    "pool": "pooling by 2 after each",
    "stride": "stride 2 everywhere",
    "dilated": "dilation 1, 2, 4, 8",
}
Layer = tuple[int, int, int]  # kernel, stride, dilation


def layers(state: State) -> list[Layer]:
    """(kernel, stride, dilation) of each layer, first layer first."""
    k, depth = int(state["kernel"]), int(state["depth"])
    each: dict[str, list[Layer]] = {
        "plain": [(k, 1, 1)],
        "pool": [(k, 1, 1), (2, 2, 1)],
        "stride": [(k, 2, 1)],
    }
    if state["pattern"] == "dilated":
        return [(k, 1, 2**i) for i in range(depth)]
    return (each[state["pattern"]] * depth)[:depth]


def compute(state: State, receptive_field: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Units, connections and counts.

    state: depth, kernel, pattern, at (the pixel above which the unit stands). rows: the places of
    all units of each layer; active: of those that the unit depends on; links (n, 2, 2); counts
    (pixels,): the gradient by each pixel, all weights 1; field: pixels from first to last; yours.
    """
    stack = layers(state)
    x = torch.zeros(1, 1, PIXELS, requires_grad=True)
    rows, z, start, jump = [torch.arange(PIXELS).float()], x, 0.0, 1
    for k, stride, dilation in stack:
        weights = torch.ones(1, 1, k)
        z = torch.nn.functional.conv1d(z, weights, stride=stride, dilation=dilation)
        start += jump * dilation * (k - 1) / 2
        jump *= stride
        rows.append(start + jump * torch.arange(z.shape[-1]))
    unit = int((rows[-1] - float(state["at"])).abs().argmin())
    (counts,) = torch.autograd.grad(z[0, 0, unit], x)
    links, active, units = [], [rows[-1][[unit]]], torch.tensor([unit])
    for depth in range(len(stack), 0, -1):
        k, stride, dilation = stack[depth - 1]
        below = units[:, None] * stride + dilation * torch.arange(k)
        ends = torch.stack([rows[depth][units][:, None].expand_as(below), rows[depth - 1][below]])
        links += [((a, depth), (b, depth - 1)) for a, b in ends.flatten(1).T.tolist()]
        units = below.flatten().unique()
        active.insert(0, rows[depth - 1][units])
    seen = counts[0, 0].nonzero().flatten()
    first, last = int(seen[0]), int(seen[-1])
    yours, note = None, ""
    if receptive_field is not None:
        yours, note = _yours(receptive_field, stack, last - first + 1)
    return {
        "rows": rows, "active": active, "links": links, "counts": counts[0, 0], "unit": unit,
        "first": first, "last": last, "field": last - first + 1, "stack": stack,
        "middle": float(rows[-1][unit]), "yours": yours, "note": note,
    }  # fmt: skip


def _yours(f: Callable[..., Any], stack: list[Layer], field: int) -> tuple[float | None, str]:
    got, note = student.call(f, list(stack), shape=())
    note = note.replace("the dashed line is what it should do", "the bar is what it should count")
    if got is None or note:
        return None, note
    value, name = float(got), student.name_of(f)
    if value == field:
        return value, f"Your `{name}` says {value:.0f}, as the bar."
    return value, f"Your `{name}` says {number(value, 4)} (dashed); the bar is {field} long."


def draw(figure: Figure, style: Style) -> Update:
    """The cone of connections (cause); how much each pixel counts (effect)."""
    cone, profile = style.axes(
        figure, ["who feeds the unit (drag it)", "how much each pixel counts"], (3, 2)
    )
    for ax in (cone, profile):
        ax.set_xlim(-1, PIXELS)
        ax.set_xlabel("pixel")
    cone.set(ylim=(-0.75, DEEPEST + 0.4), yticks=range(DEEPEST + 1), ylabel="layer (0 = image)")
    cone.grid(False)
    profile.set(ylim=(0, 1.05), ylabel="share of the largest")
    links = LineCollection([], colors=style.blue, lw=0.8, alpha=0.5, animated=True)
    cone.add_collection(links)
    idle = cone.plot([], [], "o", ms=2.2, color=style.muted, animated=True)[0]
    busy = cone.plot([], [], "s", ms=3.6, color=style.blue, animated=True)[0]
    top = cone.plot([], [], animated=True, **style.point())[0]
    bar = cone.plot([], [], lw=4, color=style.orange, solid_capstyle="butt", animated=True)[0]
    dashed = cone.plot([], [], marker="|", ms=8, lw=1.6, ls=(0, (2, 1)), color=style.ink)[0]
    dashed.set_animated(True)
    area = profile.fill_between([0.0], [0.0], step="mid", color=style.blue, alpha=0.6)
    area.set_animated(True)
    places = np.arange(PIXELS)

    def update(a: Arrays) -> None:
        def points(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
            depths = [torch.full_like(row, depth) for depth, row in enumerate(rows)]
            return torch.cat(rows), torch.cat(depths)

        links.set_segments(a["links"])
        trace(idle, *points(a["rows"]))
        trace(busy, *points(a["active"]))
        top.set_data([a["middle"]], [len(a["stack"])])
        bar.set_data([a["first"] - 0.5, a["last"] + 0.5], [-0.4, -0.4])
        middle, half = (a["first"] + a["last"]) / 2, (a["yours"] or 0) / 2
        dashed.set_data([middle - half, middle + half], [-0.62, -0.62])
        dashed.set_visible(a["yours"] is not None)
        area.set_data(places, 0, (a["counts"] / a["counts"].max()).numpy())

    return update


def caption(_state: State, a: Arrays) -> str:
    """How wide the field is, and how unequal its pixels are."""
    shown = ", ".join(
        f"{k}" + (f"/{s}" if s > 1 else "") + (f" dilated {d}" if d > 1 else "")
        for k, s, d in a["stack"]
    )
    inside = a["counts"][a["first"] : a["last"] + 1]
    ratio = float(inside.max() / inside[0])
    holes = int((inside == 0).sum())
    holed = f", {holes} of them unseen" if holes else ""
    return said(
        a["note"],
        f"Kernels from the bottom (after the stroke: stride): {shown}. The unit depends on "
        f"{a['field']} pixels, {a['first']} to {a['last']}{holed}; the middle counts "
        f"{number(ratio, 3)} times as much as the edge.",
    )


PRESETS = [
    preset(
        "three small kernels",
        "how many pixels does one unit behind three layers of 3 depend on: 3, 7, 9 or 27?",
        depth=3,
        kernel=3,
        pattern="plain",
        at=40,
    ),
    preset(
        "one large kernel",
        "a kernel of 5 against two layers of 3: the same width. What differs on the right?",
        depth=1,
        kernel=5,
        pattern="plain",
    ),
    preset(
        "with pooling",
        "four layers, two of them pool: does the unit see more than without?",
        depth=4,
        kernel=3,
        pattern="pool",
    ),
    preset(
        "stride 2",
        "each layer doubles the step: how many pixels with a fourth layer?",
        depth=3,
        kernel=3,
        pattern="stride",
    ),
    preset(
        "dilated",
        "kernels of 2, pulled apart: how can the field be wide and yet every pixel count alike?",
        depth=4,
        kernel=2,
        pattern="dilated",
    ),
]


def panel(receptive_field: Callable[..., Any] | None) -> Panel:
    """The receptive-field viewer; see `widgets.cnn.receptive`."""
    return Panel(
        "What one unit sees",
        compute,
        draw,
        caption,
        [
            slider("depth", "layers", 3, 1, DEEPEST, 1),
            slider("kernel", "kernel", 3, 2, 5, 1),
            choice("pattern", "stride and dilation", "plain", PATTERNS),
            slider("at", "unit above pixel", 40, 0, PIXELS - 1, 1),
        ],
        PRESETS,
        given=(receptive_field,),
        drag=[{"axes": 0, "x": "at"}],
    )
