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
