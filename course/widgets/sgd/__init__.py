"""Widgets of `04_sgd`. Each is one phenomenon; with your function, it draws yours.

What yours is drawn against is torch's own: its optimisers, schedulers and samplers.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def landscape() -> Any:
    """The walk: batch, mini-batch and stochastic on one surface, which shifts underneath."""
    from . import walk

    return walk.panel()


@free_when_grading
def race(*steps: Callable[..., Any]) -> Any:
    """torch's optimisers on a ravine, a saddle and Rosenbrock; yours run along.

    steps: `momentum_step`, `nesterov_step`, `adagrad_step`, `rmsprop_step`, `adam_step` as in the
    exercises; any other name is called as f(w, state, gradient, t) with w, gradient (2,), a dict
    that is empty at t = 1, and returns the new w.
    """
    from . import contest

    return contest.panel(steps)


@free_when_grading
def noise(
    gradient_variance: Callable[..., Any] | None = None,
    sample_gradients: Callable[..., Any] | None = None,
) -> Any:
    """Mini-batch gradients around the batch gradient, and the ball in which a walker roams.

    With yours, called as gradient_variance(gradients (64, 2), size, replacement) and
    sample_gradients(w (2,), x (64, 2), y (64,)).
    """
    from . import cloud

    return cloud.panel(gradient_variance, sample_gradients)


@free_when_grading
def epochs(minibatches: Callable[..., Any] | None = None) -> Any:
    """Which example comes when, epoch by epoch, and what each mini-batch holds of two classes.

    minibatches: yours, called as minibatches(48, size, generator).
    """
    from . import order

    return order.panel(minibatches)


@free_when_grading
def duplicates(sgd: Callable[..., Any] | None = None) -> Any:
    """One epoch over copies of 100 examples: one step, or one step a mini-batch.

    sgd: yours, called as sgd(gradient, w, x, y, batches, lr).
    """
    from . import copies

    return copies.panel(sgd)


@free_when_grading
def schedule(rate: Callable[..., Any] | None = None) -> Any:
    """A learning rate over time, and how near a noisy walk comes with it.

    rate: your `linear_decay(t, tau, eta0, eta_tau)` or `one_cycle(t, total, max_lr)`.
    """
    from . import rates

    return rates.panel(rate)


@free_when_grading
def balance(balanced_weights: Callable[..., Any] | None = None) -> Any:
    """Rare and common classes: how many examples, and how much weight.

    balanced_weights: yours, called with labels (200,).
    """
    from . import classes

    return classes.panel(balanced_weights)
