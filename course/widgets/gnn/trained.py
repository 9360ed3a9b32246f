"""What a trained net gets right: sides of the karate club, and rings against trees.

Training takes some tenths of a second; each run is kept.
"""

from collections.abc import Callable
from typing import Any

import networkx as nx
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from course.data import graphs

from .. import student
from ..panel import Panel, State, choice, preset, seed
from ..picture import Arrays, Update
from ..style import Style, number
from . import rounds

KNOWN = {
    "leaders": ("0 and 33, the leaders", [0, 33]),
    "rim": ("16 and 26, at the rim", [16, 26]),
    "border": ("8 and 2, between the clubs", [8, 2]),
    "one side": ("0 and 1, one side only", [0, 1]),
    "four": ("0, 2, 32 and 33", [0, 2, 32, 33]),
}
GRAPHS, COLUMNS = 40, 10

Run = tuple[Tensor | None, str]


def _once(call: Callable[[str, int], Run]) -> Callable[[str, int], Run]:
    """`call`, which is asked a second time only for what it was not asked before."""
    kept: dict[tuple[str, int], Run] = {}

    def asked(which: str, draws: int) -> Run:
        if (which, draws) not in kept:
            kept[which, draws] = call(which, draws)
        return kept[which, draws]

    return asked


def _whole(run: Run) -> Run:
    """Classes as whole numbers; a note in place of the dashed line that is not there."""
    got, note = run
    note = note.replace(": the dashed line is what it should do", "")
    return (None if got is None or note else got.long()), note


def sides(train_karate: Callable[..., Any] | None) -> Callable[[str, int], Run]:
    """The predicted sides (34,) for the labels called `which` and a seed, and what to say."""

    def call(which: str, draws: int) -> Run:
        if train_karate is None:
            return None, "With your `train_karate` in it, each member is put on a side."
        x, edge_index, y = graphs.karate()
        y_known = torch.full_like(y, -1)
        y_known[KNOWN[which][1]] = y[KNOWN[which][1]]
        return _whole(student.call(train_karate, x, edge_index, y_known, draws, shape=(34,)))

    return _once(call)


def compute_club(state: State, run: Callable[[str, int], Run]) -> dict[str, Any]:
    """state: known, seed. side, truth (34,): predicted (or None) and true; known; note."""
    got, note = run(state["known"], int(state["seed"]))
    truth = graphs.karate()[2]
    return {"side": got, "truth": truth, "known": KNOWN[state["known"]][1], "note": note}


def draw_club(figure: Figure, style: Style) -> Update:
    """Members where they sit among their friends, with the side predicted; wrong ones crossed."""
    (ax,) = style.axes(figure, ["the club: predicted sides"])
    p = rounds.place("club")
    ax.set(xlim=(-0.04, 1.3), ylim=(-0.08, 1.08), xticks=[], yticks=[])
    ax.grid(False)
    ends = [[p.at[s].tolist(), p.at[t].tolist()] for s, t in p.edges.T.tolist()]
    ax.add_collection(LineCollection(ends, colors=style.grid, lw=0.9, zorder=1))
    looks = [("o", style.blue), ("s", style.orange), ("o", style.muted)]
    marks = [
        ax.plot([], [], m, ms=15, color=c, mec=style.paper, animated=True, zorder=2)[0]
        for m, c in looks
    ]
    known = ax.plot([], [], "o", ms=21, mfc="none", mec=style.ink, mew=1.6, animated=True)[0]
    wrong = ax.plot([], [], "x", ms=21, color=style.ink, mew=2.6, animated=True, zorder=4)[0]
    for i, (x, y) in enumerate(p.at.tolist()):
        ax.text(x, y, str(i), size=8, color=style.paper, ha="center", va="center", animated=True,
                zorder=3, weight="bold")  # fmt: skip
    style.legend(
        ax,
        handles=[*marks[:2], known, wrong],
        labels=["with the instructor", "with the officer", "label known", "wrong"],
        loc="center right",
        markerscale=0.6,
    )

    def update(a: Arrays) -> None:
        side = torch.full((34,), 2) if a["side"] is None else a["side"].clamp(0, 1)
        for k, mark in enumerate(marks):
            own = p.at[side == k]
            mark.set_data(own[:, 0], own[:, 1])
        here = p.at[a["known"]]
        known.set_data(here[:, 0], here[:, 1])
        off = p.at[(side != a["truth"]) & (side < 2)]
        wrong.set_data(off[:, 0], off[:, 1])

    return update


def caption_club(state: State, a: Arrays) -> str:
    """How many are right, and who is wrong."""
    said = f"Known: {KNOWN[state['known']][0]}."
    if a["side"] is None:
        return f"{a['note']} {said}"
    off = (a["side"] != a["truth"]).nonzero().flatten().tolist()
    who = f"; wrong: {', '.join(map(str, off))}" if off else ""
    return f"{said} {34 - len(off)} of 34 right{who}."


def club(train_karate: Callable[..., Any] | None) -> Panel:
    """The club; see `widgets.gnn.club`."""
    run = sides(train_karate)
    return Panel(
        "The club, from two labels",
        compute=lambda state: compute_club(state, run),
        draw=draw_club,
        caption=caption_club,
        controls=[
            choice("known", "labels", "leaders", {key: text for key, (text, _) in KNOWN.items()}),
            seed(),
        ],
        presets=[
            preset("two leaders", "who will be wrong, and why?", known="leaders"),
            preset("at the rim", "two with few friends are known: worse or not?", known="rim"),
            preset("between the clubs", "friends on both sides: is that a good teacher?",
                   known="border"),
            preset("one side only", "one class was never seen: who gets it?", known="one side"),
            preset("four labels", "does member 8 come right with more labels?", known="four"),
        ],
    )  # fmt: skip


def classes(classify_graphs: Callable[..., Any] | None) -> Callable[[str, int], Run]:
    """The predicted classes (GRAPHS,) of unseen graphs, for a seed, and what to say."""

    def call(which: str, draws: int) -> Run:
        if classify_graphs is None:
            return None, "With your `classify_graphs` in it, each graph is called a ring or a tree."
        *train, y = graphs.cycles_and_trees(int(which), 1000 + draws)
        *test, _ = graphs.cycles_and_trees(GRAPHS, 5000 + draws)
        call_it = lambda *a: classify_graphs(tuple(a[:3]), a[3], tuple(a[4:7]), a[7])  # noqa: E731
        call_it.__name__ = student.name_of(classify_graphs)
        return _whole(student.call(call_it, *train, y, *test, draws, shape=(GRAPHS,)))

    return _once(call)


def compute_rings(state: State, run: Callable[[str, int], Run]) -> dict[str, Any]:
    """state: many, seed. side (GRAPHS,) predicted or None; truth; at, edges: the graphs; note."""
    draws = int(state["seed"])
    got, note = run(state["many"], draws)
    _, edges, batch, y = graphs.cycles_and_trees(GRAPHS, 5000 + draws)
    return {"side": got, "truth": y, "at": _places(edges, batch), "edges": edges, "note": note}


def _places(edges: Tensor, batch: Tensor) -> Tensor:
    """Each graph of a batch in a cell of its own: (n, 2)."""
    at = torch.zeros(len(batch), 2)
    whole = nx.Graph(edges.T.tolist())
    for g in range(GRAPHS):
        nodes = (batch == g).nonzero().flatten().tolist()
        small = whole.subgraph(nodes)
        ring = {d for _, d in small.degree} == {2}
        walk = list(nx.dfs_preorder_nodes(small, nodes[0]))
        found = nx.circular_layout(walk) if ring else nx.spring_layout(small, seed=1)
        for node, place in found.items():
            at[node] = torch.tensor(place.tolist())
        own = at[nodes]
        own = 0.32 * (own - own.mean(0)) / (own - own.mean(0)).abs().max()
        at[nodes] = own + torch.tensor([float(g % COLUMNS), -float(g // COLUMNS)])
    return at


def draw_rings(figure: Figure, style: Style) -> Update:
    """Unseen graphs, by what they were taken for."""
    (ax,) = style.axes(figure, ["40 unseen graphs, by what they were taken for"])
    rows = GRAPHS // COLUMNS
    ax.set(xlim=(-0.6, COLUMNS + 1.2), ylim=(-rows + 0.4, 0.6), xticks=[], yticks=[])
    ax.grid(False)
    looks = [("-", style.blue), ((0, (3, 1)), style.orange), (":", style.muted)]
    drawn = []
    for dashes, colour in looks:
        lines = LineCollection([], colors=colour, linestyles=[dashes], lw=1.8, animated=True)
        ax.add_collection(lines)
        drawn.append(lines)
    wrong = ax.plot([], [], "x", ms=26, color=style.ink, mew=2.4, animated=True)[0]
    style.legend(
        ax,
        handles=[*drawn[:2], wrong],
        labels=["a cycle", "a tree", "wrong"],
        loc="center right",
        markerscale=0.35,
    )

    def update(a: Arrays) -> None:
        side = torch.full((GRAPHS,), 2) if a["side"] is None else a["side"].clamp(0, 1)
        cells = torch.stack([torch.arange(GRAPHS) % COLUMNS, -(torch.arange(GRAPHS) // COLUMNS)], 1)
        ends = a["at"][a["edges"].T]
        whose = (ends.mean(1)[:, 0].round() - ends.mean(1)[:, 1].round() * COLUMNS).long()
        for k, lines in enumerate(drawn):
            lines.set_segments(ends[side[whose] == k].tolist())
        off = cells[(side != a["truth"]) & (side < 2)]
        wrong.set_data(off[:, 0], off[:, 1])

    return update


def caption_rings(state: State, a: Arrays) -> str:
    """How many are right, of which kind."""
    trees = int(a["truth"].sum())
    said = f"Trained on {state['many']} graphs, asked {GRAPHS - trees} cycles and {trees} trees"
    if a["side"] is None:
        return f"{a['note']} {said}."
    off = a["side"] != a["truth"]
    share = number(100 * float((~off).double().mean()), 3)
    lost = int((off & (a["truth"] == 1)).sum())
    return f"{said}: {share} % right; {lost} trees and {int(off.sum()) - lost} cycles are wrong."


def rings(classify_graphs: Callable[..., Any] | None) -> Panel:
    """Rings and trees; see `widgets.gnn.rings`."""
    run = classes(classify_graphs)
    return Panel(
        "Cycle or tree?",
        compute=lambda state: compute_rings(state, run),
        draw=draw_rings,
        caption=caption_rings,
        controls=[
            choice("many", "trained on", "100", {n: f"{n} graphs" for n in ("100", "4", "2")}),
            seed(),
        ],
        presets=[
            preset("a hundred graphs", "which are the hardest to tell from a ring?", many="100"),
            preset("four graphs", "three trees and one ring to learn from: how many are wrong?",
                   many="4"),
            preset("two trees", "both examples are trees: what is a ring taken for?", many="2"),
        ],
    )  # fmt: skip
