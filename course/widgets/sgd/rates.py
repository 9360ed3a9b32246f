"""Learning rates over time, and how near a noisy walk comes with them.

Source: Passerini, "Decreasing learning rate"; Minhas, "Optimization Methods" (OneCycleLR).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from .surfaces import Fields, descend, fields

STEPS = 300
KINDS = {"linear_decay": "linear decay", "one_cycle": "one cycle"}
START = torch.tensor([4.0, 2.0], dtype=torch.float64)
SLOPES = torch.tensor([0.15, 1.5], dtype=torch.float64)


@lru_cache(maxsize=64)
def shares(kind: str, until: int) -> Tensor:
    """The largest learning rate is 1: those of 300 steps by torch's own schedulers, LinearLR to
    1 / 50 at step `until`, or OneCycleLR over `until` steps (and its last rate from then on).
    """
    weight = torch.zeros(1, requires_grad=True)
    descent = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    schedulers = torch.optim.lr_scheduler
    made: Any = (
        schedulers.LinearLR(descent, 1.0, 1 / 50, until)
        if kind == "linear_decay"
        else schedulers.OneCycleLR(descent, 1.0, total_steps=until)
    )
    rates = []
    for t in range(STEPS):
        rates.append(made.get_last_lr()[0])
        descent.step()
        if kind == "linear_decay" or t < until - 1:
            made.step()
    return torch.tensor(rates, dtype=torch.float64)


@lru_cache(maxsize=8)
def _seen(number_: int) -> Fields:
    generator = torch.Generator().manual_seed(number_)
    noise = torch.randn(STEPS, 2, generator=generator, dtype=torch.float64)
    return fields(noise, torch.diag(SLOPES).expand(STEPS, 2, 2))


def walked(rates: list[float], number_: int) -> Tensor:
    """Heights (301,) of a walk with noisy gradients, smoothed over 15 steps."""
    path = descend(_seen(number_), START, rates)
    heights = (SLOPES * path.square()).sum(1) / 2
    padded = torch.cat([heights[:1].expand(14), heights])
    return padded.unfold(0, 15, 1).mean(1)


@lru_cache(maxsize=32)
def _at_a_constant_rate(lr: float, number_: int) -> Tensor:
    return walked([lr] * STEPS, number_)


def compute(state: State, f: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Rates and heights.

    state: kind, lr, until, seed. rates (300,): torch's; yours (300,) or None; high, high_constant
    (301,): heights of a walk with noisy gradients, with these and with a constant rate.
    """
    kind, lr, until = state["kind"], float(state["lr"]), int(state["until"])
    rates, yours, note = lr * shares(kind, until), None, ""
    if f is not None:
        given = f

        def all_rates() -> Tensor:
            if kind == "linear_decay":
                return torch.tensor([float(given(t, until, lr, lr / 50)) for t in range(STEPS)])
            return torch.tensor([float(given(min(t, until - 1), until, lr)) for t in range(STEPS)])

        all_rates.__name__ = student.name_of(f)
        yours, note = student.against(rates, all_rates, tol=1e-5)
    return {
        "rates": rates,
        "yours": yours,
        "note": note,
        "high": walked(rates.tolist(), int(state["seed"])),
        "high_constant": _at_a_constant_rate(lr, int(state["seed"])),
    }


def draw(figure: Figure, style: Style) -> Update:
    """The rate by step (cause); how much too high (effect)."""
    left, right = style.axes(
        figure, ["learning rate by step", "how much too high (mean of 15 steps)"]
    )
    left.set(xlim=(0, STEPS), ylim=(-0.03, 1.25), xlabel="step t")
    right.set(xlim=(0, STEPS), yscale="log", ylim=(1e-3, 30), xlabel="step t")
    yours = left.plot([], [], animated=True, **style.line("curve"))[0]
    truth = left.plot([], [], animated=True, **style.line("truth"))[0]
    level = left.plot([], [], animated=True, **style.line("guide"))[0]
    with_it = right.plot([], [], animated=True, **style.line("curve"))[0]
    constant = right.plot([], [], animated=True, **style.line("guide"))[0]
    constant.set_linewidth(1.8)
    style.legend(
        right,
        handles=[with_it, constant],
        labels=["with the schedule", "constant rate"],
        loc="lower left",
    )

    def update(a: Arrays) -> None:
        trace(yours, range(STEPS), a["yours"])
        trace(truth, range(STEPS), a["rates"])
        level.set_data([0, STEPS], [float(a["rates"].max())] * 2)
        trace(with_it, range(STEPS + 1), a["high"].clamp(1e-3))
        trace(constant, range(STEPS + 1), a["high_constant"].clamp(1e-3))

    return update


def caption(_state: State, a: Arrays) -> str:
    """First, highest and last rate, and where both walks end."""
    r = a["rates"]
    return said(
        a["note"],
        f"The rate goes from {number(float(r[0]))} (at most {number(float(r.max()))}) to "
        f"{number(float(r[-1]))}: the walk ends {number(float(a['high'][-1]))} too high, with a "
        f"constant rate {number(float(a['high_constant'][-1]))}.",
    )


PRESETS = [
    preset(
        "long decay",
        "the constant rate stalls where its noise lifts it: how much lower does decay get?",
        lr=0.6,
        until=250,
    ),
    preset(
        "too early", "the rate is down before the walk has arrived: what becomes of it?", until=20
    ),
    preset("small from the start", "why not a small constant rate at once?", lr=0.05),
    preset(
        "bold",
        "a rate of 1.2 is close to blowing up here (that is at 1.33): can it be used?",
        lr=1.2,
    ),
]


def panel(f: Callable[..., Any] | None) -> Panel:
    """Schedules; see `widgets.sgd.schedule`."""
    name = student.name_of(f) if f is not None else ""
    kinds = {name: KINDS[name]} if name in KINDS else KINDS
    first = next(iter(kinds))
    return Panel(
        "A learning rate that changes",
        compute,
        draw,
        caption,
        [
            choice("kind", "schedule", first, kinds),
            slider("lr", "largest rate", 0.6, 0.05, 1.2, 0.05),
            slider("until", "ends at step", 250, 10, STEPS, 10),
            seed(),
        ],
        PRESETS,
        given=(f,),
    )
