"""The tower: what is left of a gradient on its way down through many layers.

Source: Karatzas, "Vanishing gradients"; Glorot and Bengio (2010), He et al. (2015) on the scale.
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from .curve import LABELS, TRUTH

BATCH, WIDTH, DEEPEST = 32, 24, 30
FLOOR, CEILING = 1e-16, 1e8  # norms are drawn between these
KINDS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "swish", "linear")


def activation(kind: str) -> Callable[[Tensor], Tensor]:
    """Torch's own function of that name, with its usual parameter."""
    parameters = {"elu": [1.0], "leaky_relu": [0.1], "swish": [1.0]}.get(kind, [])
    return lambda z: TRUTH[kind](z, *parameters)


def wiring(state: State, dense: bool) -> tuple[Tensor, Tensor]:
    """The batch x (32, 24), and the weights W (24, 24) that all layers share.

    W is `scale` times a random rotation, so that scale 1 by itself neither grows nor shrinks
    anything; where not `dense`, `scale` times the identity: each unit wired to the one above it.
    """
    generator = torch.Generator().manual_seed(int(state["seed"]))
    x = torch.randn(BATCH, WIDTH, generator=generator, dtype=torch.float64)
    w = torch.eye(WIDTH, dtype=torch.float64)
    if dense:
        w = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator, dtype=w.dtype))[0]
    return x, float(state["scale"]) * w


def compute(state: State, norms: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Gradient norms in a stack of layers h = g(W h), first layer first.

    state: depth, kind, scale, seed. Returns norms (depth,): ||dL/dh|| at the input of each layer,
    where L is the sum of the last layer's outputs; slopes (depth,): the mean |g'(z)| in each;
    yours (depth,) or None; notes.
    """
    depth, g = int(state["depth"]), activation(state["kind"])
    x, w = wiring(state, dense=norms is None)
    hs, zs = [x.requires_grad_()], []
    for _ in range(depth):
        zs.append(hs[-1] @ w.T)
        hs.append(g(zs[-1]))
    found = torch.autograd.grad(hs[-1].sum(), hs[:-1])
    z = torch.stack(zs).detach().requires_grad_()
    slopes = torch.autograd.grad(g(z).sum(), z)[0].abs().mean((1, 2))
    arrays: dict[str, Any] = {
        "norms": torch.stack([gradient.norm() for gradient in found]),
        "slopes": slopes,
        "yours": None,
        "notes": [],
    }
    if norms is not None:
        scale = float(state["scale"])
        got, note = student.call(norms, depth, lambda h: g(scale * h), x.detach(), shape=(depth,))
        arrays["yours"] = got
        if got is not None and not note:
            ratio = got.clamp(FLOOR) / arrays["norms"].clamp(FLOOR)
            off = float(ratio.log().abs().max().exp())
            note = f"Your `{student.name_of(norms)}` " + (
                "lies on the dashed line."
                if off < 1.001
                else f"is off the dashed line by a factor of up to {number(off)}."
            )
        arrays["notes"] = [note]
    return arrays


def draw(figure: Figure, style: Style) -> Update:
    """The tower, layer 1 at the bottom: slope in each layer (cause), gradient norm (effect)."""
    left, right = style.axes(
        figure, ["cause: mean |g′(z)| in each layer", "effect: gradient norm at its input"], (2, 3)
    )
    layers = list(range(1, DEEPEST + 1))
    for ax in (left, right):
        ax.set(ylim=(0, DEEPEST + 1), ylabel="layer (1 = bottom)")
    left.set(xlim=(0, 1.5), xlabel="¼ is the most that a sigmoid has")
    left.set_xticks([0, 0.25, 0.5, 1, 1.5], ["0", "¼", "½", "1", "1.5"])
    left.axvline(1, **style.line("guide"))
    left.axvline(0.25, **style.line("guide"))
    right.set(xscale="log", xlim=(FLOOR, CEILING), xlabel="‖∂L/∂h‖")
    right.axvline(1, **style.line("guide"))
    slopes = left.plot([], [], "s-", ms=4, lw=1, color=style.orange, animated=True)[0]
    rungs = right.hlines(layers, FLOOR, FLOOR, color=style.blue, lw=4, alpha=0.45, animated=True)
    dashed = right.plot([], [], animated=True, marker="|", ms=8, **style.line("truth"))[0]
    yours = right.plot([], [], animated=True, marker="o", ms=5, **style.line("curve"))[0]

    def update(a: Arrays) -> None:
        ks = layers[: len(a["norms"])]
        trace(slopes, a["slopes"].clamp(max=1.5), ks)
        alone = not a["notes"]
        shown = a["norms"].clamp(FLOOR, CEILING)
        bars = shown if alone else a["yours"]
        ends = [] if bars is None else bars.nan_to_num(0).clamp(FLOOR, CEILING).tolist()
        rungs.set_segments([[(FLOOR, k), (end, k)] for k, end in enumerate(ends, 1)])
        trace(dashed, shown, ks)
        dashed.set_visible(not alone)
        yours.set_data(ends, ks[: len(ends)])

    return update


def caption(state: State, a: Arrays) -> str:
    """What the bottom layer gets of what the top one has, as a factor."""
    norms, depth = a["norms"], int(state["depth"])
    bottom, top = float(norms[0]), float(norms[-1])
    sentence = (
        f"{depth} layers of {LABELS[state['kind']]}, weights of scale {state['scale']:.1f}: "
        f"gradient norm {number(top)} at layer {depth}, {number(bottom)} at layer 1"
    )
    if depth > 1 and top > 0:
        a_layer = (bottom / top) ** (1 / (depth - 1))
        sentence += f", a factor of {number(a_layer)} a layer on the way down"
    return said(*a["notes"], sentence + ".")


PRESETS = [
    preset(
        "ten sigmoids",
        "of the gradient at the top, what part reaches the bottom: a half, a "
        "hundredth, a millionth?",
        kind="sigmoid",
        depth=10,
        scale=1.0,
    ),
    preset(
        "larger weights?",
        "can larger weights make up for the sigmoid's small slope?",
        kind="sigmoid",
        depth=10,
        scale=4.0,
    ),
    preset(
        "tanh",
        "tanh has slope 1 at zero: does that save the bottom layer?",
        kind="tanh",
        depth=30,
        scale=1.0,
    ),
    preset(
        "ReLU, scale 1.4",
        "half of all units pass nothing: which scale makes up for that?",
        kind="relu",
        depth=30,
        scale=1.4,
    ),
    preset(
        "it explodes",
        "what happens to the bottom when each layer adds a little?",
        kind="leaky_relu",
        depth=30,
        scale=2.4,
    ),
]
PRESETS_YOURS = [
    preset(
        "ten sigmoids",
        "what is the most that ten sigmoids let through?",
        kind="sigmoid",
        depth=10,
        scale=1.0,
    ),
    preset("ten ReLUs", "which entries lose nothing at all?", kind="relu", depth=10, scale=1.0),
    preset(
        "tanh, deep",
        "how fast does tanh lose it when h shrinks towards zero?",
        kind="tanh",
        depth=30,
        scale=1.0,
    ),
]


def panel(norms: Callable[..., Any] | None) -> Panel:
    """The tower; see `widgets.activations.tower`."""
    return Panel(
        "A tower of layers, and the gradient that reaches each",
        compute,
        draw,
        caption,
        [
            slider("depth", "depth", 10, 1, DEEPEST, 1),
            choice("kind", "activation", "sigmoid", {kind: LABELS[kind] for kind in KINDS}),
            slider("scale", "scale of the weights", 1.0, 0.1, 4, 0.1),
            seed(),
        ],
        PRESETS if norms is None else PRESETS_YOURS,
        given=(norms,),
    )
