"""Widgets of `01_activations`. Each is one phenomenon; with your function, it draws yours.

The truth that yours is drawn against is torch's own, dashed.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def explorer(
    f: Callable[..., Any] | None = None,
    f_prime: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """An activation, its slope and the tangent at a draggable point.

    f, f_prime: yours, called as f(z), or f(z, alpha) or f(z, beta) where there is a parameter, with
    z (241,); drawn against the activation `name` (default: f's own name). ValueError if there is no
    such activation.
    """
    from . import curve

    return curve.panel(f, f_prime, name)


@free_when_grading
def tower(norms: Callable[..., Any] | None = None) -> Any:
    """A gradient on its way down a tower of layers: depth, activation, scale of the weights.

    norms: your `layer_gradient_norms(depth, g, x)`, drawn against the truth. As in the exercise,
    each unit is then wired to the one above it, with one weight on every link.
    """
    from . import depth

    return depth.panel(norms)


@free_when_grading
def zigzag() -> Any:
    """The path of gradient steps when all inputs are positive, and when they are centred on 0."""
    from . import path

    return path.panel()


@free_when_grading
def saturation(
    saturated_fraction: Callable[..., Any] | None = None,
    dead_units: Callable[..., Any] | None = None,
) -> Any:
    """A layer's activations on a batch: which share is stuck at a flat end, which units are dead.

    With yours, called as saturated_fraction(h, low, high, margin) and dead_units(h) with
    h (80, 40): what they say, against the truth. For ReLU and ELU, which are flat on one side
    only, `high` is infinite.
    """
    from . import batch

    return batch.panel(saturated_fraction, dead_units)


@free_when_grading
def neuron(f: Callable[..., Any] | None = None) -> Any:
    """One neuron as a linear classifier: drag the points, the line and the tip of w.

    f: your `neuron(x, w, b, g)`, called with x (41, 41, 2) and w (2,); its field is drawn, and the
    true line dashed.
    """
    from . import plane

    return plane.Neuron(f)
