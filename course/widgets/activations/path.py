"""The zig-zag: where gradient steps may go when all inputs are positive.

With h = w.x and L = (h - t)^2 / 2, one example's gradient is (h - t) x: if every x_i > 0, all its
components have one sign. Source: Karatzas, "Non-Zero Centered Activations".
"""

from typing import Any

import torch
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ..panel import Panel, State, preset, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style

EXAMPLES, STEPS = 60, 60
START, GOAL = (-1.0, 1.0), (1.0, -1.0)  # one weight must go up and the other down


def inputs(centre: float, number: int) -> torch.Tensor:
    """Examples x (60, 2) around (centre, centre), uniform within 1, scaled so that E|x|^2 = 1.

    The same length on average whatever the centre, so that only the direction differs.
    From `centre` 1 on, all are positive.
    """
    generator = torch.Generator().manual_seed(number)
    u = 2 * torch.rand(EXAMPLES, 2, generator=generator, dtype=torch.float64) - 1
    x = centre + u
    return x / (2 * (centre**2 + 1 / 3)) ** 0.5


def walk(x: torch.Tensor, lr: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (61, 2) and gradients (60, 2) of one step an example, from START towards GOAL."""
    w, goal = torch.tensor(START, dtype=x.dtype), torch.tensor(GOAL, dtype=x.dtype)
    weights, gradients = [w], []
    for example in x:
        gradients.append((w - goal) @ example * example)
        w = w - lr * gradients[-1]
        weights.append(w)
    return torch.stack(weights), torch.stack(gradients)


def compute(state: State) -> dict[str, Any]:
    """The path so far, the zero-centred one beside it, and their distances from the goal.

    state: centre, lr, step, seed. x (60, 2); path, centred (step + 1, 2); distance,
    distance_centred (61,); one_sign: how many of the steps' gradients had equal signs.
    """
    step, lr, number = int(state["step"]), float(state["lr"]), int(state["seed"])
    x = inputs(float(state["centre"]), number)
    weights, gradients = walk(x, lr)
    centred, _ = walk(inputs(0.0, number), lr)
    goal = torch.tensor(GOAL, dtype=x.dtype)
    return {
        "x": x,
        "step": step,
        "path": weights[: step + 1],
        "centred": centred[: step + 1],
        "distance": (weights - goal).norm(dim=1),
        "distance_centred": (centred - goal).norm(dim=1),
        "one_sign": int((gradients[:step].prod(dim=1) >= 0).sum()),
    }


def draw(figure: Figure, style: Style) -> Update:
    """Inputs (cause), path in the plane of the weights (effect), distance from the goal."""
    cloud, plane, far = style.axes(
        figure, ["cause: the inputs x", "effect: path of the weights", "distance from the goal"]
    )
    cloud.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), xlabel="x₁", ylabel="x₂")
    cloud.axhline(0, color=style.muted, lw=1)
    cloud.axvline(0, color=style.muted, lw=1)
    plane.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), xlabel="w₁", ylabel="w₂")
    plane.plot(*GOAL, marker="*", ms=15, color=style.green, ls="")
    plane.text(GOAL[0] + 0.15, GOAL[1] - 0.1, "goal", size=8.5, color=style.ink, va="top")
    plane.text(START[0] - 0.15, START[1], "start", size=8.5, color=style.ink, ha="right")
    far.set(xlim=(0, STEPS), ylim=(0, 3.2), xlabel="step")
    dots: PathCollection = cloud.scatter([], [], s=16, color=style.blue, animated=True)
    now = cloud.plot([], [], animated=True, **style.point())[0]
    lines = {}
    for key, ax in (
        ("centred", plane),
        ("path", plane),
        ("distance_centred", far),
        ("distance", far),
    ):
        role = "truth" if "centred" in key else "curve"
        lines[key] = ax.plot([], [], animated=True, **style.line(role))[0]
    lines["path"].set(marker="o", ms=3, lw=1.3)
    here = plane.plot([], [], animated=True, **style.point())[0]
    style.legend(
        far,
        handles=[lines["distance"], lines["distance_centred"]],
        labels=["these inputs", "centred on 0"],
        loc="upper right",
    )

    def update(a: Arrays) -> None:
        step = a["step"]
        dots.set_offsets(a["x"].numpy())
        last = a["x"][max(step - 1, 0)]
        now.set_data([last[0]], [last[1]])
        for key in ("path", "centred"):
            trace(lines[key], *a[key].T)
        for key in ("distance", "distance_centred"):
            trace(lines[key], range(step + 1), a[key][: step + 1])
        trace(here, *a["path"][-1:].T)

    return update


def caption(state: State, a: Arrays) -> str:
    """How many steps could only go up-right or down-left, and how far is still to go."""
    step = a["step"]
    where = "all positive" if bool((a["x"] > 0).all()) else f"centred on {state['centre']:g}"
    return (
        f"Inputs {where}: in {a['one_sign']} of {step} steps both weights went the same way (both "
        f"up or both down); {a['distance'][step]:.2f} from the goal, against "
        f"{a['distance_centred'][step]:.2f} with the same inputs centred on 0 (dashed)."
    )


PRESETS = [
    preset(
        "all positive",
        "the goal lies down and to the right; if both weights can only go up "
        "or down together, what does the path look like?",
        centre=1.2,
        lr=0.8,
        step=30,
    ),
    preset(
        "centred on zero",
        "same start, same goal, inputs of both signs: how many steps are needed now?",
        centre=0.0,
        lr=0.8,
        step=30,
    ),
    preset(
        "a little off",
        "how far off zero may the inputs be before it hurts?",
        centre=0.4,
        lr=0.8,
        step=30,
    ),
    preset(
        "smaller steps",
        "does a smaller learning rate straighten the path?",
        centre=1.2,
        lr=0.2,
        step=60,
    ),
]


def panel() -> Panel:
    """The zig-zag; see `widgets.activations.zigzag`."""
    return Panel(
        "One step an example: where may the weights go?",
        compute,
        draw,
        caption,
        [
            slider("centre", "centre of the inputs", 1.2, 0, 1.5, 0.1),
            slider("lr", "learning rate", 0.8, 0.1, 1.5, 0.1),
            slider("step", "step", 30, 0, STEPS, 1, play=120),
            seed(),
        ],
        PRESETS,
        views=3,
    )
