"""The generator's two losses, and how steep each is where D is sure.

Source: Minhas, "Adversarial Training in a GAN"; Goodfellow et al. (2014), section 3.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Bernoulli

from .. import student
from ..panel import Panel, State, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

Z = torch.linspace(-8, 8, 161, dtype=torch.float64)
NAMES = ("−log s", "log(1 − s)")


@cache
def exact() -> tuple[Tensor, Tensor]:
    """Both losses of one logit, and by autograd their slopes, over `Z`: (2, 161) each."""
    z = Z.clone().requires_grad_()
    law = Bernoulli(logits=z, validate_args=False)
    losses = torch.stack([-law.log_prob(torch.ones_like(Z)), law.log_prob(torch.zeros_like(Z))])
    slopes = [torch.autograd.grad(loss.sum(), z, retain_graph=True)[0] for loss in losses]
    return losses.detach(), torch.stack(slopes)


def theirs(
    loss: Callable[..., Any] | None, slope: Callable[..., Any] | None
) -> tuple[list[Tensor | None], str]:
    """The student's losses and slopes over `Z`, (2, 161) each or None, and what to say of them."""
    found: list[Tensor | None] = []
    notes: list[str] = []
    for f, truth in zip((loss, slope), exact(), strict=True):
        if f is None:
            found.append(None)
            continue
        name = student.name_of(f)

        def over_z(f: Callable[..., Any] = f) -> Tensor:
            return torch.stack(
                [torch.stack([f(z[None], kind).reshape(()) for z in Z]) for kind in (False, True)]
            )

        over_z.__name__ = name
        got, note = student.against(truth, over_z)
        notes.append(note)
        found.append(got)
    return found, said(*notes)


def compute(
    state: State, found: tuple[list[Tensor | None], str] = ([None, None], "")
) -> dict[str, Any]:
    """state: z, D's logit for a made point. losses, slopes (2, 161); here: both at z."""
    at = int((Z - float(state["z"])).abs().argmin())
    losses, slopes = exact()
    return {
        "losses": losses,
        "slopes": slopes,
        "yours": found[0],
        "note": found[1],
        "at": at,
        "here": (losses[:, at], slopes[:, at]),
    }


def draw(figure: Figure, style: Style) -> Update:
    """Both losses (cause) and what is left of them as a gradient (effect)."""
    views = style.axes(figure, ["loss of one made point", "its slope: what G hears"])
    for ax in views:
        ax.set(xlim=(-8, 8), xlabel="D's logit: left sure that it is made, right taken in")
    views[0].set_ylim(-8.5, 8.5)
    views[1].set_ylim(-1.15, 0.15)
    looks = [style.line("curve"), style.line("curve") | {"color": style.orange, "ls": "-."}]
    lines = [[ax.plot([], [], animated=True, **look)[0] for look in looks] for ax in views]
    dashed = [
        [ax.plot([], [], animated=True, **style.line("truth"))[0] for _ in looks] for ax in views
    ]
    points = [[ax.plot([], [], animated=True, **style.point())[0] for _ in looks] for ax in views]
    points[0][1].set_marker("s")
    points[1][1].set_marker("s")
    style.legend(
        views[0],
        handles=lines[0],
        labels=[f"{NAMES[0]}", f"{NAMES[1]}, saturating"],
        loc="lower left",
    )

    def update(a: Arrays) -> None:
        for view, name in enumerate(("losses", "slopes")):
            yours = a["yours"][view]
            drawn = a[name] if yours is None else yours
            for k in (0, 1):
                trace(lines[view][k], Z, drawn[k])
                trace(dashed[view][k], Z, None if yours is None else a[name][k])
                trace(points[view][k], [Z[a["at"]]], [a[name][k][a["at"]]])

    return update


def caption(_state: State, a: Arrays) -> str:
    """What D says here, and how steep each loss is."""
    z = float(Z[a["at"]]) + 0.0  # no minus before a zero
    steep = [number(abs(float(v)), 3) for v in a["here"][1]]
    sure = number(float(torch.tensor(z).sigmoid()))
    return said(
        a["note"],
        f"At logit {z:.1f}, where D gives s = {sure} to a made point: {NAMES[0]} has a slope of "
        f"size {steep[0]}, {NAMES[1]} of {steep[1]}.",
    )


PRESETS = [
    preset("D is sure", "early in the game: which loss tells G where to go?", z=-6.0),
    preset("a coin toss", "where D can't tell, do the losses differ?", z=0.0),
    preset("G has won", "where D is taken in, which loss still pulls, and does it matter?", z=4.0),
]


def panel(loss: Callable[..., Any] | None, slope: Callable[..., Any] | None) -> Panel:
    """The two losses; see `widgets.gan.slopes`."""
    return Panel(
        "Two losses for one player",
        compute,
        draw,
        caption,
        [slider("z", "D's logit for a made point", -6.0, -8, 8, 0.1)],
        PRESETS,
        given=(theirs(loss, slope),),
        drag=[{"axes": 0, "x": "z"}, {"axes": 1, "x": "z"}],
    )
