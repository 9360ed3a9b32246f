"""Losses of a classifier over the margin: what being right or wrong costs, and how hard it pulls.

Source: Minhas, "Multilayer Perceptron: Evaluation"; Janocha and Czarnecki (2017).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from ..panel import Panel, State, choice, preset, slider
from ..picture import Arrays, Update, trace
from ..style import Style

M = torch.linspace(-4, 4, 321, dtype=torch.float64)
ONE = torch.ones(1, dtype=torch.float64)


def _hinge(power: int) -> Callable[[Tensor], Tensor]:
    # torch's own, one margin at a time, with the target 1.
    return lambda m: (
        F.multi_margin_loss(
            torch.stack([m, torch.zeros_like(m)], -1),
            torch.zeros(m.shape, dtype=torch.int64),
            reduction="none",
        )
        .mul(2)
        .pow(power)
    )


LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "hinge": _hinge(1),
    "hinge2": _hinge(2),
    "hinge3": _hinge(3),
    "sigma": lambda m: 1 - m.sigmoid(),
    "log": lambda m: -F.logsigmoid(m),
    "squared": lambda m: F.mse_loss(m, ONE.to(m).expand_as(m), reduction="none"),
}
LABELS = {
    "hinge": "hinge",
    "hinge2": "squared hinge",
    "hinge3": "cubed hinge",
    "sigma": "hinge of σ(z), y = 1",
    "log": "log loss",
    "squared": "squared error",
}
DASHES = {"hinge": "-", "log": (0, (5, 2)), "squared": (0, (1, 1.5))}


@lru_cache
def curves(kind: str) -> tuple[Tensor, Tensor]:
    """Loss and slope over `M` (321,)."""
    return LOSSES[kind](M), slope(kind, M)


def slope(kind: str, m: Tensor) -> Tensor:
    """Slope of a loss at the margins m (n,), by autograd."""
    leaf = m.detach().clone().requires_grad_()
    return torch.autograd.grad(LOSSES[kind](leaf).sum(), leaf)[0]


def compute(state: State) -> dict[str, Any]:
    """loss, slope (321,) over the margin; state: kind, margin. here: (margin, loss, slope)."""
    at = torch.tensor([float(state["margin"])], dtype=torch.float64)
    kind = state["kind"]
    loss, steep = curves(kind)
    return {
        "kind": kind,
        "loss": loss,
        "slope": steep,
        "here": (float(at), float(LOSSES[kind](at)), float(slope(kind, at))),
    }


def draw(figure: Figure, style: Style) -> Update:
    """The loss (cause), and how hard it pulls (effect), over the margin."""
    left, right = style.axes(figure, ["loss of one example", "pull: minus the slope"])
    for ax in (left, right):
        ax.set(xlim=(-4, 4), xlabel="margin y z")
        ax.axvline(0, **style.line("guide"))
        ax.axhline(0, color=style.muted, lw=0.8)
    left.set_ylim(-0.5, 10)
    right.set_ylim(-5, 10)
    left.text(-3.85, 9.2, "wrong side", size=8, color=style.muted)
    left.text(2.35, 9.2, "right side", size=8, color=style.muted)
    lines = []  # to compare with: they stay
    for name, dash in DASHES.items():
        loss, steep = (curve.numpy() for curve in curves(name))
        left.plot(M.numpy(), loss, color=style.muted, lw=1.4, ls=dash)
        lines += right.plot(M.numpy(), -steep, color=style.muted, lw=1.4, ls=dash)
    chosen = [ax.plot([], [], animated=True, **style.line("curve"))[0] for ax in (left, right)]
    points = [ax.plot([], [], animated=True, **style.point())[0] for ax in (left, right)]
    style.legend(
        right,
        handles=[chosen[1], *lines],
        labels=["the one chosen", *(LABELS[name] for name in DASHES)],
        loc="upper right",
    )

    def update(a: Arrays) -> None:
        trace(chosen[0], M, a["loss"])
        trace(chosen[1], M, -a["slope"])
        m, loss, d = a["here"]
        points[0].set_data([m], [min(loss, 10.0)])
        points[1].set_data([m], [min(-d, 10.0)])

    return update


def caption(_state: State, a: Arrays) -> str:
    """What this margin costs, and how hard it pulls."""
    m, loss, d = a["here"]
    side = "right" if m > 0 else "wrong" if m < 0 else "no"
    pull = (
        "and nothing pulls"
        if d == 0
        else (f"and pulls {'up' if d < 0 else 'down, away from the right side,'} with {abs(d):.3f}")
    )
    return f"{LABELS[a['kind']]} at margin {m:.1f} ({side} side): the loss is {loss:.3f}, {pull}."


PRESETS = [
    preset(
        "right, and enough",
        "which losses are content with a margin of 2?",
        kind="hinge",
        margin=2.0,
    ),
    preset(
        "too right?",
        "what does squared error do to an example with a margin of 3?",
        kind="squared",
        margin=3.0,
    ),
    preset(
        "far on the wrong side",
        "a stray point at −2: which loss lets it pull hardest?",
        kind="hinge2",
        margin=-2.0,
    ),
    preset("never quite done", "where does the pull of the log loss end?", kind="log", margin=3.0),
    preset(
        "with σ inside",
        "the slide puts a sigmoid into the hinge: how hard does it pull where the "
        "answer is most wrong?",
        kind="sigma",
        margin=-3.5,
    ),
]


def panel() -> Panel:
    """The margins; see `widgets.softmax.margins`."""
    return Panel(
        "What being right or wrong costs",
        compute,
        draw,
        caption,
        [
            choice("kind", "loss", "hinge", LABELS),
            slider("margin", "margin", 2.0, -4, 4, 0.1),
        ],
        PRESETS,
        drag=[{"axes": 0, "x": "margin"}, {"axes": 1, "x": "margin"}],
    )
