"""Small graphs for `10_gnn`: a club of people, and rings against trees.

From networkx (BSD licence), which has the club in its source and makes the others; nothing is
downloaded. Edges come as PyTorch Geometric has them: `edge_index` (2, edges), int64, from row 0 to
row 1; a friendship is two edges.
"""

import networkx as nx
import torch
from torch import Tensor


def karate() -> tuple[Tensor, Tensor, Tensor]:
    """Zachary's karate club: x (34, 34), edge_index (2, 156), y (34,), int64.

    78 friendships among 34 people; y is which side each took when the club split: 0 with the
    instructor (node 0), 1 with the officer (node 33). Nothing else is known of anybody, so x is the
    identity: each is known by name. Source: Zachary, J. Anthropol. Res. 33 (1977), 452-473.
    """
    club = nx.karate_club_graph()
    sides = [club.nodes[i]["club"] != "Mr. Hi" for i in range(34)]
    return torch.eye(34), both_ways(club), torch.tensor(sides).long()


def cycles_and_trees(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`count` graphs of 6 to 15 nodes in one: x (nodes, 1), edge_index, batch (nodes,), y (count,).

    Each is a cycle (y = 0) or a tree (y = 1), at even odds; batch says to which graph a node
    belongs. All nodes look the same: x is all ones.
    """
    generator = torch.Generator().manual_seed(seed)
    edges, batch, nodes = [], [], 0
    y = torch.randint(0, 2, (count,), generator=generator)
    for i, is_tree in enumerate(y.tolist()):
        n, draw = (int(torch.randint(*r, (), generator=generator)) for r in ((6, 16), (0, 10**6)))
        graph = nx.random_labeled_tree(n, seed=draw) if is_tree else nx.cycle_graph(n)
        edges.append(both_ways(graph) + nodes)
        batch += [i] * n
        nodes += n
    return torch.ones(nodes, 1), torch.cat(edges, 1), torch.tensor(batch), y


def both_ways(graph: nx.Graph) -> Tensor:
    """edge_index (2, 2 x edges) of an undirected graph whose nodes are 0 ... n - 1."""
    edges = torch.tensor(sorted(graph.edges)).T
    return torch.cat([edges, edges.flip(0)], 1)
