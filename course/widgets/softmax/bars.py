"""Temperature: softmax of alpha z, between all equal and the winner takes all.

Source: Karatzas, "Softmax – what's in the name".
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style

SCENES = {
    "four": [0.5, 2.0, 3.0, 1.0],
    "tie": [3.0, 0.0, 3.0, 1.0],
    "close": [2.9, 2.8, 3.0, 2.7],
    "apart": [-6.0, 1.0, 9.0, -2.0],
}
LABELS = {"four": "four logits", "tie": "a tie", "close": "close together", "apart": "far apart"}
ALPHAS = torch.linspace(-3, 12, 151, dtype=torch.float64)


def weighted(z: torch.Tensor, alphas: torch.Tensor) -> torch.Tensor:
    """The mean of z (4,) under the softmax of alpha z, for each of `alphas` (n,)."""
    return torch.outer(alphas, z).softmax(1) @ z


def compute(
    state: State, f: Callable[..., Any] | None = None, g: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Bars at one alpha, and both soft maxima over all of them.

    state: scene, alpha. Returns z (4,), p (4,), alphas (151,), average (151,), lse (151,; nan where
    alpha <= 0), here (average at alpha); of the student's functions bars (4,), soft (a number), or
    None where they can't be drawn, and notes.
    """
    z, alpha = torch.tensor(SCENES[state["scene"]], dtype=torch.float64), float(state["alpha"])
    above = torch.logsumexp(torch.outer(ALPHAS, z), 1) / ALPHAS
    arrays: dict[str, Any] = {
        "z": z,
        "alpha": alpha,
        "p": torch.softmax(z * alpha, 0),
        "alphas": ALPHAS,
        "average": weighted(z, ALPHAS),
        "lse": torch.where(ALPHAS > 0.05, above, torch.nan),
        "here": weighted(z, torch.tensor([alpha], dtype=z.dtype))[0],
        "bars": None,
        "soft": None,
        "notes": [],
        "given": f is not None or g is not None,
    }
    for key, function, want in (("bars", f, "p"), ("soft", g, "here")):
        if function is not None:
            arrays[key], note = student.against(arrays[want], function, z, alpha)
            arrays["notes"].append(note)
    return arrays


def draw(figure: Figure, style: Style) -> Update:
    """The probabilities at this alpha (cause); the soft maxima over alpha (effect)."""
    left, right = style.axes(figure, ["probabilities S(αz)", "two soft maxima of z"])
    left.set(xlim=(-0.6, 3.6), ylim=(0, 1.12), xticks=range(4))
    left.grid(visible=False, axis="x")
    right.set(xlim=(-3, 12), xlabel="α")
    right.axvline(0, **style.line("guide"))
    slots = torch.arange(4)
    filled = left.vlines(
        slots, 0, 0, color=style.blue, lw=26 if not style.narrow else 34, animated=True
    )
    outline = left.hlines(
        [0.0] * 4, slots - 0.4, slots + 0.4, color=style.ink, lw=1.6, ls=(0, (4, 2)), animated=True
    )
    texts = [
        left.text(i, 0, "", ha="center", va="bottom", size=8.5, color=style.ink, animated=True)
        for i in range(4)
    ]
    top = right.plot([], [], animated=True, **style.line("guide"))[0]
    upper = right.plot([], [], color=style.green, lw=1.8, ls="-.", animated=True)[0]
    lower = right.plot([], [], animated=True, **style.line("curve"))[0]
    point = right.plot([], [], animated=True, **style.point())[0]
    mine = right.plot([], [], marker="x", ms=11, mew=2.4, ls="", color=style.ink, animated=True)[0]
    style.legend(
        right,
        handles=[upper, lower, top],
        labels=["lse(αz) / α", "average S(αz)ᵀz", "maximum"],
        loc="lower right",
    )

    def update(a: Arrays) -> None:
        given = bool(a["notes"])
        shown = a["bars"] if a["bars"] is not None else torch.zeros(4) if given else a["p"]
        heights = shown.double().nan_to_num(0).clamp(0, 1.02)
        filled.set_segments([[(i, 0), (i, float(h))] for i, h in enumerate(heights)])
        outline.set_segments(
            [[(i - 0.4, float(p)), (i + 0.4, float(p))] for i, p in enumerate(a["p"])]
        )
        left.set_xticklabels([f"z = {z:g}" for z in a["z"]])
        for i, text in enumerate(texts):
            text.set_text(f"{a['p'][i]:.2f}")
            text.set_y(max(float(heights[i]), float(a["p"][i])) + 0.015)
        low, high = float(a["z"].min()), float(a["z"].max())
        right.set_ylim(low - 0.1 * (high - low), high + 0.45 * (high - low))
        top.set_data([-3, 12], [high, high])
        trace(upper, a["alphas"], a["lse"])
        trace(lower, a["alphas"], a["average"])
        point.set_data([a["alpha"]], [float(a["here"])])
        soft = a["soft"]
        mine.set_data([a["alpha"]], [torch.nan if soft is None else float(soft)])

    return update


def caption(state: State, a: Arrays) -> str:
    """How much the largest gets, and how near the average is to the maximum."""
    best, top = float(a["p"].max()), float(a["z"].max())
    sentence = (
        f"α = {state['alpha']:.1f}: the largest probability is {best:.3f}; the weighted average "
        f"of z is {float(a['here']):.3f}, the maximum {top:g}, the plain mean "
        f"{float(a['z'].mean()):.3f}."
    )
    return said(*a["notes"], sentence)


PRESETS = [
    preset(
        "as it is",
        "α = 1 is the plain softmax. Which α would give 0.9 to the largest?",
        scene="four",
        alpha=1.0,
    ),
    preset("hot", "what is left of the differences at α = 0?", scene="four", alpha=0.0),
    preset(
        "cold",
        "does a large α make a hard choice, and is the average the maximum then?",
        scene="four",
        alpha=8.0,
    ),
    preset(
        "a tie", "whom does a large α choose when two logits are equal?", scene="tie", alpha=8.0
    ),
    preset(
        "close together",
        "how large must α be before 3.0 clearly beats 2.9?",
        scene="close",
        alpha=1.0,
    ),
]


def panel(f: Callable[..., Any] | None, g: Callable[..., Any] | None) -> Panel:
    """Temperature; see `widgets.softmax.temperature`."""
    return Panel(
        "Softmax of αz",
        compute,
        draw,
        caption,
        [
            choice("scene", "logits", "four", LABELS),
            slider("alpha", "α", 1.0, -3, 12, 0.1, play=60),
        ],
        PRESETS,
        given=(f, g),
        drag=[{"axes": 1, "x": "alpha"}],
    )
