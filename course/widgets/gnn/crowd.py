"""Two neighbourhoods, three aggregators: which tells them apart?

Source: Minhas, "How does a graph neural network layer work?" (Aggregation); Xu et al. (2019).
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.utils import scatter

from .. import student
from ..panel import Panel, State, choice, preset, slider
from ..picture import Arrays, Update
from ..style import Style, number

NAMES = {"sum": "sum", "mean": "mean", "max": "maximum"}
PAIRS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "even": ((1.0, 3.0), (2.0, 2.0)),
    "twice": ((1.0, 3.0), (1.0, 3.0, 1.0, 3.0)),
    "largest": ((1.0, 3.0), (3.0, 3.0)),
    "below": ((-1.0, -3.0), (-1.0,)),
    "nobody": ((), (0.0,)),
}


def heard(state: State) -> tuple[Tensor, Tensor]:
    """Messages (edges, 1), float64, and to which of the two nodes each goes (edges,)."""
    first, second = PAIRS[state["pair"]]
    moved = [*second[:-1], second[-1] + float(state["move"])]
    return torch.tensor([*first, *moved], dtype=torch.float64)[:, None], torch.tensor(
        [0] * len(first) + [1] * len(moved)
    )


def compute(state: State, aggregate: Callable[..., Any] | None = None) -> dict[str, Any]:
    """What both nodes hear, and what is made of it.

    state: pair, move (added to the last message), bend. messages (edges,), target (edges,); truth
    (3, 2): sum, mean and maximum of both nodes; yours (3, 2), nan where there is none; note.
    """
    messages, target = heard(state)
    sent = messages.square() if state["bend"] == "square" else messages
    truth = torch.cat([scatter(sent, target, dim_size=2, reduce=n) for n in NAMES], 1).T
    yours, notes = torch.full_like(truth, torch.nan), []
    if aggregate is not None:
        for k, name in enumerate(NAMES):

            def called(m: Tensor, t: Tensor, n: int, name: str = name) -> Any:
                return aggregate(name)(m, t, n)

            called.__name__ = student.name_of(aggregate)
            got, note = student.call(called, sent, target, 2, shape=(2, 1))
            if got is not None:
                yours[k] = got[:, 0]
            notes.append(note.replace("the dashed line is", "the rings are"))
            if not note and not torch.allclose(yours[k], truth[k]):
                notes[-1] = f'Your "{name}" is not in its rings.'
    said = " ".join(dict.fromkeys(filter(None, notes)))
    if aggregate is not None and not said:
        said = f"Your `{student.name_of(aggregate)}` lies in all the rings."
    return {
        "messages": messages[:, 0],
        "target": target,
        "sent": sent[:, 0],
        "truth": truth,
        "yours": yours,
        "note": said,
    }


def draw(figure: Figure, style: Style) -> Update:
    """What both hear (cause); what three aggregators make of it (effect)."""
    left, right = style.axes(figure, ["what arrives", "what is made of it"], (2, 3))
    left.set(xlim=(-0.6, 1.6), ylim=(-5.5, 5.5), xticks=[0, 1], ylabel="message")
    left.set_xticklabels(["node A", "node B"])
    left.axhline(0, color=style.muted, lw=1)
    right.set(xlim=(-0.6, 2.6), ylim=(-13, 30), xticks=range(3))
    right.set_xticklabels(NAMES.values())
    right.set_yscale("symlog", linthresh=4)
    ticks = [-8, -4, -2, 0, 2, 4, 8, 16]
    right.set(yticks=ticks, yticklabels=[_short(t) for t in ticks])
    right.axhline(0, color=style.muted, lw=1)
    looks = (("o", style.blue), ("s", style.orange))
    dots = [
        left.plot([], [], m, ms=9, color=c, alpha=0.75, mec=style.paper, animated=True)[0]
        for m, c in looks
    ]
    rings = [
        right.plot([], [], m, ms=14, mfc="none", mec=c, mew=1.8, animated=True)[0] for m, c in looks
    ]
    filled = [right.plot([], [], m, ms=7, color=c, animated=True)[0] for m, c in looks]
    style.legend(right, handles=rings, labels=["A", "B"], loc="upper right", markerscale=0.6)

    def update(a: Arrays) -> None:
        for node in (0, 1):
            own = a["messages"][a["target"] == node].tolist()
            # Equal messages stand beside each other.
            places = [node + 0.16 * own[:i].count(m) for i, m in enumerate(own)]
            dots[node].set_data(places, own)
            x = torch.arange(3) + 0.34 * node - 0.17
            rings[node].set_data(x, a["truth"][:, node])
            filled[node].set_data(x, a["yours"][:, node])

    return update


def caption(state: State, a: Arrays) -> str:
    """Which aggregators give both nodes the same."""
    parts = [
        f"{NAMES[name]} {_short(one)} and {_short(other)}"
        for name, (one, other) in zip(NAMES, a["truth"].tolist(), strict=True)
    ]
    apart = [
        NAMES[name]
        for name, (one, other) in zip(NAMES, a["truth"].tolist(), strict=True)
        if abs(one - other) > 1e-9
    ]
    who = " and ".join(f"the {name}" for name in apart) or "none of the three"
    bent = ", messages squared" if state["bend"] == "square" else ""
    sentence = f"Nodes A and B{bent}: {', '.join(parts)}; told apart by {who}."
    return " ".join(filter(None, [a["note"], sentence]))


def _short(value: float) -> str:
    return number(value).replace("-", "\N{MINUS SIGN}")


PRESETS = [
    preset("two and two", "which of the three tells {1, 3} from {2, 2}?", pair="even"),
    preset("twice as many", "B hears all that A hears, twice: who notices?", pair="twice"),
    preset("below zero", "all messages are negative: is any maximum 0?", pair="below"),
    preset("nobody", "A hears nothing, B hears a 0: can anything tell?", pair="nobody"),
    preset(
        "squared first",
        "{1, 3} and {2, 2} once more, each message squared before: who is blind now?",
        bend="square",
    ),
]


def panel(aggregate: Callable[..., Any] | None) -> Panel:
    """The three aggregators; see `widgets.gnn.aggregators`."""
    return Panel(
        "Two neighbourhoods, three aggregators",
        compute=lambda state: compute(state, aggregate),
        draw=draw,
        caption=caption,
        controls=[
            choice(
                "pair",
                "A and B hear",
                "even",
                {
                    key: f"{_set(first)} and {_set(second)}"
                    for key, (first, second) in PAIRS.items()
                },
            ),
            slider("move", "B's last, plus", 0.0, -2, 2, 0.1),
            choice("bend", "messages", "plain", {"plain": "as they are", "square": "squared"}),
        ],
        presets=PRESETS,
    )


def _set(messages: tuple[float, ...]) -> str:
    return "{" + ", ".join(_short(m) for m in messages) + "}"
