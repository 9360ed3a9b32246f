"""The karate club under ever more layers: all members become alike.

Source: Minhas, "How does a graph neural network layer work?"; Li, Han, Wu, "Deeper insights into
graph convolutional networks" (2018).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.nn import APPNP, SimpleConv
from torch_geometric.utils import add_self_loops

from course.data import graphs

from .. import student
from ..panel import Panel, State, choice, preset, seed, slider
from ..picture import Arrays, Update
from ..style import Style, number

DEPTH = 32
KINDS = {"gcn": "GCN", "mean": "plain mean", "start": "GCN, keep the start"}


@lru_cache(maxsize=64)
def walk(kind: str, draw_number: int) -> Tensor:
    """Two features of each member after 0 ... DEPTH layers, from random ones: (DEPTH + 1, 34, 2).

    "start" is APPNP (Gasteiger et al., 2019): 0.1 of the start mixed in at each layer.
    """
    _, edges, _ = graphs.karate()
    generator = torch.Generator().manual_seed(draw_number)
    x = [torch.randn(34, 2, generator=generator, dtype=torch.float64)]
    mean, own = SimpleConv(aggr="mean"), add_self_loops(edges)[0]
    for k in range(1, DEPTH + 1):
        if kind == "mean":
            x.append(mean(x[-1], own))
        else:
            x.append(
                APPNP(K=1, alpha=0.0)(x[-1], edges) if kind == "gcn" else _kept(x[0], edges, k)
            )
    return torch.stack(x)


def _kept(x: Tensor, edges: Tensor, layers: int) -> Tensor:
    return APPNP(K=layers, alpha=0.1)(x, edges)


def alike(x: Tensor) -> Tensor:
    """Mean cosine between members (…, 34, 2), by their angles in the plane: (…)."""
    turn = torch.atan2(x[..., 1], x[..., 0])
    cosines = (turn[..., :, None] - turn[..., None, :]).cos()
    n = x.shape[-2]
    return (cosines.sum((-1, -2)) - n) / (n * n - n)


def compute(state: State, smoothness: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Where the members are, and how alike at each depth.

    state: depth, kind, seed. x (34, 2), the longest of length 1; side (34,); truth, yours
    (DEPTH + 1,), yours nan where there is none; note.
    """
    k, draws = int(state["depth"]), int(state["seed"])
    path = walk(state["kind"], draws)
    truth, yours, note = alike(path), torch.full((DEPTH + 1,), torch.nan), ""
    if smoothness is not None:

        def all_depths(path: Tensor) -> Tensor:
            return torch.stack([torch.as_tensor(smoothness(x)).reshape(()) for x in path])

        all_depths.__name__ = student.name_of(smoothness)
        got, note = student.call(all_depths, path, shape=(DEPTH + 1,))
        yours = yours if got is None else got
        note = note or student.compared(all_depths, yours, truth)
    x = path[k]
    return {
        "x": x / x.norm(dim=1).max(),
        "side": graphs.karate()[2],
        "truth": truth,
        "yours": yours,
        "given": smoothness is not None,
        "depth": k,
        "note": note,
    }


def draw(figure: Figure, style: Style) -> Update:
    """The members in the plane (cause); how alike they are by depth (effect)."""
    plane, curve = style.axes(
        figure, ["members' features, the longest is 1", "mean cosine, by number of layers"], (2, 3)
    )
    plane.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    plane.axhline(0, color=style.grid)
    plane.axvline(0, color=style.grid)
    marks = [
        plane.plot([], [], m, ms=7, color=c, mec=style.paper, mew=0.8, alpha=0.85, animated=True)[0]
        for m, c in (("o", style.blue), ("s", style.orange))
    ]
    style.legend(plane, handles=marks, labels=["instructor's", "officer's"], loc="upper left")
    curve.set(xlim=(0, DEPTH), ylim=(-0.1, 1.05), xlabel="layers")
    curve.axhline(1, **style.line("guide"))
    yours = curve.plot([], [], animated=True, **style.line("curve"))[0]
    truth = curve.plot([], [], animated=True, **style.line("truth"))[0]
    here = curve.plot([], [], animated=True, **style.point())[0]

    def update(a: Arrays) -> None:
        for side, mark in enumerate(marks):
            own = a["x"][a["side"] == side]
            mark.set_data(own[:, 0], own[:, 1])
        steps = torch.arange(DEPTH + 1)
        yours.set_data(steps, a["yours"] if a["given"] else a["truth"])
        truth.set_data(steps, a["truth"])
        truth.set_visible(a["given"])
        here.set_data([a["depth"]], [a["truth"][a["depth"]]])

    return update


def caption(_state: State, a: Arrays) -> str:
    """How alike the members are at this depth, and how far apart the two leaders."""
    k = a["depth"]
    first, last = a["x"][0], a["x"][33]
    turn = torch.nn.functional.cosine_similarity(first, last, dim=0).clamp(-1, 1).acos().rad2deg()
    layers = "1 layer" if k == 1 else f"{k} layers"
    alike_now = number(float(a["truth"][k]), 3).replace("-", "\N{MINUS SIGN}")
    return " ".join(
        filter(
            None,
            [
                a["note"],
                f"After {layers} the mean cosine is {alike_now}, and the two leaders are "
                f"{float(turn):.0f}° apart.",
            ],
        )
    )


PRESETS = [
    preset(
        "three layers",
        "are the clubs on different sides now? And where will they be after thirty layers?",
        depth=3,
        kind="gcn",
    ),
    preset("at the start", "random features: what should the mean cosine be, about?", depth=0),
    preset("very deep", "all on one line: what is left that tells members apart?", depth=32),
    preset(
        "plain mean",
        "a mean in place of GCN's weights: what differs between members at the end?",
        depth=32,
        kind="mean",
    ),
    preset(
        "keep the start",
        "0.1 of the start is mixed in at each layer: does depth still harm?",
        depth=32,
        kind="start",
    ),
]


def panel(smoothness: Callable[..., Any] | None) -> Panel:
    """The club by depth; see `widgets.gnn.oversmoothing`."""
    return Panel(
        "Layer upon layer",
        compute=lambda state: compute(state, smoothness),
        draw=draw,
        caption=caption,
        controls=[
            slider("depth", "layers", 3, 0, DEPTH, 1, play=150),
            choice("kind", "layer", "gcn", KINDS),
            seed(value=6),
        ],
        presets=PRESETS,
    )
