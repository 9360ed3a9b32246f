"""The time as many numbers: one row a t, and which times are alike.

Source: Vaswani et al. (2017), positions; Ho et al. (2020), times.
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure

from .. import student
from ..panel import Panel, State, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style
from .film import T


def compute(state: State, time_embedding: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Rows for t = 0 ... T, and the likeness of each to row t.

    state: d, t. rows (101, d); alike (101,): cosine of the angle between rows; note. Without a
    function, each row is t / T, d times.
    """
    d, t = 2 * (int(state["d"]) // 2), int(state["t"])
    times, note, rows = torch.arange(T + 1), "", None
    if time_embedding is not None:
        rows, note = student.call(time_embedding, times, d, shape=(T + 1, d))
        note = note.replace("the dashed line is what it should do", "below is t as one number")
    if rows is None:
        rows = (times / T)[:, None].expand(-1, d).double()
    rows = rows.nan_to_num()
    alike = torch.nn.functional.cosine_similarity(rows, rows[t : t + 1], dim=1)
    return {"rows": rows, "alike": alike, "note": note, "t": t, "d": d}


def draw(figure: Figure, style: Style) -> Update:
    """The rows (cause), and their likeness to one of them (effect)."""
    left, right = style.axes(figure, ["one row a time", "likeness to the chosen time"])
    left.set(xlim=(0, 1), ylim=(T, 0), xlabel="first sines, then cosines", ylabel="t")
    left.set_xticks([])
    left.grid(False)
    board = left.imshow(
        [[0.0, 1.0]], cmap="viridis", vmin=-1, vmax=1, extent=(0, 1, T, 0), aspect="auto",
        interpolation="nearest", animated=True,
    )  # fmt: skip
    row = left.plot([], [], animated=True, color=style.orange, lw=2)[0]
    right.set(xlim=(0, T), ylim=(-1.05, 1.05), xlabel="t")
    line = right.plot([], [], animated=True, **style.line("curve"))[0]
    at = right.plot([], [], animated=True, **style.point())[0]

    def update(a: Arrays) -> None:
        board.set_data(a["rows"].numpy())
        row.set_data([0, 1], [a["t"], a["t"]])
        trace(line, range(T + 1), a["alike"])
        at.set_data([a["t"]], [float(a["alike"][a["t"]])])

    return update


def caption(_state: State, a: Arrays) -> str:
    """How like the chosen time's neighbours, and how like those far off."""
    t, alike = a["t"], a["alike"]
    near, far = alike[min(T, t + 1)], alike[min(T, t + 30) if t + 30 <= T else t - 30]
    return said(
        a["note"],
        f"{a['d']} numbers for t = {t}: one step on the likeness is {float(near):.3f}, "
        f"thirty steps off {float(far):.3f}.",
    )


PRESETS = [
    preset("sixteen", "are the neighbours of t = 40 or its opposites more alike?", d=16, t=40),
    preset("two only", "one clock: which times does it take for the same?", d=2, t=40),
    preset("sixty-four", "do more clocks make it sharper or smoother?", d=64, t=40),
    preset("the beginning", "at t = 1 noise matters most: is it told from t = 5?", d=16, t=1),
]


def panel(time_embedding: Callable[..., Any] | None) -> Panel:
    """Clocks; see `widgets.diffusion.clock`."""
    return Panel(
        "Telling the time",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            slider("d", "numbers d", 16, 2, 64, 2),
            slider("t", "time t", 40, 0, T, 1),
        ],
        presets=PRESETS,
        drag=[{"axes": 1, "x": "t"}],
        given=(time_embedding,),
    )
