"""Small sets of labelled points in the plane, for one neuron and for few.

Each function returns `x` (points, 2), float32, and `y` (points,), int64, which is 0 or 1.
"""

import torch
from torch import Tensor

Points = tuple[Tensor, Tensor]


def xor() -> Points:
    """The four corners; 1 where the signs differ. No line separates them (Minsky, Papert 1969)."""
    x = torch.tensor([[-1.2, -1.2], [-1.2, 1.2], [1.2, -1.2], [1.2, 1.2]])
    return x, (x.prod(1) < 0).long()


def either() -> Points:
    """The same four corners; 1 where at least one coordinate is positive (OR)."""
    x, _ = xor()
    return x, (x > 0).any(1).long()


def groups() -> Points:
    """Ten points in two groups that a line separates."""
    low = [[-1.8, -0.6], [-1.2, -1.6], [-0.4, -1.0], [-1.4, 0.4], [-0.3, -2.0]]
    high = [[1.6, 0.9], [0.6, 1.8], [1.9, 2.0], [0.2, 0.9], [2.2, 0.1]]
    return torch.tensor(low + high), torch.tensor([0] * 5 + [1] * 5)


def ring() -> Points:
    """Four points in the middle (1) and six around them (0)."""
    middle = [[0.0, 0.0], [0.5, 0.4], [-0.5, 0.3], [0.1, -0.6]]
    around = [[2.0, 0.0], [0.7, 1.9], [-1.5, 1.4], [-1.7, -1.0], [0.5, -2.0], [1.7, -1.3]]
    return torch.tensor(middle + around), torch.tensor([1] * 4 + [0] * 6)
