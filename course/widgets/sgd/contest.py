"""The race: torch's optimisers, and the student's, on a ravine, a saddle and Rosenbrock's valley
(with 10 for his 100, so that it is walked in 200 steps).

Source: Passerini, "Momentum" to "RMSProp"; Minhas, "Optimization Methods"; Rosenbrock (1960).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .. import student
from ..panel import State, choice, preset, slider
from .ground import Walk
from .racers import NAMES, paths
from .surfaces import FAR, RACES, Surface, grid

TICKS = 200
# A learning rate that suits each of NAMES, by surface.
RATES = {
    "ravine": [0.45, 0.15, 0.15, 0.6, 0.05, 0.15],
    "saddle": [0.1, 0.1, 0.1, 0.3, 0.03, 0.06],
    "rosenbrock": [0.005, 0.002, 0.002, 0.4, 0.03, 0.15],
}
OURS = {
    "momentum_step": 1,
    "nesterov_step": 2,
    "adagrad_step": 3,
    "rmsprop_step": 4,
    "adam_step": 5,
}
MEMORIES = {
    "momentum_step": 1,
    "nesterov_step": 1,
    "adagrad_step": 1,
    "rmsprop_step": 1,
    "adam_step": 2,
}


@lru_cache(maxsize=64)
def builtin(name: str, factor: float, alpha: float, start: tuple[float, float]) -> Tensor:
    """The paths (6, 201, 2) of torch's optimisers on the surface `name`."""
    surface, begin = RACES[name], torch.tensor(start, dtype=torch.float64)
    return paths(surface.gradient, begin, [factor * rate for rate in RATES[name]], alpha, TICKS)


def yours(
    f: Callable[..., Any], surface: Surface, lr: float, alpha: float, start: tuple[float, float]
) -> tuple[Tensor | None, str]:
    """The path (201, 2) of a student's step, or None, and what to say of it."""
    name = student.name_of(f)

    def path() -> Tensor:
        w = torch.tensor(start, dtype=torch.float64)
        memory: Any = {}
        if name in OURS:
            memory = [torch.zeros_like(w) for _ in range(MEMORIES[name])]
        walked = [w]
        for t in range(1, TICKS + 1):
            slope = surface.gradient(w)
            if name not in OURS:
                w = f(w.clone(), memory, slope, t)
            else:
                args = [t, slope, lr, alpha] if name == "adam_step" else [slope, lr]
                if name in ("momentum_step", "nesterov_step"):
                    args.append(alpha)
                w, *memory = f(w, *memory, *args)
            if not isinstance(w, Tensor) or w.shape != (2,):
                raise TypeError("the new w must be a tensor of the shape of w")
            w = w.detach().to(torch.float64).nan_to_num(FAR).clamp(-FAR, FAR)
            walked.append(w)
        return torch.stack(walked)

    path.__name__ = name
    got, note = student.call(path, shape=(TICKS + 1, 2))
    return got, note.replace("the dashed line is what it should do", "the others race without it")


def compute(state: State, steps: Sequence[Callable[..., Any]] = ()) -> dict[str, Any]:
    """The race; arrays as in `walk.compute`, without shifts.

    state: surface, factor (on all learning rates), alpha, start (or None).
    """
    surface = RACES[state["surface"]]
    factor, alpha = float(state["factor"]), float(state["alpha"])
    a, b = state.get("start") or surface.start
    start = float(a), float(b)
    walked = list(builtin(surface.name, factor, alpha, start))
    names, look, notes = list(NAMES), list(range(6)), []
    for f in steps:
        name = student.name_of(f)
        which = OURS.get(name, -1)
        got, note = yours(f, surface, factor * RATES[surface.name][which], alpha, start)
        if got is not None:
            if which >= 0 and not note:
                apart = float((got - walked[which])[:51].abs().max())
                good = apart < 1e-6
                note = (
                    f"Your `{name}` walks with torch's {NAMES[which]} for 50 steps."
                    if good
                    else f"Your `{name}` is up to {apart:.2g} away from torch's {NAMES[which]} "
                    "within 50 steps."
                )
            walked.append(got)
            names.append(f"your {name}")
            look.append(which if which >= 0 else 1)
        notes.append(note)
    together = torch.stack(walked)
    none = torch.zeros(0, 6, dtype=torch.float64)
    return {
        "core": surface.height(grid(surface.box)),
        "whole": torch.zeros(6, dtype=torch.float64),
        "shifts": none,
        "paths": together,
        "heights": surface.height(together).clamp(min=0),
        "steps": [list(range(TICKS + 1))] * len(names),
        "box": surface.box,
        "goals": surface.goals,
        "clock": "steps",
        "epoch": 0,
        "yours": [i >= 6 for i in range(len(names))],
        "look": look,
        "names": names,
        "notes": notes,
    }


PRESETS = [
    preset(
        "ravine",
        "two hundred times steeper across than along: who crosses, and who goes along?",
        surface="ravine",
        factor=1.0,
        alpha=0.9,
        start=None,
    ),
    preset(
        "saddle",
        "at the start the way down is almost flat: who leaves the saddle last?",
        surface="saddle",
    ),
    preset(
        "Rosenbrock",
        "a bent valley, flat along its floor: who reaches the star?",
        surface="rosenbrock",
    ),
    preset(
        "a heavy ball",
        "with α = 0.98 the top speed is fifty times plain descent's: does it help?",
        alpha=0.98,
    ),
    preset(
        "a little too fast",
        "all learning rates 1.2 times larger: who blows up, and who can't?",
        factor=1.2,
    ),
]


def panel(steps: Sequence[Callable[..., Any]]) -> Walk:
    """The race; see `widgets.sgd.race`."""
    surfaces = {"ravine": "ravine", "saddle": "saddle", "rosenbrock": "Rosenbrock"}
    return Walk(
        "Six optimisers race" + (", and yours" if steps else ""),
        lambda state: compute(state, steps),
        [
            choice("surface", "surface", "ravine", surfaces),
            slider("factor", "all learning rates ×", 1.0, 0.2, 3.0, 0.1),
            slider("alpha", "momentum α, and Adam's β₁", 0.9, 0.0, 0.98, 0.02),
        ],
        PRESETS,
    )
