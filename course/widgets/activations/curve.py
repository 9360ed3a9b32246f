"""The explorer: an activation, its slope, and the tangent at a point that the hand moves.

Source: Karatzas, "Activation functions"; Rinnert, "Activation functions".
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

Z = torch.linspace(-6, 6, 241, dtype=torch.float64)

# The truth is torch's own.
TRUTH: dict[str, Callable[..., Tensor]] = {
    "linear": lambda z: z * 1.0,
    "step": lambda z: (z >= 0).to(z.dtype),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "softplus": F.softplus,
    "leaky_relu": F.leaky_relu,  # (z, alpha)
    "elu": F.elu,  # (z, alpha)
    "selu": F.selu,
    "swish": lambda z, beta: F.silu(beta * z) / beta,
    "mish": F.mish,
}
LABELS = {
    "linear": "linear",
    "step": "binary threshold",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "ReLU",
    "softplus": "softplus",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "swish": "Swish",
    "mish": "Mish",
}
PARAMETERS = {"alpha": ("leaky_relu", "elu"), "beta": ("swish",)}
LOW = {"linear": -6.2, "tanh": -1.3, "sigmoid": -0.3, "step": -0.3}
HIGH = {"tanh": 1.3, "sigmoid": 1.3, "step": 1.3}


def slope(f: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """f'(z) by autograd, elementwise; 0 where f does not depend on z."""
    z = z.detach().requires_grad_()
    h = f(z)
    if not h.requires_grad:
        return torch.zeros_like(z)
    return torch.autograd.grad(h.sum(), z)[0]


def truth_name(name: str) -> str:
    """The activation that a student's function of this name should be."""
    for ending in ("_prime", "_from_sigmoid"):
        name = name.removesuffix(ending)
    if name not in TRUTH:
        raise ValueError(f"no activation is named {name!r}; there are: {', '.join(TRUTH)}")
    return name


def compute(
    state: State,
    f: Callable[..., Any] | None = None,
    f_prime: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Curve, slope and tangent of the activation that `state` names.

    state: kind, z, alpha, beta. Returns f, slope (the truth on the grid `Z`), here
    (z, f(z), f'(z)), tangent (two end points), and of the student's functions yours, yours_slope
    (None if they can't be drawn) and notes.
    """
    kind = state["kind"]
    extra = [float(state[name]) for name, kinds in PARAMETERS.items() if kind in kinds]

    def true(z: Tensor) -> Tensor:
        return TRUTH[kind](z, *extra)

    at = torch.tensor([float(state["z"])], dtype=torch.float64)
    z, h, d = float(at), float(true(at)), float(slope(true, at))
    arrays: dict[str, Any] = {
        "f": true(Z),
        "slope": slope(true, Z),
        "here": (z, h, d),
        "tangent": ((z - 1.6, z + 1.6), (h - 1.6 * d, h + 1.6 * d)),
        "kind": kind,
        "yours": None,
        "yours_slope": None,
        "notes": [],
    }
    for key, function, want in (("yours", f, "f"), ("yours_slope", f_prime, "slope")):
        if function is not None:
            arrays[key], note = student.against(arrays[want], function, Z, *extra)
            arrays["notes"].append(note)
    return arrays


def draw(figure: Figure, style: Style) -> Update:
    """Two views on one z: the activation with its tangent, and its slope."""
    left, right = style.axes(figure, ["activation f(z)", "slope f′(z)"])
    for ax in (left, right):
        ax.set(xlim=(-6, 6), xlabel="z")
        ax.axhline(0, color=style.muted, lw=0.8)
        ax.axvline(0, color=style.muted, lw=0.8)
    right.set_ylim(-0.3, 1.4)
    right.axhline(1, **style.line("guide"))
    lines = {}
    for key, ax, role in (
        ("yours", left, "curve"),
        ("f", left, "truth"),
        ("tangent", left, "tangent"),
        ("yours_slope", right, "curve"),
        ("slope", right, "truth"),
    ):
        lines[key] = ax.plot([], [], animated=True, **style.line(role))[0]
    points = [ax.plot([], [], animated=True, **style.point())[0] for ax in (left, right)]
    plumb = [ax.plot([], [], animated=True, **style.line("guide"))[0] for ax in (left, right)]

    def update(a: Arrays) -> None:
        left.set_ylim(LOW.get(a["kind"], -2.2), HIGH.get(a["kind"], 6.2))
        # Without a student's function, the truth is the curve to look at.
        alone = not a["notes"]
        for key, truth in (("yours", "f"), ("yours_slope", "slope")):
            trace(lines[key], Z, a[truth] if alone else a[key])
            trace(lines[truth], Z, a[truth])
            lines[truth].set_visible(not alone)
        lines["tangent"].set_data(*a["tangent"])
        z, h, d = a["here"]
        for point, height in zip(points, (h, d), strict=True):
            point.set_data([z], [height])
        for line, height in zip(plumb, (h, d), strict=True):
            line.set_data([z, z], [0, height])

    return update


def caption(_state: State, a: Arrays) -> str:
    """Value, slope, and what ten such layers leave of a gradient."""
    z, h, d = a["here"]
    through = "no gradient passes here"
    if d:
        through = f"a gradient that passes here is multiplied by {d:.3f}"
    if 0 < abs(d) < 1:
        through += f", after ten such layers by {number(d**10, 1)}"
    sentence = f"{LABELS[a['kind']]} at z = {z:.1f}: f(z) = {h:.3f}, slope {d:.3f}; {through}."
    return said(*a["notes"], sentence)


PRESETS = [
    preset(
        "saturated",
        "how far must z go before almost nothing of the slope is left?",
        kind="sigmoid",
        z=4.0,
    ),
    preset(
        "at its best",
        "where is the sigmoid's slope largest, and is it ever above 1?",
        kind="sigmoid",
        z=0.0,
    ),
    preset(
        "zero-centred",
        "tanh is a stretched sigmoid: is its slope at 0 larger or smaller?",
        kind="tanh",
        z=0.0,
    ),
    preset(
        "the corner",
        "what is the slope of ReLU exactly at 0, and just beside it?",
        kind="relu",
        z=0.0,
    ),
    preset(
        "bends down",
        "Swish falls before it rises: where is its slope negative?",
        kind="swish",
        z=-1.3,
    ),
]
Z_SLIDER = slider("z", "z", 4.0, -6, 6, 0.1)
PARAMETER_SLIDERS = [
    slider("alpha", "α", 0.1, 0, 2, 0.05, when=("kind", PARAMETERS["alpha"])),
    slider("beta", "β", 1.0, 0.1, 5, 0.1, when=("kind", PARAMETERS["beta"])),
]


def panel(
    f: Callable[..., Any] | None, f_prime: Callable[..., Any] | None, name: str | None
) -> Panel:
    """The explorer; see `widgets.activations.explorer`."""
    given = f or f_prime
    if given is None and name is None:
        controls = [choice("kind", "activation", "sigmoid", LABELS), Z_SLIDER, *PARAMETER_SLIDERS]
        presets, title = PRESETS, "Activations and their slopes"
    else:
        kind = truth_name(name or student.name_of(given))  # type: ignore[arg-type]
        extra = [dict(p, when=None) for p in PARAMETER_SLIDERS if kind in p["when"][1]]
        controls = [choice("kind", "activation", kind, {kind: LABELS[kind]}), Z_SLIDER, *extra]
        presets = [
            preset("right", "what should the slope be here?", z=3.0),
            preset("left", "what should the slope be here?", z=-3.0),
            preset("at zero", "what should the slope be exactly here?", z=0.0),
        ]
        title = f"{LABELS[kind]} and its slope"
    return Panel(
        title,
        lambda state: compute({"alpha": 0.1, "beta": 1.0} | state, f, f_prime),
        draw,
        caption,
        controls,
        presets,
        drag=[{"axes": 0, "x": "z"}, {"axes": 1, "x": "z"}],
    )
