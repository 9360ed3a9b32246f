"""One layer as a matrix of weights and as a graph: attention, convolution, GCN.

Source: Minhas, "Are Transformers (secretly) GNNs?".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import to_dense_adj

from .. import student
from ..panel import Panel, State, choice, preset, slider
from ..picture import Arrays, Update
from ..style import Style, number

N = 9
KINDS = {"attention": "what both nodes are", "offset": "the offset", "gcn": "the degrees"}
EDGES = {"all": "all nodes", "back": "earlier nodes and itself", "near": "next to it, and itself"}
KERNEL = (0.5, 0.2, 0.1, 0.05, 0.02, 0.03, 0.08, 0.15, 0.3)  # by offset, round the ring


@lru_cache
def tokens() -> tuple[Tensor, Tensor]:
    """Queries and keys (N, 2), float64."""
    generator = torch.Generator().manual_seed(4)
    q, k = (torch.randn(N, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    return q, k


def edges(kind: str) -> Tensor:
    """edge_index (2, edges) on a ring of N nodes."""
    i = torch.arange(N)
    off = (i[None] - i[:, None]) % N  # row j, column i
    keep = {"all": off >= 0, "back": i[:, None] <= i[None], "near": (off + 1) % N <= 2}
    return torch.stack(torch.where(keep[kind]))


def truth(state: State) -> Tensor:
    """The weights (N, N), row i for the node that hears, column j for the one that sends."""
    given = edges(state["edges"])
    may = to_dense_adj(given, max_num_nodes=N)[0].T.bool()
    if state["weights"] == "offset":
        i = torch.arange(N)
        return torch.tensor(KERNEL).double()[(i[:, None] - i[None]) % N] * may
    if state["weights"] == "gcn":
        both, weight = gcn_norm(given, num_nodes=N, dtype=torch.float64)
        return to_dense_adj(both, edge_attr=weight, max_num_nodes=N)[0].T
    q, k = tokens()
    values = torch.eye(N, dtype=torch.float64)  # so that what comes out is the weights
    return F.scaled_dot_product_attention(float(state["theta"]) * q, k, values, attn_mask=may)


def compute(state: State, attention_layer: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The weights and one node's share.

    state: weights, edges, theta, node. w (N, N), row i hears; node; note.
    """
    w, note = truth(state), ""
    if attention_layer is not None and state["weights"] == "attention":
        q, k = tokens()
        values = torch.eye(N, dtype=torch.float64)
        got, note = student.call(
            attention_layer, float(state["theta"]) * q, k, values, edges(state["edges"]),
            shape=(N, N),
        )  # fmt: skip
        name = student.name_of(attention_layer)
        note = note.replace("the dashed line is", "drawn is")
        if got is not None and not note:
            off = ~torch.isclose(got, w, rtol=1e-4, atol=1e-6).all(1)
            note = (
                f"Your `{name}` departs from torch's at {int(off.sum())} of {N} nodes."
                if off.any()
                else f"Your `{name}` is torch's attention, on these edges."
            )
        w = w if got is None else got.nan_to_num(0.0)
    return {"w": w, "node": int(state["node"]), "note": note, "given": edges(state["edges"])}


def draw(figure: Figure, style: Style) -> Update:
    """The weights as a matrix, and as edges that end at one node."""
    table, ring = style.axes(figure, ["row i hears column j", "the same, to one node"])
    table.set(
        xlim=(-0.5, N - 0.5), ylim=(N - 0.5, -0.5), xticks=range(N), yticks=range(N), aspect="equal"
    )
    table.grid(False)
    blank = torch.zeros(N, N, 4).numpy()
    image = table.imshow(blank, interpolation="nearest", animated=True)
    frame = table.plot([], [], color=style.orange, lw=2.2, animated=True)[0]
    numbers = [
        table.text(j, 0, "", size=7.5, color=style.ink, ha="center", va="center", animated=True)
        for j in range(N)
    ]
    ring.set(xlim=(-1.35, 1.35), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
    ring.grid(False)
    for spine in ring.spines.values():
        spine.set_visible(False)
    turn = torch.pi / 2 - torch.arange(N) * 2 * torch.pi / N
    at = torch.stack([turn.cos(), turn.sin()], 1)
    lines = LineCollection([], colors=style.blue, animated=True, zorder=1)
    ring.add_collection(lines)
    ring.plot(at[:, 0], at[:, 1], "o", ms=21, mfc=style.paper, mec=style.muted, zorder=2)
    chosen = ring.plot([], [], "o", ms=21, mfc="none", mec=style.orange, mew=2.4, animated=True,
                       zorder=4)[0]  # fmt: skip
    for i, (x, y) in enumerate(at.tolist()):
        ring.text(x, y, str(i), size=9, color=style.ink, ha="center", va="center", zorder=3)
    shares = [
        ring.text(1.24 * x, 1.22 * y, "", size=8, color=style.ink, ha="center", va="center",
                  animated=True)
        for x, y in at.tolist()
    ]  # fmt: skip
    tint = torch.tensor(to_rgb(style.blue))

    def update(a: Arrays) -> None:
        w, i = a["w"], a["node"]
        strong = 0.85 * w.clamp(0, 1).sqrt().float()
        rgba = torch.cat([tint.expand(N, N, 3), strong[..., None]], -1)
        image.set_data(rgba.numpy())
        frame.set_data([-0.5, N - 0.5, N - 0.5, -0.5, -0.5],
                       [i - 0.5, i - 0.5, i + 0.5, i + 0.5, i - 0.5])  # fmt: skip
        mine = w[i].tolist()
        others = [j for j in range(N) if j != i]
        lines.set_segments([_between(at[j], at[i]) for j in others])
        lines.set_linewidth([min(12.0, 14 * abs(mine[j])) for j in others])
        chosen.set_data([at[i, 0]], [at[i, 1]])
        for j, (text, inside) in enumerate(zip(shares, numbers, strict=True)):
            text.set_text(_share(mine[j]))
            inside.set(text=_share(mine[j]), y=i)

    return update


def _between(start: Tensor, end: Tensor) -> list[list[float]]:
    """From disc to disc: what is drawn once lies below."""
    gap = 0.17 * (end - start) / (end - start).norm()
    return [(start + gap).tolist(), (end - gap).tolist()]


def _share(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}").replace("0.", ".") if value else ""


def caption(state: State, a: Arrays) -> str:
    """Whom the chosen node hears, and how much."""
    i, w = a["node"], a["w"][a["node"]]
    senders = a["given"][0, a["given"][1] == i].tolist()
    most = int(w.argmax())
    return " ".join(
        filter(
            None,
            [
                a["note"],
                f"Weights depend on {KINDS[state['weights']]}; edges that end at node {i}: "
                f"{len(senders)} of {a['given'].shape[1]}. It hears most of node {most} "
                f"({number(float(w[most]))}); its weights add up to {number(float(w.sum()), 3)}.",
            ],
        )
    )


PRESETS = [
    preset(
        "attention",
        "every node looks at every node: which row is the most even, and do columns add up to 1?",
        weights="attention",
        edges="all",
        theta=2.0,
        node=3,
    ),
    preset(
        "look back only",
        "as in a GPT: at whom can node 0 look, and with what weight?",
        edges="back",
        node=0,
    ),
    preset(
        "a convolution",
        "now weights depend on the offset only: where in the matrix do equal numbers stand?",
        weights="offset",
        edges="near",
    ),
    preset(
        "GCN on a ring",
        "everybody has the same degree: what is the weight?",
        weights="gcn",
        edges="near",
    ),
    preset("no preference", "all queries are 0: what is attention then?", theta=0.0),
]


def panel(attention_layer: Callable[..., Any] | None) -> Panel:
    """A layer is weights on neighbours; see `widgets.gnn.neighbours`."""
    return Panel(
        "A layer is weights on neighbours",
        compute=lambda state: compute(state, attention_layer),
        draw=draw,
        caption=caption,
        controls=[
            choice("weights", "weights depend on", "attention", KINDS),
            choice("edges", "a node hears", "all", EDGES),
            slider("theta", "queries times", 2.0, 0, 5, 0.1, when=("weights", ["attention"])),
            slider("node", "node", 3, 0, N - 1, 1),
        ],
        presets=PRESETS,
    )
