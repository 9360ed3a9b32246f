"""Saturation: a layer's activations over a batch, its flat ends, and the units that are dead.

Source: Karatzas, "Saturation" and "Dying ReLU"; Glorot and Bengio (2010).
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style
from .curve import LABELS
from .depth import activation

BATCH, INPUTS, UNITS, BINS = 80, 30, 40, 48
# The two values at which each activation is flat; ReLU and ELU are flat on one side only.
ENDS = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "elu": (-1.0, math.inf),
}
# matplotlib is twice as fast with an image of bytes as with numbers and a colour map.
COLOURS = colormaps["cividis"](range(256), bytes=True)
NO_UNITS = torch.zeros(UNITS, dtype=torch.bool)


def layer(state: State) -> tuple[Tensor, Tensor]:
    """Pre-activations z and activations h (80, 40) of one layer on a batch of random inputs.

    z = x W^T + b with x ~ N(0, 1) and W ~ N(0, scale^2 / 30): z has deviation `scale`.
    The biases are spread around `bias`, evenly from bias - 1 to bias + 1.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, INPUTS, generator=generator, dtype=torch.float64)
    w = torch.randn(UNITS, INPUTS, generator=generator, dtype=torch.float64) / INPUTS**0.5
    b = float(state["bias"]) + torch.linspace(-1, 1, UNITS, dtype=torch.float64)
    z = float(state["scale"]) * x @ w.T + b
    return z, activation(state["kind"])(z)


def compute(
    state: State,
    saturated_fraction: Callable[..., Any] | None = None,
    dead_units: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Densities of z and h, the share near a flat end, and which units are dead.

    state: kind, scale, bias, margin. Returns z_bars, h_bars (48,), h (80, 40), low, high, near
    (share of h within margin of low or high), dead (40,) bool; yours_near, yours_dead or None.
    """
    z, h = layer(state)
    low, high = ENDS[state["kind"]]
    margin = float(state["margin"])
    near = float((torch.minimum((h - low).abs(), (h - high).abs()) < margin).double().mean())
    dead = h.abs().amax(0) <= 1e-12 if state["kind"] == "relu" else NO_UNITS
    left, right = _range(state["kind"])
    arrays: dict[str, Any] = {
        "kind": state["kind"],
        "h": h,
        "low": low,
        "high": high,
        "margin": margin,
        "z_bars": torch.histc(z.clamp(-9.99, 9.99), BINS, -10, 10) / z.numel(),
        "h_bars": torch.histc(h.clamp(left, right), BINS, left, right) / h.numel(),
        "near": near,
        "dead": dead,
        "yours_near": None,
        "yours_dead": None,
        "notes": [],
    }
    if saturated_fraction is not None:
        got, note = student.call(saturated_fraction, h, low, high, margin, shape=())
        if got is not None and not note:
            arrays["yours_near"] = float(got)
            agree = abs(float(got) - near) < 1e-6
            note = f"Your `{student.name_of(saturated_fraction)}` says {float(got):.1%}" + (
                ", as it should." if agree else f"; it is {near:.1%}."
            )
        arrays["notes"].append(note)
    if dead_units is not None:
        got, note = student.call(dead_units, h, shape=(UNITS,))
        if got is not None and not note:
            arrays["yours_dead"] = got.bool()
            true = h.abs().amax(0) <= 1e-12
            wrong = int((got.bool() != true).sum())
            note = f"Your `{student.name_of(dead_units)}` finds {int(got.bool().sum())}" + (
                ", as it should." if not wrong else f" and is wrong about {wrong} units."
            )
        arrays["notes"].append(note)
    return arrays


def _range(kind: str) -> tuple[float, float]:
    low, high = ENDS[kind]
    return low - 0.05, min(high, 5.0) + 0.05


def draw(figure: Figure, style: Style) -> Update:
    """Pre-activations z (cause), h with its flat ends shaded (effect), and h of each unit."""
    before, after, units = style.axes(
        figure,
        ["cause: pre-activations z", "effect: activations h", "h by unit: × is dead"],
        (1, 1, 1.25),
    )
    before.set(xlim=(-10, 10), ylim=(0, 0.25), xlabel="z", ylabel="share")
    after.set(xlabel="h")
    units.set(xlabel="unit", ylabel="example")
    units.grid(False)
    flat = [0.0] * BINS
    z_edges = torch.linspace(-10, 10, BINS + 1)
    z_stairs = before.stairs(flat, z_edges, fill=True, color=style.blue, animated=True)
    h_stairs = after.stairs(flat, z_edges, fill=True, color=style.blue, animated=True)
    shades = [
        after.axvspan(0, 0, color=style.orange, alpha=0.25, hatch="///", animated=True)
        for _ in range(2)
    ]
    picture = units.imshow(
        COLOURS[None],
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=(-0.5, UNITS - 0.5, -0.5, BATCH - 0.5),
        animated=True,
    )
    units.set(xlim=(-0.5, UNITS - 0.5), ylim=(-10, BATCH - 0.5))
    units.set_yticks(range(0, BATCH, 20))
    truth = units.plot([], [], "x", color=style.orange, ms=6, mew=2, animated=True)[0]
    yours = units.plot([], [], "o", mfc="none", mec=style.ink, ms=8, animated=True)[0]

    def update(a: Arrays) -> None:
        left, right = _range(a["kind"])
        after.set(xlim=(left, right), ylim=(0, 1 if math.isinf(a["high"]) else 0.5))
        z_stairs.set_data(a["z_bars"])
        h_stairs.set_data(a["h_bars"], torch.linspace(left, right, BINS + 1))
        for shade, (start, end) in zip(
            shades, ((left, a["low"] + a["margin"]), (a["high"] - a["margin"], right)), strict=True
        ):
            shade.set_visible(start < end)
            shade.set_bounds(start, 0, end - start, 1)
        shares = (a["h"] - left) / (right - left)
        picture.set_data(COLOURS[(255 * shares.clamp(0, 1)).int().numpy()])
        places = torch.arange(UNITS)
        dead = places[a["dead"]]
        trace(truth, dead, torch.full_like(dead, -5))
        mine = places[:0] if a["yours_dead"] is None else places[a["yours_dead"]]
        trace(yours, mine, torch.full_like(mine, -5))

    return update


def caption(state: State, a: Arrays) -> str:
    """How much of the batch sits where the slope is nearly 0, and how many units are dead."""
    ends = " or ".join(f"{end:g}" for end in (a["low"], a["high"]) if math.isfinite(end))
    sentence = (
        f"{LABELS[a['kind']]}, weights of scale {state['scale']:.1f}, biases around "
        f"{state['bias']:.1f}: {a['near']:.0%} of the activations lie within "
        f"{a['margin']:.2f} of {ends}, where hardly any gradient passes"
    )
    sentence += f"; {int(a['dead'].sum())} of {UNITS} units are dead (0 for the whole batch)."
    return said(*a["notes"], sentence)


PRESETS = [
    preset(
        "large weights",
        "z is spread 4 times wider than 1: what share of a sigmoid's outputs is stuck at 0 or 1?",
        kind="sigmoid",
        scale=4.0,
        bias=0.0,
    ),
    preset(
        "small weights",
        "nothing is stuck now; what else is lost when all h are near ½?",
        kind="sigmoid",
        scale=0.3,
        bias=0.0,
    ),
    preset(
        "tanh, scale 1",
        "does tanh saturate sooner or later than the sigmoid?",
        kind="tanh",
        scale=1.0,
        bias=0.0,
    ),
    preset(
        "half asleep",
        "ReLU is flat for z < 0: is a unit dead if half of its outputs are 0?",
        kind="relu",
        scale=1.0,
        bias=0.0,
    ),
    preset(
        "dying ReLU",
        "one large step has pushed the biases down: how many units will never learn again?",
        kind="relu",
        scale=1.0,
        bias=-3.0,
    ),
]


def panel(
    saturated_fraction: Callable[..., Any] | None, dead_units: Callable[..., Any] | None
) -> Panel:
    """Saturation; see `widgets.activations.saturation`."""
    return Panel(
        "One layer, one batch: what is stuck?",
        compute,
        draw,
        caption,
        [
            choice("kind", "activation", "sigmoid", {kind: LABELS[kind] for kind in ENDS}),
            slider("scale", "scale of the weights", 4.0, 0.1, 8, 0.1),
            slider("bias", "biases around", 0.0, -5, 3, 0.1),
            slider("margin", "margin", 0.05, 0.01, 0.3, 0.01),
        ],
        PRESETS,
        given=(saturated_fraction, dead_units),
        views=3,
    )
