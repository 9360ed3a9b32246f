"""Graphs whose nodes have a number each, and what layer after layer makes of the numbers.

Source: Minhas, "How does a graph neural network layer work?".
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import networkx as nx
import torch
from torch import Tensor
from torch_geometric.nn import APPNP, SimpleConv
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import scatter

from course.data import graphs

from .. import student
from ..style import number

LAYERS = 6
HOWS = {"mean": "mean", "sum": "sum", "max": "maximum", "gcn": "GCN's weights"}


@dataclass(frozen=True)
class Place:
    """A graph to be drawn: at (n, 2) within the unit square, edges (2, m), x (n,), side (n,)."""

    at: Tensor
    edges: Tensor
    x: Tensor
    side: Tensor | None = None


def _laid_out(graph: Any) -> Tensor:
    at = torch.tensor([p.tolist() for p in nx.kamada_kawai_layout(graph).values()])
    return (at - at.amin(0)) / (at.amax(0) - at.amin(0))


@lru_cache
def place(name: str) -> Place:
    """The graph of that name."""
    if name == "club":
        _, edges, y = graphs.karate()
        x = torch.zeros(34)
        x[0], x[33] = 1.0, -1.0
        return Place(_laid_out(nx.karate_club_graph()), edges, x, 1.0 - 2.0 * y)
    if name == "chain":
        at = torch.stack([torch.linspace(0, 1, 7), torch.tensor([0.4, 0.6] * 3 + [0.4])], 1)
        return Place(at, graphs.both_ways(nx.path_graph(7)), torch.eye(7)[0])
    if name == "street":
        at = torch.tensor([[0.0, 0.5], [0.3, 0.5], [0.6, 0.8], [0.6, 0.2], [1.0, 0.5]])
        edges = torch.tensor([[0, 1, 1, 2, 3], [1, 2, 3, 4, 4]])
        return Place(at, edges, torch.eye(5)[1])
    if name == "hermit":
        at = torch.tensor([[0.0, 0.2], [0.3, 0.8], [0.5, 0.1], [0.75, 0.6], [1.0, 0.15]])
        return Place(
            at,
            graphs.both_ways(nx.Graph([(0, 1), (1, 2), (0, 2), (1, 3)])),
            torch.tensor([-1.0, -0.5, -0.25, -1.0, -1.0]),
        )
    turn = torch.arange(8) * torch.pi / 4
    around = 0.5 + 0.5 * torch.stack([turn.cos(), turn.sin()], 1)
    return Place(
        torch.cat([torch.full((1, 2), 0.5), around]),
        graphs.both_ways(nx.star_graph(8)),
        torch.ones(9),
    )


def _layer(x: Tensor, edges: Tensor, how: str) -> Tensor:
    if how == "gcn":
        return APPNP(K=1, alpha=0.0)(x, edges)
    return x / 2 + SimpleConv(aggr=how)(x, edges) / 2


@lru_cache
def truth(name: str, how: str) -> tuple[Tensor, Tensor]:
    """Values (LAYERS + 1, n), and the size of d value_i / d x_j: (LAYERS + 1, n, n), row i."""
    p = place(name)
    n = len(p.x)
    start = p.x.double()[:, None].expand(n, n).clone().requires_grad_()  # a copy for each output
    values, reach, now = [p.x.double()], [torch.eye(n, dtype=torch.float64)], start
    for _ in range(LAYERS):
        now = _layer(now, p.edges, how)
        (slopes,) = torch.autograd.grad(now.diagonal().sum(), start, retain_graph=True)
        values.append(now[:, 0].detach())
        reach.append(slopes.T.abs())
    return torch.stack(values), torch.stack(reach)


@lru_cache
def hops(name: str) -> Tensor:
    """How many edges a message needs from j to i: (n, n), row i; -1 where there is no way."""
    p = place(name)
    graph = nx.DiGraph(p.edges.T.tolist())
    far = torch.full((len(p.x), len(p.x)), -1).fill_diagonal_(0)
    for j, ways in nx.all_pairs_shortest_path_length(graph):
        for i, steps in ways.items():
            far[i, j] = steps
    return far


def yours(name: str, how: str, message_passing: Callable[..., Any]) -> tuple[Tensor | None, str]:
    """The layers by a student's function: (LAYERS + 1, n) or None, and what to say of it."""
    p = place(name)
    n = len(p.x)
    edges, weight = p.edges, torch.ones(p.edges.shape[1], dtype=torch.float64)
    if how == "gcn":
        edges, weight = gcn_norm(p.edges, num_nodes=n, dtype=torch.float64)

    def together(messages: Tensor, target: Tensor, n: int) -> Tensor:
        return scatter(messages, target, dim_size=n, reduce="sum" if how == "gcn" else how)

    def all_layers() -> Tensor:
        made = [p.x.double()[:, None]]
        for _ in range(LAYERS):
            new = message_passing(
                made[-1].clone(),
                edges.clone(),
                lambda _, x_j: weight[:, None] * x_j,
                together,
                (lambda _, m: m) if how == "gcn" else (lambda x, m: (x + m) / 2),
            )
            if not isinstance(new, Tensor) or new.shape != (n, 1):
                shape = tuple(getattr(new, "shape", ())) or type(new).__name__
                raise ValueError(f"a layer gave {shape}, expected shape ({n}, 1)")
            made.append(new)
        return torch.cat(made, 1).T

    all_layers.__name__ = student.name_of(message_passing)
    got, note = student.call(all_layers, shape=(LAYERS + 1, n))
    return got, note.replace("the dashed line is", "drawn is")


def told(name: str, how: str, values: Tensor) -> list[list[str]]:
    """One sentence for each number of layers and each node, with the numbers of that step."""
    p, far = place(name), hops(name)
    n = len(p.x)
    nodes = range(n)
    sentences = [[_start(i, values) for i in nodes]]
    for t in range(1, LAYERS + 1):
        row = []
        for i in nodes:
            heard = int(((far[i] >= 0) & (far[i] <= t)).sum())
            plural = "layer" if t == 1 else "layers"
            row.append(
                f"After {t} {plural} node {i} has {short(values[t, i])}: "
                f"{_came(p, how, values, t, i)} It has heard of {heard} of {n} nodes."
            )
        sentences.append(row)
    if p.side is not None:
        for t, row in enumerate(sentences):
            agree = int((values[t].sign() == p.side).sum())
            end = f" {agree} of {n} signs agree with the side taken years later."
            sentences[t] = [said + end for said in row]
    return sentences


def _start(i: int, values: Tensor) -> str:
    return f"Before the first layer node {i} has {short(values[0, i])} and has heard nobody."


def _came(p: Place, how: str, values: Tensor, t: int, i: int) -> str:
    before = values[t - 1]
    senders = p.edges[0, p.edges[1] == i].tolist()
    some = ", ".join(f"{short(before[j])} from {j}" for j in senders[:4])
    more = ", \N{HORIZONTAL ELLIPSIS}" if len(senders) > 4 else ""
    came = f"{len(senders)} {'message' if len(senders) == 1 else 'messages'} ({some}{more})"
    if how == "gcn":
        return f"its own {short(before[i])} and {came}, weighed by degrees and added."
    half = f"half its own {short(before[i])} and half "
    return half + (f"the {HOWS[how]} of {came}." if senders else "of 0, for nobody sends to it.")


def short(value: Any) -> str:
    """A number as it is shown beside a node and in a sentence."""
    return number(float(value)).replace("-", "\N{MINUS SIGN}")
