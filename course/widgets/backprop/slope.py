"""Asking the function for its slope: the size of the nudge against the error of the answer.

A central difference errs by about f''' eps^2 / 6, and by rounding as eps gets small. Source:
Baydin et al. (2018), section 2.1; Goodfellow et al. (2016), section 11.5.
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

FUNCTIONS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "cube": ("w³", lambda w: w**3),
    "tanh": ("tanh(w)", torch.tanh),
    "exp": ("exp(w)", torch.exp),
    "relu": ("relu(w)", torch.relu),
}
PRECISIONS = (torch.float64, torch.float32)
FLOOR = 1e-13  # errors below are drawn here
POWERS = torch.arange(-12, 0.01, 0.5)
ALL = (10.0**POWERS).double()


def by_sampling(f: Callable[[Tensor], Tensor], w: Tensor, eps: Tensor) -> Tensor:
    """The slopes of f at w () from samples eps (n,) apart, by `torch.gradient`: (n,)."""
    samples = f(torch.stack([w - eps, w.expand(eps.shape), w + eps]))
    return torch.gradient(samples, dim=0)[0][1] / eps


def compute(state: State, numerical_gradient: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The curve with its chord, and the errors of the chord's slope by eps.

    state: kind, w, power (of ten, of eps). Returns x, y (161,), chord (2, 2), slope (the true one),
    found (the chord's), errors {dtype: (25,)}, yours the same or None, note.
    """
    f, eps = FUNCTIONS[state["kind"]][1], 10.0 ** float(state["power"])
    leaf = torch.tensor(float(state["w"]), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f(leaf), leaf)
    w = leaf.detach()
    x = torch.linspace(-2.2, 2.2, 161, dtype=torch.float64)
    ends = torch.stack([w - eps, w + eps])

    def errors(g: Callable[..., Tensor]) -> dict[torch.dtype, Tensor]:
        """By `g(f, w, eps)`: slopes by all eps, in the precision of w and eps."""
        found = {dtype: g(f, w.to(dtype), ALL.to(dtype)).double() for dtype in PRECISIONS}
        return {dtype: (s - slope).abs().clamp(min=FLOOR) for dtype, s in found.items()}

    arrays: dict[str, Any] = {
        "x": x, "y": f(x), "w": float(w), "at": float(f(w)), "slope": float(slope), "note": "",
        "chord": torch.stack([ends, f(ends)]), "errors": errors(by_sampling), "yours": None,
        "found": float(by_sampling(f, w, torch.tensor([eps], dtype=torch.float64))), "eps": eps,
    }  # fmt: skip
    if numerical_gradient is not None:

        def one_by_one(f: Callable[..., Tensor], w: Tensor, _eps: Tensor) -> Tensor:
            return torch.stack([numerical_gradient(f, w, e) for e in ALL.tolist()])

        got, note = student.call(numerical_gradient, f, w, eps, shape=())
        if got is not None and not note:
            want, arrays["found"] = arrays["found"], float(got)
            try:
                arrays["yours"] = errors(one_by_one)
            except Exception as error:
                note = f"Your `{student.name_of(numerical_gradient)}` stopped: {error}"[:150]
            if not note and abs(float(got) - want) > 1e-6 * max(1.0, abs(float(slope))):
                note = (
                    f"Your `{student.name_of(numerical_gradient)}` gives "
                    f"{number(float(got), 6)} here, a central difference {number(want, 6)}."
                )
            elif not note:
                note = f"Your `{student.name_of(numerical_gradient)}` lies on the dashed lines."
        arrays["note"] = note
    return arrays


def draw(figure: Figure, style: Style) -> Update:
    """The function with the chord through both nudged places; the error by eps, two precisions."""
    curve, wall = style.axes(
        figure, ["the function, its tangent, the chord", "error of the slope by eps"], (2, 3)
    )
    curve.set(xlim=(-2.2, 2.2), ylim=(-4, 5), xlabel="w")
    wall.set(
        xscale="log",
        yscale="log",
        xlim=(10**-12.3, 2),
        ylim=(FLOOR / 2, 20),
        xlabel="eps",
        ylabel="|estimate − slope|",
    )
    line = curve.plot([], [], animated=True, **style.line("curve"))[0]
    tangent = curve.plot([], [], animated=True, **style.line("guide"))[0]
    chord = curve.plot([], [], animated=True, marker="o", ms=5, **style.line("tangent"))[0]
    looks = {
        torch.float64: ("o", style.blue, "float64"),
        torch.float32: ("s", style.green, "float32"),
    }
    truth, yours = {}, {}
    for dtype, (marker, colour, text) in looks.items():
        truth[dtype] = wall.plot([], [], animated=True, **style.line("truth"))[0]
        yours[dtype] = wall.plot(
            [], [], marker=marker, ms=4, lw=1.8, color=colour, label=text, animated=True
        )[0]
    here = wall.axvline(1, animated=True, color=style.orange, lw=1.6, ls="--")
    # Above the picture: the hand's line goes everywhere in it.
    style.legend(wall, loc="lower right", bbox_to_anchor=(1, 0.99), ncols=2, frameon=False)

    def update(a: Arrays) -> None:
        trace(line, a["x"], a["y"])
        tangent.set_data(
            [a["w"] - 5, a["w"] + 5], [a["at"] - 5 * a["slope"], a["at"] + 5 * a["slope"]]
        )
        trace(chord, *a["chord"])
        for dtype in PRECISIONS:
            shown = a["errors"] if a["yours"] is None else a["yours"]
            trace(yours[dtype], ALL, shown[dtype].nan_to_num(20.0))
            trace(truth[dtype], ALL, a["errors"][dtype])
            truth[dtype].set_visible(a["note"] != "")
        here.set_xdata([a["eps"]] * 2)

    return update


def caption(state: State, a: Arrays) -> str:
    """The estimate, the true slope, and how far off it is in each precision."""
    at = int((POWERS - float(state["power"])).abs().argmin())
    off = {dtype: number(float(error[at])) for dtype, error in a["errors"].items()}
    sentence = (
        f"{FUNCTIONS[state['kind']][0]} at w = {state['w']:.1f}, eps = {number(a['eps'])}: "
        f"the chord has slope {number(a['found'], 6)}, the tangent {number(a['slope'], 6)}; off by "
        f"{off[torch.float64]} in float64 and {off[torch.float32]} in float32."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "a wide nudge",
        "the chord is steeper than the tangent: by how much less if eps is ten times smaller?",
        kind="cube",
        w=0.7,
        power=-0.5,
    ),
    preset(
        "a fine one",
        "in float64: which eps is best, and how many digits are right there?",
        kind="cube",
        w=0.7,
        power=-5.0,
    ),
    preset(
        "too fine",
        "why does the error grow again on the left, and sooner in float32?",
        kind="exp",
        w=0.7,
        power=-10.0,
    ),
    preset(
        "a kink",
        "ReLU's kink is 0.1 away: from which eps on does the chord no longer see it?",
        kind="relu",
        w=0.1,
        power=-0.5,
    ),
]


def panel(numerical_gradient: Callable[..., Any] | None) -> Panel:
    """The nudge; see `widgets.backprop.nudge`."""
    return Panel(
        "Ask the function for its slope",
        compute,
        draw,
        caption,
        [
            choice("kind", "function", "cube", {key: text for key, (text, _) in FUNCTIONS.items()}),
            slider("w", "w", 0.7, -2, 2, 0.1),
            slider("power", "eps = 10 to the", -0.5, -12, 0, 0.5),
        ],
        PRESETS,
        given=(numerical_gradient,),
    )
