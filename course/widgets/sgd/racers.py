"""torch's own optimisers, all six at a time.

By the functions that the classes of `torch.optim` call: without the classes' bookkeeping a race
takes a third of the time, and a hand that drags the start sees the paths follow.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from .surfaces import within

NAMES = ["plain", "momentum", "Nesterov", "Adagrad", "RMSProp", "Adam"]


def paths(
    gradient: Callable[[Tensor], Tensor],
    start: Tensor,
    lr: Sequence[float],
    alpha: float,
    steps: int,
) -> Tensor:
    """The paths (6, steps + 1, 2) of NAMES from `start` (2,), each with its own of `lr` (6).

    gradient: (6, 2) at the weights (6, 2). alpha: momentum, and Adam's beta1. All else is as
    the classes have it by default.
    """
    w = start.repeat(6, 1)
    walked = [w.clone()]
    row = [[one] for one in w]  # views: what moves them moves w
    unused, momentum, nesterov = (list[Tensor | None]([None]) for _ in range(3))
    sums, means, first, second = ([torch.zeros_like(start)] for _ in range(4))
    clocks = [[torch.zeros(())] for _ in range(3)]
    while len(walked) <= steps:
        g = [[one] for one in gradient(w)]
        for i, (buffer, strength) in enumerate(
            ((unused, 0.0), (momentum, alpha), (nesterov, alpha))
        ):
            sgd(
                row[i], g[i], buffer, lr=lr[i], momentum=strength, nesterov=i == 2,
                dampening=0.0, weight_decay=0.0, maximize=False, foreach=False,
            )  # fmt: skip
        adagrad(
            row[3], g[3], sums, clocks[0], lr=lr[3], lr_decay=0.0, eps=1e-10,
            weight_decay=0.0, maximize=False, foreach=False,
        )  # fmt: skip
        rmsprop(
            row[4], g[4], means, [], [], clocks[1], lr=lr[4], alpha=0.99, eps=1e-8,
            momentum=0.0, centered=False, weight_decay=0.0, foreach=False,
        )  # fmt: skip
        adam(
            row[5], g[5], first, second, [], clocks[2], lr=lr[5], beta1=alpha, beta2=0.999,
            eps=1e-8, amsgrad=False, weight_decay=0.0, maximize=False, foreach=False,
        )  # fmt: skip
        walked.append(w.clone())
    return within(torch.stack(walked, 1))
