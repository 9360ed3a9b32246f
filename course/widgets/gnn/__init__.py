"""Widgets of `10_gnn`. Each is one phenomenon; with your function, it draws yours.

What yours is drawn against is PyTorch Geometric's own layers, and torch's own attention.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def hops(message_passing: Callable[..., Any] | None = None) -> Any:
    """The stepper: choose a node, and see its messages arrive hop by hop.

    message_passing: yours, called as message_passing(x (n, 1), edge_index, phi, aggregate, gamma).
    """
    from . import stepper

    return stepper.panel(message_passing)


@free_when_grading
def aggregators(aggregate: Callable[..., Any] | None = None) -> Any:
    """Two neighbourhoods under sum, mean and maximum: which tells them apart?

    aggregate: yours, called as aggregate(name)(messages (edges, 1), target (edges,), 2).
    """
    from . import crowd

    return crowd.panel(aggregate)


@free_when_grading
def oversmoothing(smoothness: Callable[..., Any] | None = None) -> Any:
    """The karate club layer by layer, until all its members look alike.

    smoothness: yours, called with x (34, 2).
    """
    from . import depth

    return depth.panel(smoothness)


@free_when_grading
def neighbours(attention_layer: Callable[..., Any] | None = None) -> Any:
    """One layer as a matrix of weights and as a graph: attention, convolution, GCN.

    attention_layer: yours, called with q (9, 2), k (9, 2), v (9, 9) and edge_index.
    """
    from . import weights

    return weights.panel(attention_layer)


@free_when_grading
def club(train_karate: Callable[..., Any] | None = None) -> Any:
    """The karate club's members on the sides that your net predicts, from two labels or four.

    train_karate: yours, called as train_karate(x, edge_index, y_known, seed).
    """
    from . import trained

    return trained.club(train_karate)


@free_when_grading
def rings(classify_graphs: Callable[..., Any] | None = None) -> Any:
    """Unseen cycles and trees, and what your net takes them for.

    classify_graphs: yours, called as classify_graphs(train, y, test, seed).
    """
    from . import trained

    return trained.rings(classify_graphs)
