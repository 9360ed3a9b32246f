"""What a perfect net would say: exact noise fields, and walks along them.

All of it counts noise by `sigma`, noise over signal (Karras et al., "Elucidating the design
space of diffusion-based generative models", 2022): y = x / sqrt(alpha_bar) is a point of the data
plus sigma times a normal number. For data drawn from a mixture of Gaussians the origin of y, on
average, is known in closed form, and with it the noise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from course.data import moons

Model = Callable[[Tensor, Tensor], Tensor]  # x (n, ...), t (n,) int64 -> noise, shape of x


def straight(T: int = 100, far: float = 6.0) -> Tensor:
    """alpha_bar (T + 1,) whose log(signal / noise) falls from `far` to -`far`; 1 at t = 0.

    Source: Kingma et al., "Variational diffusion models" (2021).
    """
    return torch.cat([torch.ones(1), torch.sigmoid(torch.linspace(far, -far, T))])


def sigmas(alpha_bar: Tensor) -> Tensor:
    """Noise over signal at each t; 0 at t = 0."""
    return (1 / alpha_bar - 1).sqrt()


@dataclass(frozen=True)
class Mixture:
    """Data from equally likely Gaussians: `centres` (k, d), all of standard deviation `spread`."""

    centres: Tensor
    spread: float = 0.0

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points (n, d)."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        at = self.centres[which]
        return at + self.spread * torch.randn(at.shape, generator=generator)

    def origin(self, y: Tensor, sigma: float) -> Tensor:
        """Mean of all points of the data that y (n, d) may have come from, each by its chance."""
        wide = self.spread**2 + sigma**2
        chance = (-torch.cdist(y, self.centres).square() / (2 * max(wide, 1e-12))).softmax(1)
        nearest = chance @ self.centres
        return nearest + (self.spread**2 / max(wide, 1e-12)) * (y - nearest)

    def model(self, alpha_bar: Tensor) -> Model:
        """The perfect net. It takes x (n, d) and t (n,), all t alike, t >= 1."""
        levels = sigmas(alpha_bar).tolist()

        def noise(x: Tensor, t: Tensor) -> Tensor:
            sigma = levels[int(t[0])]
            y = x * math.sqrt(1 + sigma**2)
            return (y - self.origin(y, sigma)) / sigma

        return noise


def two_moons() -> Mixture:
    """The two moons as 160 Gaussians along the arcs, which overlap."""
    angles = ((torch.arange(80) + 0.5) * (math.pi / 80)).repeat(2)
    return Mixture(moons.arcs(angles, torch.arange(160) >= 80), moons.NOISE)


def around(count: int, spread: float, radius: float = 1.4) -> Mixture:
    """`count` Gaussians evenly on a circle, the first at the right."""
    angles = torch.arange(count) * (2 * math.pi / count)
    return Mixture(radius * torch.stack([angles.cos(), angles.sin()], 1), spread)


SETS: dict[str, Callable[[], Mixture]] = {
    "moons": two_moons,
    "ring": lambda: around(90, 0.1),
    "clusters": lambda: around(5, 0.16),
    "two points": lambda: around(2, 0.03, 1.2),
}


def spread_out(x0: Tensor, alpha_bar: Tensor, generator: torch.Generator) -> Tensor:
    """A walk from the data to noise: x_t for t = 0 ... T, shape (T + 1, *x0.shape).

    Brownian motion in y: each step adds what is missing to the next sigma.
    """
    levels = sigmas(alpha_bar)
    states, y = [x0], x0
    for low, high in pairwise(levels):
        y = y + (high**2 - low**2).sqrt() * torch.randn(x0.shape, generator=generator)
        states.append(y / (1 + high**2).sqrt())
    return torch.stack(states)


def flow(model: Model, x: Tensor, alpha_bar: Tensor, every: int = 1) -> Tensor:
    """From noise x at t = T to data, along the model's field and with no new noise.

    Heun's method in sigma, over every `every`-th t. Returns the states (steps + 1, *x.shape), the
    noise first. Source: Karras et al. (2022), algorithm 1.
    """
    times = [*range(len(alpha_bar) - 1, 0, -every), 0]
    levels = sigmas(alpha_bar).tolist()

    def ask(y: Tensor, t: int) -> Tensor:
        when = torch.full((len(y),), t, device=y.device)
        return model(y / math.sqrt(1 + levels[t] ** 2), when)

    y = x * math.sqrt(1 + levels[-1] ** 2)
    states = [x]
    with torch.no_grad():
        for t, s in pairwise(times):
            slope = ask(y, t)
            gap = levels[s] - levels[t]
            if s > 0:
                slope = (slope + ask(y + gap * slope, s)) / 2
            y = y + gap * slope
            states.append(y / math.sqrt(1 + levels[s] ** 2))
    return torch.stack(states)


def distance(a: Tensor, b: Tensor) -> float:
    """How unlike two clouds (n, d), (m, d) are: 0 on average where both are drawn alike.

    The energy distance: the squared MMD of the kernel -|u - v|, so there is no width to choose.
    Source: Sejdinovic et al., "Equivalence of distance-based and RKHS-based statistics" (2013).
    """
    within = [torch.cdist(u, u).sum() / (len(u) * (len(u) - 1)) for u in (a, b)]
    return float(2 * torch.cdist(a, b).mean() - within[0] - within[1])
