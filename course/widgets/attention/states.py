"""A next-token table as a finite-state machine, and a GPT's way into it.

Source: Minhas, "Another way of thinking about GPTs".
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from torch import Tensor
from torch.nn.functional import one_hot

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update
from ..style import Style

TABLES = {  # what follows 00, 01, 10, 11
    "xor": ("0 1 1 0: XOR", [0, 1, 1, 0]),
    "or": ("0 1 1 1: OR", [0, 1, 1, 1]),
    "not": ("1 1 0 0: not the first", [1, 1, 0, 0]),
    "one": ("1 0 0 0: a 1 after 00", [1, 0, 0, 0]),
}
STATES = ("00", "01", "10", "11")
PLACES = ((-1.25, 0.0), (0.0, 0.95), (0.0, -0.95), (1.25, 0.0))
EVERY, TIMES = 5, 21  # a row of the history is five training steps
LOOKS = (("blue", "-", "o"), ("orange", "--", "s"), ("green", "-.", "^"), ("ink", ":", "D"))


def table(name: str) -> Tensor:
    """The table (4, 3): two tokens, and the one that follows."""
    states = torch.cartesian_prod(torch.arange(2), torch.arange(2))
    return torch.cat([states, torch.tensor(TABLES[name][1])[:, None]], 1)


def run(p: Tensor, state: int, count: int) -> list[int]:
    """The next `count` tokens from a state when the likelier one is always taken; p (4, 2)."""
    tokens = []
    for _ in range(count):
        tokens.append(int(p[state].argmax()))
        state = 2 * (state % 2) + tokens[-1]
    return tokens


class Histories:
    """P(next token) while a model learns, trained once for each table and seed."""

    def __init__(self, train: Callable[..., Any] | None) -> None:
        self._train = train
        self._known: dict[tuple[str, int], tuple[Tensor, str]] = {}

    def __call__(self, name: str, number: int) -> tuple[Tensor, str]:
        """History (21, 4, 2), and what to say about it; without a model, the table itself."""
        goal = one_hot(table(name)[:, 2], 2).double().expand(TIMES, 4, 2)
        if self._train is None:
            return goal, ""
        if (name, number) not in self._known:
            got, note = student.call(self._train, table(name), number, shape=(TIMES, 4, 2))
            note = note.replace(
                "the dashed line is what it should do", "this is what is to be learned"
            )
            self._known[name, number] = (goal if got is None else got.nan_to_num(0.0), note)
        return self._known[name, number]


def compute(state: State, histories: Histories) -> dict[str, Any]:
    """What is known at one step of the training.

    state: table, seed, time. p (4, 2) now, right (21, 4): P of the right token, time, run, note.
    """
    history, note = histories(state["table"], int(state["seed"]))
    time, goal = int(state["time"]) // EVERY, table(state["table"])[:, 2]
    right = history.gather(2, goal.expand(TIMES, 4)[..., None])[..., 0]
    return {"p": history[time], "right": right, "time": time, "note": note,
            "run": [0, 1, *run(history[time], 1, 7)]}  # fmt: skip


def draw(figure: Figure, style: Style) -> Update:
    """The machine, arrows as thick as they are probable; P of the right token over time."""
    plane, chart = style.axes(figure, ["the machine now", "P(right next token) of each state"])
    plane.grid(False)
    plane.set(xlim=(-2.2, 2.2), ylim=(-1.5, 1.5), xticks=[], yticks=[], aspect="equal")
    for spine in plane.spines.values():
        spine.set_visible(False)
    arrows, labels = [], []
    for i, (x, y) in enumerate(PLACES):
        plane.plot(x, y, "o", ms=27, mfc=style.paper, mec=style.ink, mew=1.6, zorder=3)
        plane.text(x, y, STATES[i], color=style.ink, ha="center", va="center", size=11, zorder=4)
        for token in (0, 1):
            j = 2 * (i % 2) + token
            begin, end, gap = (x, y), PLACES[j], 15
            bend = 0.18 if {i, j} == {1, 2} else -0.18
            dx, dy = end[0] - x, end[1] - y
            # An arc's middle is bend / 2 of the way's length beside it; the label lies beyond.
            off = bend / 2 + math.copysign(0.22, bend) / (math.hypot(dx, dy) or 1.0)
            middle = (x + dx / 2 + off * dy, y + dy / 2 - off * dx)
            if i == j:  # back to itself, on the outer side
                out = 1 if x > 0 else -1
                begin, end, bend, gap = (
                    (x + 0.1 * out, y + 0.2),
                    (x + 0.1 * out, y - 0.2),
                    -1.5 * out,
                    0,
                )
                middle = (x + 0.72 * out, y)
            arrow = FancyArrowPatch(
                begin, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>",
                mutation_scale=15, shrinkA=gap, shrinkB=gap, color=style.blue, animated=True,
            )  # fmt: skip
            plane.add_patch(arrow)
            arrows.append(arrow)
            labels.append(
                plane.text(
                    *middle, "", color=style.ink, size=8, ha="center", va="center", animated=True
                )
            )
    chart.set(xlim=(0, EVERY * (TIMES - 1)), ylim=(-0.03, 1.03), xlabel="training step")
    chart.axhline(0.5, **style.line("guide"))
    now = chart.axvline(0, color=style.muted, lw=1.2, animated=True)
    lines = [
        chart.plot([], [], color=getattr(style, colour), ls=dashes, marker=mark, ms=4, lw=1.6,
                   markevery=4, label=f"after {name}", animated=True)[0]
        for name, (colour, dashes, mark) in zip(STATES, LOOKS, strict=True)
    ]  # fmt: skip
    style.legend(chart, loc="lower right")
    steps = [EVERY * t for t in range(TIMES)]

    def update(a: Arrays) -> None:
        for arrow, label, p in zip(arrows, labels, a["p"].flatten().tolist(), strict=True):
            arrow.set_linewidth(0.4 + 3.2 * p)
            arrow.set_alpha(0.15 + 0.85 * min(1.0, max(0.0, p)))
            label.set_text(f"{p:.2f}")
        now.set_xdata([EVERY * a["time"]] * 2)
        for line, values in zip(lines, a["right"].T.tolist(), strict=True):
            line.set_data(steps, values)

    return update


def caption(_state: State, a: Arrays) -> str:
    """The least sure state, and what the machine writes when it starts with 0 1."""
    now = a["right"][a["time"]]
    worst = int(now.argmin())
    text = " ".join(map(str, a["run"]))
    sentence = (
        f"After {EVERY * a['time']} steps the least sure state is {STATES[worst]}, with "
        f"P = {float(now[worst]):.2f} for the right token. Starting with 0 1 and always taking the "
        f"likelier token, it writes {text}."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset("XOR", "start in 01 and follow the thick arrows: after how many steps are you back?",
           table="xor", time=100, seed=0),
    preset("OR", "which states are never left, and which never come back?", table="or"),
    preset("not the first", "each token is the opposite of the last but one: which rhythm is that?",
           table="not"),
    preset("a 1 after 00", "one 1 and then zeros: how long is the way round?", table="one"),
]  # fmt: skip


def panel(train: Callable[..., Any] | None) -> Panel:
    """The machine; see `widgets.attention.machine`."""
    histories = Histories(train)
    return Panel(
        "Four states, and what follows",
        compute,
        draw,
        caption,
        [
            choice("table", "what follows 00, 01, 10, 11", "xor",
                   {key: text for key, (text, _) in TABLES.items()}),
            seed(),
            slider("time", "training step", 100, 0, EVERY * (TIMES - 1), EVERY, play=150),
        ],
        PRESETS,
        given=(histories,),
    )  # fmt: skip
