"""Rare classes: how many examples, how much weight. Source: Karatzas, "Shuffling and balancing"."""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure

from .. import student
from ..panel import Panel, State, preset, said, seed, slider
from ..picture import Arrays, Update
from ..style import Style

EXAMPLES = 200


def compute(state: State, weights: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Counts and totals of three classes.

    state: rare (share of class 2), middle (share of class 1), size, seed. counts, totals (3,): the
    weights' sums, yours or None; missed: how often a mini-batch of `size` has none of the rare
    class, drawn evenly and drawn by weight.
    """
    rare, middle = float(state["rare"]), float(state["middle"])
    counts = torch.tensor([0, round(EXAMPLES * middle), max(1, round(EXAMPLES * rare))])
    counts[0] = EXAMPLES - counts.sum()
    labels = torch.arange(3).repeat_interleave(counts)
    generator = torch.Generator().manual_seed(int(state["seed"]))
    labels = labels[torch.randperm(EXAMPLES, generator=generator)]
    totals, note = None, ""
    if weights is not None:
        got, note = student.call(weights, labels, shape=(EXAMPLES,))
        if got is not None:
            totals = torch.zeros(3, dtype=got.dtype).index_add(0, labels, got)
            even = torch.full_like(totals, EXAMPLES / int((counts > 0).sum())) * (counts > 0)
            note = note or (
                "Your totals are equal, and the mean weight is 1."
                if torch.allclose(totals, even, rtol=1e-3)
                else "Your totals are " + ", ".join(f"{v:.1f}" for v in totals.tolist()) + "."
            )
    size, share = int(state["size"]), counts[2] / EXAMPLES
    return {
        "counts": counts,
        "totals": totals,
        "note": note,
        "even": EXAMPLES / int((counts > 0).sum()),
        "missed": float((1 - share) ** size),
        "missed_weighed": float((1 - 1 / int((counts > 0).sum())) ** size),
    }


def draw(figure: Figure, style: Style) -> Update:
    """How many examples (cause), how much weight, and how often none of them comes (effects)."""
    many, heavy, missed = style.axes(
        figure,
        ["examples in each class", "sum of their weights", "batches without a rare one"],
    )
    bars = []
    for ax in (many, heavy):
        ax.set(xlim=(-0.6, 2.6), ylim=(0, EXAMPLES))
        ax.set_xticks([0, 1, 2], ["common", "middle", "rare"])
        drawn = ax.bar([0, 1, 2], [0, 0, 0], width=0.6, color=style.blue)
        for bar, hatch in zip(drawn, ("", "//", "xx"), strict=True):
            bar.set(animated=True, hatch=hatch, edgecolor=style.paper)
        bars.append(drawn)
    missed.set(xlim=(-0.6, 1.6), ylim=(0, 1))
    missed.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    missed.set_xticks([0, 1], ["drawn evenly", "by weight"])
    shares = missed.bar([0, 1], [0, 0], width=0.6, color=style.orange)
    for bar in shares:
        bar.set(animated=True, hatch="xx", edgecolor=style.paper)
    want = heavy.plot([], [], animated=True, **style.line("truth"))[0]

    def update(a: Arrays) -> None:
        for bar, height in zip(bars[0], a["counts"].tolist(), strict=True):
            bar.set_height(height)
        totals = [0.0] * 3 if a["totals"] is None else a["totals"].nan_to_num().tolist()
        for bar, height in zip(bars[1], totals, strict=True):
            bar.set_height(height)
        for bar, share in zip(shares, (a["missed"], a["missed_weighed"]), strict=True):
            bar.set_height(share)
        want.set_data([-0.6, 2.6], [a["even"], a["even"]])

    return update


def caption(state: State, a: Arrays) -> str:
    """Counts, and how often a mini-batch has none of the rare class."""
    many = ", ".join(str(n) for n in a["counts"].tolist())
    return said(
        a["note"],
        f"{many} of {EXAMPLES} examples: {a['missed']:.0%} of the mini-batches of "
        f"{int(state['size'])} have none of the rare class when drawn evenly, "
        f"{a['missed_weighed']:.0%} when drawn by balanced weights.",
    )


PRESETS = [
    preset(
        "one in twenty",
        "ten rare examples of 200: how many batches of eight have none?",
        rare=0.05,
        middle=0.25,
        size=8,
    ),
    preset(
        "two classes",
        "90 % and 10 %, as with the cats and dogs: what weight has a dog?",
        rare=0.1,
        middle=0.0,
        size=4,
    ),
    preset(
        "two examples",
        "two rare examples carry a third of all weight: what would a third one change?",
        rare=0.01,
        middle=0.25,
    ),
    preset("large batches", "do large batches make balancing needless?", size=64),
]


def panel(weights: Callable[..., Any] | None) -> Panel:
    """Classes; see `widgets.sgd.balance`."""
    return Panel(
        "Rare classes",
        compute,
        draw,
        caption,
        [
            slider("rare", "share of the rare class", 0.05, 0.01, 0.3, 0.01),
            slider("middle", "share of the middle class", 0.25, 0.0, 0.3, 0.05),
            slider("size", "batch size", 8, 1, 64, 1),
            seed(),
        ],
        PRESETS,
        given=(weights,),
        views=3,
    )
