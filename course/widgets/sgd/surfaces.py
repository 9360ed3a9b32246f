"""The surfaces that walkers walk on, and plain descent on any of them.

Points are (..., 2), heights (...).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Height = Callable[[Tensor], Tensor]
Slope = Callable[[Any, Any], tuple[Any, Any]]  # of a and b, numbers or tensors
# For each step: (g, h, p, q, r, s) of the gradient (g + p a + q b, h + r a + s b) at (a, b).
Fields = Sequence[tuple[float, float, float, float, float, float]]
CELLS = 81  # the field is 81 x 81; as in walk.js
FAR = 1e4  # a walker that blew up stays here


@dataclass(frozen=True)
class Surface:
    """A height over the plane: where to look, where to start, where the bottom is."""

    name: str
    height: Height
    slope: Slope  # its partial derivatives
    box: tuple[float, float, float, float]  # left, right, bottom, top
    start: tuple[float, float]
    goals: tuple[tuple[float, float], ...]

    def gradient(self, w: Tensor) -> Tensor:
        """At the points w (..., 2)."""
        return torch.stack(self.slope(*w.unbind(-1)), -1)


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


def _ravine_slope(a: Any, b: Any) -> tuple[Any, Any]:
    return 0.02 * a, 4 * b


def _saddle_slope(a: Any, b: Any) -> tuple[Any, Any]:
    return a, b * b * b / 2 - b


def _rosenbrock_slope(a: Any, b: Any) -> tuple[Any, Any]:
    off = b - a * a
    return -2 * (1 - a) - 40 * a * off, 20 * off


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


def fields(linear: Tensor, square: Tensor) -> Fields:
    """Of steps whose gradients at w are linear (steps, 2) + square w, (steps, 2, 2) or flat."""
    return [tuple(row) for row in torch.cat([linear, square.flatten(1)], 1).tolist()]


def descend(
    seen: Fields, start: Tensor, rates: Sequence[float], slope: Slope | None = None
) -> Tensor:
    """The path (steps + 1, 2) of gradient descent over what is seen in each step.

    rates: the learning rate of each step. slope: of a surface that lies under all of them. In plain
    numbers, for a hand waits for it: tensors of two take fifty times as long.
    """
    a, b = start.tolist()
    path = [(a, b)]
    for (g, h, p, q, r, s), rate in zip(seen, rates, strict=False):
        down, over = (0.0, 0.0) if slope is None else slope(a, b)
        down, over = down + g + p * a + q * b, over + h + r * a + s * b
        a, b = a - rate * down, b - rate * over
        path.append((a, b))
    return within(torch.tensor(path, dtype=torch.float64))


def within(path: Tensor) -> Tensor:
    """The same path, but who blew up stays at the edge of the world."""
    return path.nan_to_num(FAR, FAR, -FAR).clamp(-FAR, FAR)
