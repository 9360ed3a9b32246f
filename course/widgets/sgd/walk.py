"""The landscape walk: batch, mini-batch and stochastic on one surface.

Each example has a landscape of its own: a core that all share plus a quadratic. Its mean over all
examples is the surface; its mean over a mini-batch is what a walker sees in that step. Source:
Karatzas, "The Landscape of SGD", "Stochastic vs Batch".
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..panel import State, choice, preset, seed, slider
from .ground import Walk, quadratic
from .surfaces import Fields, Surface, descend, fields, grid

EXAMPLES, EPOCHS = 40, 10


def _flat(w: Tensor) -> Tensor:
    return torch.zeros_like(w[..., 0])


def _basins(w: Tensor) -> Tensor:
    a, b = w[..., 0], w[..., 1]
    return 0.5 * (a * a - 1) ** 2 + 0.3 * a + 0.5 * b * b


def _basins_slope(a: Any, b: Any) -> tuple[Any, Any]:
    return 2 * a * (a * a - 1) + 0.3, b


def _no_slope(_a: Any, _b: Any) -> tuple[Any, Any]:
    return 0.0, 0.0


def examples(kind: str, number: int) -> tuple[Surface, Tensor]:
    """The core of the landscape, and the quadratics (40, 6) of the examples, drawn from `number`.

    "bowl": a linear neuron's loss (w.x - y)^2 / 2. "basins": two basins, each example tilts them.
    """
    generator = torch.Generator().manual_seed(number)
    if kind == "basins":
        tilt = torch.randn(EXAMPLES, 2, generator=generator, dtype=torch.float64)
        tilt = 3.0 * (tilt - tilt.mean(0)) / tilt.std(0)
        c = torch.zeros(EXAMPLES, 6, dtype=torch.float64)
        c[:, 1:3] = tilt
        core = Surface(
            "basins",
            _basins,
            _basins_slope,
            (-2.1, 2.1, -2.1, 2.1),
            (1.6, 1.2),
            ((-1.067924, 0.0),),
        )
        return core, c
    x = torch.randn(EXAMPLES, 2, generator=generator, dtype=torch.float64)
    x[:, 1] = 0.6 * x[:, 0] + 0.6 * x[:, 1]
    y = x @ torch.tensor([0.8, -0.6], dtype=x.dtype)
    y = y + 1.0 * torch.randn(EXAMPLES, generator=generator, dtype=x.dtype)
    u, v = x.T
    c = torch.stack([y * y / 2, -y * u, -y * v, u * u / 2, u * v, v * v / 2], 1)
    best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0].tolist()
    box, start = (-2.4, 2.4, -2.4, 2.4), (-1.8, 1.8)
    return Surface("bowl", _flat, _no_slope, box, start, (tuple(best),)), c


def batches(size: int, count: int, number: int) -> list[Tensor]:
    """Indices of `count` mini-batches: epoch after epoch in a new order, by torch's own sampler."""
    generator = torch.Generator().manual_seed(1000 + number)
    every = torch.utils.data.RandomSampler(range(EXAMPLES), generator=generator)
    made: list[Tensor] = []
    while len(made) < count:
        made += [torch.tensor(b) for b in torch.utils.data.BatchSampler(every, size, False)]
    return made[:count]


def compute(state: State) -> dict[str, Any]:
    """The three walks.

    state: surface, lr, size, clock, seed, start (or None). core (81, 81) and whole (6,): the
    surface; shifts (ticks, 6): the quadratic that the mini-batch walker sees in each tick; paths
    (3, ticks + 1, 2); heights (3, ticks + 1) above the lowest point; steps: how many each has made.
    """
    key = (
        state["surface"],
        float(state["lr"]),
        int(state["size"]),
        state["clock"],
        int(state["seed"]),
        tuple(state.get("start") or ()),
    )
    return dict(_walks(*key))


@lru_cache(maxsize=32)
def seen(kind: str, size: int, count: int, number: int) -> tuple[Tensor, Tensor, Fields]:
    """Mean quadratics (count, 6) of `count` mini-batches, how many examples (count,) were drawn by
    the end of each, and the gradients of c0 + c1 a + c2 b + c3 a^2 + c4 a b + c5 b^2.
    """
    _, each = examples(kind, number)
    drawn = batches(size, count, number)
    ends = torch.tensor([len(b) for b in drawn]).cumsum(0)
    means = torch.stack([each[b].mean(0) for b in drawn])
    square = means[:, [3, 4, 4, 5]].reshape(-1, 2, 2) * torch.tensor([[2, 1], [1, 2]])
    return means, ends, fields(means[:, 1:3], square)


@lru_cache(maxsize=32)
def _walks(
    kind: str, lr: float, size: int, clock: str, number: int, start: tuple[float, ...]
) -> dict[str, Any]:
    surface, each = examples(kind, number)
    begin = torch.tensor(start or surface.start, dtype=torch.float64)
    by_steps = clock == "steps"
    ticks = 120 if by_steps else EPOCHS * EXAMPLES
    core, whole = surface.height(grid(surface.box)), each.mean(0)
    lowest = float(surface.height(_lowest(surface)) + quadratic(_lowest(surface), whole))
    paths, heights, steps, shifts = [], [], [], each
    for s in (EXAMPLES, size, 1):
        count = ticks if by_steps else -(-ticks // s) + EPOCHS
        means, ends, gradients = seen(kind, s, count, number)
        done = torch.arange(ticks + 1)
        if not by_steps:
            done = torch.searchsorted(ends, done, right=True)
        path = descend(gradients, begin, [lr] * int(done[-1]), surface.slope)[done]
        paths.append(path)
        heights.append(surface.height(path) + quadratic(path, whole) - lowest)
        steps.append(done.tolist())
        if s == size:
            shifts = means[done[:-1].clamp(max=len(means) - 1)]
    return {
        "core": core,
        "whole": whole,
        "shifts": shifts,
        "paths": torch.stack(paths),
        "heights": torch.stack(heights).clamp(min=0),
        "steps": steps,
        "box": surface.box,
        "goals": surface.goals,
        "clock": "steps" if by_steps else "examples",
        "epoch": 0 if by_steps else EXAMPLES,
        "yours": [False] * 3,
        "look": [0, 1, 3],
        "names": ["batch (40)", f"mini-batch ({size})", "stochastic (1)"],
        "notes": [],
    }


def _lowest(surface: Surface) -> Tensor:
    return torch.tensor(surface.goals[0], dtype=torch.float64)


PRESETS = [
    preset(
        "a bowl",
        "which walker is lowest after one epoch (40 examples), and which after ten?",
        surface="bowl",
        lr=0.2,
        size=5,
        clock="examples",
        seed=0,
        start=None,
    ),
    preset(
        "step for step",
        "now each makes one step a tick: who is ahead, and who pays for it?",
        clock="steps",
    ),
    preset(
        "two basins",
        "the left basin is the deeper one: which walkers get there, and do they stay?",
        surface="basins",
        lr=0.1,
        size=5,
        seed=2,
    ),
    preset(
        "too fast",
        "the learning rate is too large for one of them: for which, and why not for all?",
        lr=0.8,
        size=10,
    ),
    preset("large batches", "20 of 40 examples: how much do the colours still shift?", size=20),
]


def panel() -> Walk:
    """The landscape walk; see `widgets.sgd.landscape`."""
    return Walk(
        "Three walkers, one landscape",
        compute,
        [
            slider("lr", "learning rate", 0.2, 0.02, 1.0, 0.02),
            slider("size", "mini-batch size", 5, 2, 40, 1),
            choice("clock", "a tick is", "examples", {"examples": "an example", "steps": "a step"}),
            seed(),
        ],
        PRESETS,
    )
