"""What the players of the GAN lab play for: data, nets to begin with, and what is measured.

A scene knows no optimiser and no widget. Points are float32.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from course.data import digits

SPREAD, REACH = 0.1, 0.3  # of a cluster; how far from a centre a point still counts as its own
LEAST = 0.02  # share of the points that a mode must have to count as covered
COLUMNS, NOISE = 10, 16  # of the digits: one column a class, so much noise


@dataclass(frozen=True)
class Scene:
    """Real examples `x` (m, d); `noise(n, generator)` (n, n_z); nets; and what to measure.

    `measure(points)` of made points (n, d) returns the numbers named in `lines`, each up to `top`.
    """

    name: str
    x: Tensor
    noise: Callable[[int, torch.Generator], Tensor]
    nets: Callable[[], tuple[nn.Module, nn.Module]]
    lines: tuple[str, ...]
    top: float
    measure: Callable[[Tensor], list[float]]
    said: Callable[[list[float]], str]
    batch: int
    rates: tuple[float, float]  # of D's Adam and of G's
    wanted: float | None = None  # a dashed line in the chart


def net(
    sizes: Sequence[int], between: Callable[[], nn.Module], last: Sequence[nn.Module] = ()
) -> nn.Module:
    """Linear layers of these sizes with `between` between them, and `last` at the end."""
    layers: list[nn.Module] = []
    for size, following in pairwise(sizes):
        layers += [nn.Linear(size, following), between()]
    return nn.Sequential(*layers[:-1], *last)


def normal(n_z: int) -> Callable[[int, torch.Generator], Tensor]:
    """Standard normal noise of n_z numbers."""
    return lambda n, generator: torch.randn(n, n_z, generator=generator)


def clusters(name: str, centres: Tensor, shares: Tensor, generator: torch.Generator) -> Scene:
    """Round clusters in the plane at `centres` (k, 2), each with its share of the examples."""
    lot = torch.multinomial(shares, 2048, replacement=True, generator=generator)
    x = centres[lot] + SPREAD * torch.randn(2048, 2, generator=generator)
    k = len(centres)

    def measure(points: Tensor) -> list[float]:
        near, own = torch.cdist(points, centres).min(1)
        counts = torch.bincount(own[near <= REACH], minlength=k)
        return [
            float((counts >= LEAST * len(points)).sum()),
            k * float((near <= REACH).float().mean()),
        ]

    return Scene(
        name,
        x,
        normal(2),
        lambda: (net([2, 64, 64, 1], lambda: nn.LeakyReLU(0.2)), net([2, 64, 64, 2], nn.ReLU)),
        (f"modes covered, of {k}", f"points on one ({k}: all)"),
        float(k),
        measure,
        lambda v: f"{v[0]:.0f} of {k} modes covered, {v[1] / k:.0%} of G's points on a mode",
        128,
        (0.01, 0.003),
    )


def ring(generator: torch.Generator) -> Scene:
    """Eight clusters on a ring of radius 2."""
    angle = 2 * math.pi * torch.arange(8) / 8
    centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    return clusters("ring", centres, torch.ones(8), generator)


def rare(generator: torch.Generator) -> Scene:
    """Three clusters, one of which holds one example of twenty."""
    centres = torch.tensor([[-1.5, -1.2], [1.5, -1.2], [0.0, 1.8]])
    return clusters("rare", centres, torch.tensor([0.475, 0.475, 0.05]), generator)


def coin(generator: torch.Generator, p: float = 0.3) -> Scene:
    """The deck's coin: 1 with probability p, else 0 (Minhas, "A Barebones GAN in PyTorch ...")."""
    x = (torch.rand(1024, 1, generator=generator) < p).float()
    return Scene(
        "coin",
        x,
        normal(1),
        lambda: (net([1, 16, 1], nn.Tanh), net([1, 16, 1], nn.Tanh, [nn.Sigmoid()])),
        ("P(H) of G",),
        1.0,
        lambda made: [float((made > 0.5).float().mean())],
        lambda v: f"G makes {v[0]:.0%} heads, the coin {float(x.mean()):.0%}",
        64,
        (0.01, 0.01),
        float(x.mean()),
    )


def numerals(_generator: torch.Generator) -> Scene:
    """Handwritten digits with their classes: 64 pixels from -1 to 1, and a one-hot vector of 10."""
    data = digits.load()
    images, labels = 2 * data.x_train.flatten(1) - 1, data.y_train
    kinds = torch.eye(COLUMNS)
    means = torch.stack([images[labels == k].mean(0) for k in range(COLUMNS)])

    def noise(n: int, generator: torch.Generator) -> Tensor:
        lot = torch.randint(COLUMNS, (n,), generator=generator)
        return torch.cat([torch.randn(n, NOISE, generator=generator), kinds[lot]], 1)

    def measure(made: Tensor) -> list[float]:
        read = torch.cdist(made[:, :64], means).argmin(1)
        return [float((read == made[:, 64:].argmax(1)).float().mean())]

    return Scene(
        "digits",
        torch.cat([images, kinds[labels]], 1),
        noise,
        lambda: (
            net([64 + COLUMNS, 128, 1], lambda: nn.LeakyReLU(0.2)),
            Labelled(net([NOISE + COLUMNS, 128, 64], nn.ReLU)),
        ),
        ("read as ordered",),
        1.0,
        measure,
        lambda v: f"{v[0]:.0%} of G's digits are nearest to the mean of the class that was ordered",
        64,
        (0.002, 0.002),
        float((torch.cdist(images, means).argmin(1) == labels).float().mean()),
    )


class Labelled(nn.Module):
    """A generator of images that hands the class on beside the image, for D to see both.

    `made` maps noise and one-hot class, (n, 26), to images (n, 64).
    """

    def __init__(self, made: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.made = made

    def forward(self, z: Tensor) -> Tensor:
        """Images and one-hot classes, (n, 74)."""
        return torch.cat([self.made(z), z[:, NOISE:]], 1)


SCENES = {"ring": ring, "rare": rare, "coin": coin, "digits": numerals}
