"""Two output layers on the same logits: one softmax, or one sigmoid a class.

Source: Karatzas, "Multi-class classification", "Multi-label classification", "The output layer".
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update
from ..style import Style

NAMES = ("cat", "dog", "ball", "tree", "car")
SCENES = {
    "one": [3.0, -1.0, -2.0, -1.5, -3.0],
    "two": [2.5, 2.2, -2.0, 0.4, -3.0],
    "none": [-4.0, -3.6, -4.4, -3.8, -4.2],
    "all": [3.0, 2.6, 3.4, 2.8, 3.1],
}
LABELS = {"one": "a cat", "two": "a cat and a dog", "none": "nothing known", "all": "all five"}


def logits_of(state: State) -> torch.Tensor:
    """The five logits: those of the scene, but for the one that the hand moved."""
    z = torch.tensor(SCENES[state["scene"]], dtype=torch.float64)
    z[int(state["which"])] = float(state["logit"])
    return z


def compute(
    state: State, f: Callable[..., Any] | None = None, g: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Both layers' probabilities and decisions.

    state: scene, which (0..4), logit, threshold. Returns z, p, q (5,): logits, softmax, sigmoids;
    best (an index), present (5,) bool; the student's best and present where there are any, notes.
    """
    z, threshold = logits_of(state), float(state["threshold"])
    arrays: dict[str, Any] = {
        "z": z,
        "p": z.softmax(0),
        "q": z.sigmoid(),
        "threshold": threshold,
        "which": int(state["which"]),
        "notes": [],
    }
    arrays["best"], arrays["present"] = int(arrays["p"].max(0).indices), arrays["q"] > threshold
    if f is not None:
        got, note = student.call(f, z, shape=())
        if got is not None and not note:
            same = float(got) == arrays["best"]
            note = f"Your `{student.name_of(f)}` " + (
                f"chooses {NAMES[arrays['best']]}, as it should."
                if same
                else f"answers {float(got):g}, "
                f"and the most probable class has the index {arrays['best']}."
            )
            arrays["best"] = int(got) if float(got) in range(5) else -1
        elif note:
            arrays["best"] = -1
        arrays["notes"].append(note)
    if g is not None:
        got, note = student.call(g, z, threshold, shape=(5,))
        if got is not None and not note:
            wrong = int(((got != 0) != arrays["present"]).sum())
            note = f"Your `{student.name_of(g)}` " + (
                "agrees on all five labels." if not wrong else f"differs on {wrong} of five labels."
            )
            arrays["present"] = got != 0
        elif note:
            arrays["present"] = torch.zeros(5, dtype=torch.bool)
        arrays["notes"].append(note)
    return arrays


def draw(figure: Figure, style: Style) -> Update:
    """Logits (cause), the softmax's and the sigmoids' probabilities (effects)."""
    axes = style.axes(
        figure,
        ["cause: logits (drag one)", "multi-class: one softmax", "multi-label: five sigmoids"],
    )
    for ax in axes:
        ax.set(xlim=(-0.6, 4.6), xticks=range(5))
        ax.set_xticklabels(NAMES)
        ax.grid(visible=False, axis="x")
    axes[0].set_ylim(-6, 6)
    axes[0].axhline(0, color=style.muted, lw=1)
    for ax in axes[1:]:
        ax.set(ylim=(0, 1.3), yticks=[0, 0.25, 0.5, 0.75, 1])
    width = 20 if not style.narrow else 34
    slots = torch.arange(5)
    sticks = [ax.vlines(slots, 0, 0, color=style.blue, lw=width, animated=True) for ax in axes]
    handle = axes[0].plot([], [], animated=True, **style.point())[0]
    cut = axes[2].axhline(0.5, animated=True, **style.line("truth"))
    marks = [
        [
            ax.text(
                i, 0, "", ha="center", va="bottom", size=8, color=style.ink, animated=True,
                path_effects=style.halo(),
            )
            for i in range(5)
        ]
        for ax in axes[1:]
    ]  # fmt: skip

    def update(a: Arrays) -> None:
        for stick, key in zip(sticks, ("z", "p", "q"), strict=True):
            stick.set_segments([[(i, 0), (i, float(v))] for i, v in enumerate(a[key])])
        chosen = [i == a["best"] for i in range(5)]
        sticks[1].set_color([style.orange if c else style.blue for c in chosen])
        sticks[2].set_color([style.orange if c else style.blue for c in a["present"]])
        handle.set_data([a["which"]], [float(a["z"][a["which"]])])
        cut.set_ydata([a["threshold"]] * 2)
        for texts, key, on in ((marks[0], "p", chosen), (marks[1], "q", a["present"])):
            for i, text in enumerate(texts):
                text.set_text(f"{a[key][i]:.2f}" + ("\n✓" if on[i] else ""))
                text.set_y(float(a[key][i]) + 0.01)

    return update


def caption(state: State, a: Arrays) -> str:
    """What each layer answers, and what its bars sum to."""
    labels = [name for name, on in zip(NAMES, a["present"], strict=True) if on]
    best = NAMES[a["best"]] if 0 <= a["best"] < 5 else "no class"
    moved = NAMES[a["which"]]
    sentence = (
        f"Logit of {moved}: {state['logit']:.1f}. The softmax chooses {best}, and its bars sum to "
        f"{float(a['p'].sum()):.2f}; the sigmoids find {', '.join(labels) or 'nothing'} above "
        f"{a['threshold']:.2f}, and theirs sum to {float(a['q'].sum()):.2f}."
    )
    return said(*a["notes"], sentence)


PRESETS = [
    preset(
        "a cat and a dog",
        "raise the logit of the tree: which bars move under the softmax, "
        "and which under the sigmoids?",
        scene="two",
        which=3,
        logit=0.4,
        threshold=0.5,
    ),
    preset(
        "nothing known",
        "all logits are low. What does each layer answer?",
        scene="none",
        which=0,
        logit=-4.0,
        threshold=0.5,
    ),
    preset(
        "all five",
        "five things are in the picture: can a softmax say so?",
        scene="all",
        which=0,
        logit=3.0,
        threshold=0.5,
    ),
    preset(
        "when unsure, warn",
        "at which threshold does the tree count as present?",
        scene="two",
        which=3,
        logit=-1.0,
        threshold=0.3,
    ),
]


def panel(f: Callable[..., Any] | None, g: Callable[..., Any] | None) -> Panel:
    """The two output layers; see `widgets.softmax.output_layer`."""
    return Panel(
        "Five logits, two output layers",
        compute,
        draw,
        caption,
        [
            choice("scene", "picture of", "two", LABELS),
            slider("which", "class (0 to 4)", 3, 0, 4, 1),
            slider("logit", "its logit", 0.4, -6, 6, 0.1),
            slider("threshold", "threshold", 0.5, 0.05, 0.95, 0.05),
        ],
        PRESETS,
        given=(f, g),
        views=3,
        drag=[{"axes": 0, "x": "which", "y": "logit"}],
    )
