"""Widgets of `07_cnn`. Each is one phenomenon; with your function, it draws yours."""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def playground(kernel: Callable[..., Any] | None = None) -> Any:
    """A photograph and what nine weights make of it, each to be changed by hand.

    kernel: yours, called with a name; its kernels become buttons.
    """
    from . import paint

    return paint.Playground(kernel)


@free_when_grading
def stepper(*functions: Callable[..., Any]) -> Any:
    """The window on its way over a small image, its products and its sum.

    functions: yours, called as correlate2d(image, kernel), convolve2d(image, kernel),
    max_pool2d(x, size, stride) or avg_pool2d(x, size, stride).
    """
    from . import window

    return window.panel(functions)


@free_when_grading
def detector(learn_filter: Callable[..., Any] | None = None) -> Any:
    """A kernel that was learnt from one image, on another one.

    learn_filter: yours, called as learn_filter(x (32, 32), t (30, 30)).
    """
    from . import response

    return response.panel(learn_filter)


@free_when_grading
def receptive(receptive_field: Callable[..., Any] | None = None) -> Any:
    """Which pixels a unit of a deep layer depends on, and how strongly.

    receptive_field: yours, called with a list of (kernel, stride, dilation).
    """
    from . import cone

    return cone.panel(receptive_field)


@free_when_grading
def drawn(net: Callable[..., Any] | None = None, fit: Callable[..., Any] | None = None) -> Any:
    """A digit that you draw, the feature maps of your net, and what it reads.

    net: your class, called without arguments; fit: called as fit(net, x, y), returns a trained net.
    """
    from . import digit

    return digit.Drawn(net, fit)
