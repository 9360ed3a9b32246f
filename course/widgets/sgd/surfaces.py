"""The surfaces that walkers walk on, and plain descent on any of them.

Points are (..., 2), heights (...).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.sgd import sgd

Height = Callable[[Tensor], Tensor]
CELLS = 81  # the field is 81 x 81; as in walk.js
FAR = 1e4  # a walker that blew up stays here


@dataclass(frozen=True)
class Surface:
    """A height over the plane: where to look, where to start, where the bottom is."""

    name: str
    height: Height
    slope: Height  # its gradient at points (..., 2)
    box: tuple[float, float, float, float]  # left, right, bottom, top
    start: tuple[float, float]
    goals: tuple[tuple[float, float], ...]


def grid(box: tuple[float, float, float, float]) -> Tensor:
    """The points of the field (81, 81, 2), rows from the top down."""
    left, right, bottom, top = box
    columns = torch.linspace(left, right, CELLS, dtype=torch.float64)
    rows = torch.linspace(top, bottom, CELLS, dtype=torch.float64)
    b, a = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([a, b], -1)


def _ravine(w: Tensor) -> Tensor:
    return 0.01 * w[..., 0] ** 2 + 2 * w[..., 1] ** 2


def _saddle(w: Tensor) -> Tensor:
    return w[..., 0] ** 2 / 2 - w[..., 1] ** 2 / 2 + w[..., 1] ** 4 / 8 + 0.5


def _rosenbrock(w: Tensor) -> Tensor:
    return (1 - w[..., 0]) ** 2 + 10 * (w[..., 1] - w[..., 0] ** 2) ** 2


def _ravine_slope(w: Tensor) -> Tensor:
    return w * torch.tensor([0.02, 4.0], dtype=w.dtype)


def _saddle_slope(w: Tensor) -> Tensor:
    a, b = w.unbind(-1)
    return torch.stack([a, b * b * b / 2 - b], -1)


def _rosenbrock_slope(w: Tensor) -> Tensor:
    a, b = w.unbind(-1)
    off = b - a * a
    return torch.stack([-2 * (1 - a) - 40 * a * off, 20 * off], -1)


RAVINE = Surface("ravine", _ravine, _ravine_slope, (-4.4, 1.6, -3, 3), (-4.0, 1.8), ((0.0, 0.0),))
SADDLE = Surface(
    "saddle",
    _saddle,
    _saddle_slope,
    (-2.4, 2.4, -2.4, 2.4),
    (-2.0, 0.001),
    ((0.0, 2**0.5), (0.0, -(2**0.5))),
)
ROSENBROCK = Surface(
    "rosenbrock", _rosenbrock, _rosenbrock_slope, (-2.0, 2.0, -1.0, 3.0), (-1.4, 2.4), ((1.0, 1.0),)
)
RACES = {s.name: s for s in (RAVINE, SADDLE, ROSENBROCK)}


def descend(
    gradient: Callable[[Tensor, int], Tensor], start: Tensor, rates: Sequence[float]
) -> Tensor:
    """The path (steps + 1, 2) of gradient descent; `gradient(w, t)` for t = 0, 1, ...

    rates: the learning rate of each step. The steps are those of `torch.optim.SGD`, by the function
    that it calls: without its bookkeeping a walk takes a fifth of the time.
    """
    w = start.clone()
    path = start.repeat(len(rates) + 1, 1)
    for t, rate in enumerate(rates):
        sgd(
            [w], [gradient(w, t)], [None], lr=rate, foreach=False,
            weight_decay=0.0, momentum=0.0, dampening=0.0, nesterov=False, maximize=False,
        )  # fmt: skip
        path[t + 1] = w
    return within(path)


def within(path: Tensor) -> Tensor:
    """The same path, but who blew up stays at the edge of the world."""
    return path.nan_to_num(FAR, FAR, -FAR).clamp(-FAR, FAR)
