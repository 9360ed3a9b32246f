"""Widgets of `03_backprop`. Each is one phenomenon; with your function, it draws yours.

The truth that yours is drawn against is autograd's.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def stepper(node: type | None = None) -> Any:
    """A computational graph, forward and backward, one step at a time; its inputs can be edited.

    node: your class `Node`, with value, grad, + * ** tanh relu exp and backward(). Values, local
    slopes and gradients are then its own, and an arrow on which it goes wrong glows.
    """
    from . import graph

    return graph.Stepper(node)


@free_when_grading
def nudge(numerical_gradient: Callable[..., Any] | None = None) -> Any:
    """A slope asked of the function itself: how the error depends on the size of the nudge.

    numerical_gradient: yours, called as numerical_gradient(f, w, eps) with w () in float32 and
    float64.
    """
    from . import slope

    return slope.panel(numerical_gradient)


@free_when_grading
def arrows(backward: Callable[..., Any] | None = None) -> Any:
    """The net 2-3-1 on XOR: its weights, and the gradients that come back along them.

    backward: your `backward(params, cache, y)`, whose thirteen gradients are drawn against the
    truth.
    """
    from . import net

    return net.panel(backward)


@free_when_grading
def xor(train_xor: Callable[..., Any] | None = None) -> Any:
    """What a net with one hidden layer of sigmoids makes of XOR while it trains.

    train_xor: your `train_xor(params, x, y, lr, steps)`, which then does the training.
    """
    from . import surface

    return surface.panel(train_xor)
