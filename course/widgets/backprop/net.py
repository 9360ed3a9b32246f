"""The net 2-3-1 on XOR: weights forward, gradients back along the same lines.

Source: Passerini, "Hidden units", "Few simple suggestions"; Minhas, "Proof for the Learning Rule".
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)
SHAPES = ((3, 2), (3,), (1, 3), (1,))
NAMES = ("W₁ 11", "W₁ 12", "W₁ 21", "W₁ 22", "W₁ 31", "W₁ 32", "b₁ 1", "b₁ 2", "b₁ 3",
         "W₂ 1", "W₂ 2", "W₂ 3", "b₂")  # fmt: skip
ROWS = {"all": "all four", "0": "(0, 0) → 0", "1": "(0, 1) → 1", "2": "(1, 0) → 1",
        "3": "(1, 1) → 0"}  # fmt: skip
INPUTS, HIDDEN, OUTPUT = [(0, 2.2), (0, 0.8)], [(1, 3), (1, 1.5), (1, 0)], (2, 1.5)
LINKS = [(i, h) for h in HIDDEN for i in INPUTS] + [(h, OUTPUT) for h in HIDDEN]


def start(state: State) -> list[Tensor]:
    """W1, b1, W2, b2: normal numbers, or all the same, times `scale`."""
    generator = torch.Generator().manual_seed(int(state["seed"]))
    made = [torch.randn(*s, generator=generator, dtype=torch.float64) for s in SHAPES]
    if state["weights"] == "same":
        made = [torch.full_like(t, 0.5) for t in made]
    return [float(state["scale"]) * t for t in made]


def compute(state: State, backward: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Thirteen weights and thirteen gradients of the mean of E over the chosen examples.

    state: rows, weights, scale, seed. Returns weights, truth (13,), yours (13,) or None, h (batch,
    3), y_hat (batch, 1), loss, note.
    """
    rows = (
        slice(None) if state["rows"] == "all" else slice(int(state["rows"]), int(state["rows"]) + 1)
    )
    x, y = X[rows], Y[rows]
    params = [t.requires_grad_() for t in start(state)]
    h = torch.special.expit(F.linear(x, *params[:2]))
    y_hat = torch.special.expit(F.linear(h, *params[2:]))
    loss = F.mse_loss(y_hat, y) / 2
    truth = _flat(torch.autograd.grad(loss, params))
    plain = tuple(t.detach() for t in params)
    arrays: dict[str, Any] = {
        "weights": _flat(plain), "truth": truth, "yours": None, "h": h.detach(),
        "y_hat": y_hat.detach(), "loss": loss.item(), "note": "", "given": backward is not None,
    }  # fmt: skip
    if backward is not None:
        cache = (x, h.detach(), y_hat.detach())
        got, note = student.call(_thirteen(backward), plain, cache, y, shape=(13,))
        if got is not None and not note:
            # Saturated units leave gradients too small to be seen, but not too small to be wrong.
            off = (got - truth).abs() > 1e-6 * truth.abs().max() + 1e-12
            names = ", ".join(name for name, wrong in zip(NAMES, off, strict=True) if wrong)
            note = (
                f"Your `{student.name_of(backward)}` departs in {int(off.sum())} of 13: {names}."
                if names
                else f"Your `{student.name_of(backward)}` has all thirteen right."
            )
        arrays["yours"], arrays["note"] = got, note
    return arrays


def _flat(tensors: Any) -> Tensor:
    return torch.cat([t.detach().reshape(-1) for t in tensors])


def _thirteen(backward: Callable[..., Any]) -> Callable[..., Tensor]:
    """`backward`, its four gradients laid out in a row; ValueError where a shape is another."""

    def called(params: Any, cache: Any, y: Tensor) -> Tensor:
        copies = [tuple(t.clone() for t in pack) for pack in (params, cache)]
        found = backward(*copies, y.clone())
        shapes = tuple(tuple(getattr(t, "shape", ())) for t in found)
        if shapes != SHAPES:
            raise ValueError(f"the four gradients have shapes {shapes}, expected {SHAPES}")
        return _flat(found)

    called.__name__ = student.name_of(backward)
    return called


def _between(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
    )


def _net(ax: Axes, style: Style, colour: str) -> tuple[LineCollection, list[Any], Any]:
    """Discs and empty lines of the net; returns the lines, the texts of the discs, and arrows."""
    ax.set(xlim=(-0.25, 2.3), ylim=(-1.1, 4.0), xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    # From disc to disc, so that discs and names can stay with what is drawn once.
    ends = [[_between(s, t, 0.2), _between(s, t, 0.8)] for s, t in LINKS]
    lines = LineCollection(ends, colors=colour, animated=True, zorder=1)
    ax.add_collection(lines)
    heads = [_between(s, t, 0.38) for s, t in LINKS]
    arrows = ax.scatter(
        [x for x, _ in heads],
        [y for _, y in heads],
        marker="<",
        color=colour,
        animated=True,
        zorder=2,
        s=0,
    )
    places = [*INPUTS, *HIDDEN, OUTPUT]
    ax.plot(*zip(*places, strict=True), "o", ms=24, mfc=style.paper, mec=style.ink)
    for (x, y), name in zip(places, ["x₁", "x₂", "h₁", "h₂", "h₃", "ŷ"], strict=True):
        ax.text(x, y, name, size=8.5, color=style.ink, ha="center", va="center")
    texts = [  # the lines to the highest come from below, so its text stands above
        ax.text(
            x, y + (0.38 if place == HIDDEN[0] else -0.38), "", size=8, color=style.ink,
            ha="center", va="bottom" if place == HIDDEN[0] else "top", animated=True,
            path_effects=style.halo(),
        )
        for place in places[2:]
        for x, y in [place]
    ]  # fmt: skip
    return lines, texts, arrows


def draw(figure: Figure, style: Style) -> Update:
    """The weights (cause), the gradients that come back (effect), and the same thirteen as bars."""
    forward, back, bars = style.axes(
        figure,
        ["weights, and outputs of units", "gradients, coming back", "thirteen gradients"],
        (5, 5, 6),
    )
    weights, values, _ = _net(forward, style, style.blue)
    gradients, deltas, heads = _net(back, style, style.orange)
    forward.text(-0.2, -1.05, "dashed: negative", size=7.5, color=style.muted)
    back.text(-0.2, -1.05, "dashed: negative; width by size", size=7.5, color=style.muted)
    bars.set(
        ylim=(12.6, -0.6),
        yticks=range(13),
        yticklabels=NAMES,
        xlim=(-1.08, 1.08),
        xlabel="as a share of the largest",
    )
    forward.set_xlabel("at each unit: its output (mean)")
    back.set_xlabel("at each unit: its bias's gradient")
    bars.axvline(0, color=style.muted, lw=1)
    sticks = bars.hlines(range(13), 0, 0, color=style.blue, lw=6, alpha=0.6, animated=True)
    marks = bars.plot([], [], ls="", marker="|", ms=11, mew=2, color=style.ink, animated=True)[0]

    def update(a: Arrays) -> None:
        shown = a["yours"] if a["given"] else a["truth"]
        w = a["weights"].tolist()
        links = [*range(6), 9, 10, 11]
        # Not thinner than a hair: dashes are as long as the line is wide.
        weights.set_linewidth([min(6.0, max(0.3, 1.2 * abs(w[i]))) for i in links])
        weights.set_linestyle(["-" if w[i] >= 0 else (0, (2, 1)) for i in links])
        g = [0.0] * 13 if shown is None else shown.nan_to_num(0.0).tolist()
        largest = max(map(abs, [*g, *a["truth"].tolist()]))
        share = [abs(g[i]) / (largest or 1.0) for i in links]
        gradients.set_linewidth([max(0.3, 7 * s) for s in share])
        gradients.set_linestyle(["-" if g[i] >= 0 else (0, (2, 1)) for i in links])
        heads.set_sizes([260 * s if s > 0.02 else 0 for s in share])
        outs = [*a["h"].mean(0).tolist(), a["y_hat"].mean().item()]
        for text, value in zip(values, outs, strict=True):
            text.set_text(f"{value:.2f}")
        for text, i in zip(deltas, (6, 7, 8, 12), strict=True):
            text.set_text(number(g[i], 2))
        unit = largest or 1.0
        sticks.set_segments([[(0, i), (value / unit, i)] for i, value in enumerate(g)])
        trace(marks, a["truth"] / unit, range(13))

    return update


def caption(state: State, a: Arrays) -> str:
    """The loss, and how much gradient reaches each layer."""
    size = a["truth"].abs()
    first, second = float(size[:9].max()), float(size[9:].max())
    rows = "All four examples" if state["rows"] == "all" else f"Example {ROWS[state['rows']]}"
    sentence = (
        f"{rows}, loss {number(a['loss'], 3)}: the largest gradient is {number(second)} in the "
        f"second layer and {number(first)} in the first."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "random start",
        "which of the thirteen is largest, and which of the layers gets more?",
        rows="all",
        weights="random",
        scale=1.0,
        seed=3,
    ),
    preset(
        "all weights zero",
        "with all weights zero, which gradients are zero too?",
        rows="3",
        scale=0.0,
    ),
    preset(
        "all the same",
        "three hidden units with the same weights: what can ever make them differ?",
        rows="1",
        weights="same",
        scale=1.0,
    ),
    preset(
        "large weights", "the loss is larger than before: is the gradient?", rows="all", scale=8.0
    ),
    preset(
        "one example", "x = (0, 0): which weights of the first layer can't learn from it?", rows="0"
    ),
]


def panel(backward: Callable[..., Any] | None) -> Panel:
    """The net with its gradients; see `widgets.backprop.arrows`."""
    return Panel(
        "Weights forward, gradients back",
        compute,
        draw,
        caption,
        [
            choice("rows", "examples", "all", ROWS),
            choice("weights", "weights", "random", {"random": "random", "same": "all the same"}),
            slider("scale", "scale", 1.0, 0, 8, 0.1),
            seed(value=3),
        ],
        PRESETS,
        given=(backward,),
        views=3,
    )
