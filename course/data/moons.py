"""Two moons: points along two half circles that reach into each other, with some noise.

The figure is that of scikit-learn's `make_moons`, here centred on 0, with a spread of about 1.
"""

import math

import torch
from torch import Tensor

NOISE = 0.125  # spread of the points around their arc
_CENTRE, _SCALE = (0.5, 0.25), 0.8


def arcs(angles: Tensor, lower: Tensor) -> Tensor:
    """Points (n, 2) at `angles` (n,) from 0 to pi on the upper arc, or where `lower` (n,)."""
    x, y = angles.cos(), angles.sin()
    on_arc = torch.stack([torch.where(lower, 1 - x, x), torch.where(lower, 0.5 - y, y)], -1)
    return (on_arc - torch.tensor(_CENTRE)) / _SCALE


def draw(n: int, generator: torch.Generator | None = None) -> Tensor:
    """`n` points (n, 2), float32: either moon is as likely, every angle too."""
    angles = math.pi * torch.rand(n, generator=generator)
    lower = torch.rand(n, generator=generator) < 0.5
    return arcs(angles, lower) + NOISE * torch.randn(n, 2, generator=generator)
