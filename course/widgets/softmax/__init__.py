"""Widgets of `02_softmax`. Each is one phenomenon; with your function, it draws yours.

The truth that yours is drawn against is torch's own, dashed.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def overflow(f: Callable[..., Any] | None = None) -> Any:
    """Three logits on the number line of float16, float32 or float64: push them until exp breaks.

    f: your softmax, called as f(x) with x (3,) in the format chosen; its bars are drawn, and the
    true ones dashed.
    """
    from . import walls

    return walls.Overflow(f)


@free_when_grading
def temperature(
    softmax_temperature: Callable[..., Any] | None = None,
    soft_maximum: Callable[..., Any] | None = None,
) -> Any:
    """Softmax of alpha z: from all equal to the winner takes all, and the two soft maxima.

    With yours, called as softmax_temperature(z, alpha) and soft_maximum(z, alpha) with z (4,).
    """
    from . import bars

    return bars.panel(softmax_temperature, soft_maximum)


@free_when_grading
def output_layer(
    predict_multiclass: Callable[..., Any] | None = None,
    predict_multilabel: Callable[..., Any] | None = None,
) -> Any:
    """The same five logits under one softmax (multi-class) and under five sigmoids (multi-label).

    With yours, called as predict_multiclass(logits) and predict_multilabel(logits, threshold) with
    logits (5,): what they answer is marked.
    """
    from . import heads

    return heads.panel(predict_multiclass, predict_multilabel)


@free_when_grading
def margins() -> Any:
    """Losses of a classifier over the margin y z: the loss, and how hard it pulls."""
    from . import margin

    return margin.panel()


@free_when_grading
def outlier(*losses: Callable[..., Any]) -> Any:
    """Lines fitted under four regression losses, while one point is moved away.

    losses: yours, named mse, mae, huber or log_cosh and called as loss(y_hat, y), or as
    huber(y_hat, y, delta), with one residual at a time; drawn against the truth. ValueError for
    another name.
    """
    from . import line

    return line.panel(losses)
