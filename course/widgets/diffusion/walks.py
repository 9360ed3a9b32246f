"""From noise to data: the paths, and where they end, by the number of steps.

Source: Ho et al. (2020), at random; Song et al. (2021), on rails.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed
from ..picture import Arrays, Update, trace
from ..style import Style
from . import exact
from .film import DATA, T

POINTS, SHOWN, LEAST = 400, 6, 1e-3  # a distance below that is chance
STEPS = ("1", "2", "5", "10", "20", "50", "100")
RULES = {"ddpm_step": "your ddpm_step", "ddim_step": "your ddim_step", "flow": "exact flow"}


def times(steps: int) -> list[int]:
    """The t at which a walk of so many steps stops, from T down to 0."""
    return [round(T * (1 - k / steps)) for k in range(steps + 1)]


def walk(
    rule: str, f: Callable[..., Any] | None, name: str, steps: int, number: int
) -> tuple[Tensor, str]:
    """States (steps + 1, 400, 2) of a walk by `f`, or along the exact flow; and a note."""
    alpha_bar, mixture = exact.straight(T), exact.SETS[name]()
    model, generator = mixture.model(alpha_bar), torch.Generator().manual_seed(number)
    x = torch.randn(POINTS, 2, generator=generator)
    if f is None:
        return exact.flow(model, x, alpha_bar, T // steps), ""
    stops, states = times(steps), [x]
    short = alpha_bar[stops].flip(0)  # the schedule of a walk that knows these t alone
    for k, (t, s) in enumerate(pairwise(stops)):
        eps = model(x, torch.full((POINTS,), t))
        noise = torch.randn(POINTS, 2, generator=generator)
        given = (
            (x, t, s, eps, alpha_bar) if rule == "ddim_step" else (x, steps - k, eps, noise, short)
        )
        got, note = student.call(f, *given, shape=(POINTS, 2))
        if got is None or note:
            note = note.replace("the dashed line is", "this is the exact flow, and")
            return exact.flow(model, states[0], alpha_bar, T // steps), note
        x = got.float()
        states.append(x)
    return torch.stack(states), ""


def compute(state: State, steps: Sequence[Callable[..., Any]] = ()) -> dict[str, Any]:
    """A walk.

    state: rule, steps, data, seed. path (steps + 1, 400, 2), fresh (400, 2), far, curve: energy
    distances of the ends from fresh data, of this walk and for every number of steps; note.
    """
    rules = {student.name_of(f): f for f in steps}
    f = rules.get(state["rule"])
    count, name, number = int(state["steps"]), state["data"], int(state["seed"])
    path, note = _walk(state["rule"], f, name, count, number)
    fresh = exact.SETS[name]().draw(POINTS, torch.Generator().manual_seed(number + 1))
    curve = [_far(state["rule"], f, name, int(n), number) for n in STEPS]
    return {
        "path": path,
        "fresh": fresh,
        "curve": curve,
        "far": curve[STEPS.index(state["steps"])],
        "count": count,
        "note": note,
    }


_walk = lru_cache(maxsize=64)(walk)


@lru_cache(maxsize=256)
def _far(rule: str, f: Callable[..., Any] | None, name: str, steps: int, number: int) -> float:
    ends = _walk(rule, f, name, steps, number)[0][-1].nan_to_num(0, 9, -9).clamp(-9, 9)
    fresh = exact.SETS[name]().draw(POINTS, torch.Generator().manual_seed(number + 1))
    return max(exact.distance(ends, fresh), LEAST)


def draw(figure: Figure, style: Style) -> Update:
    """Some paths (cause); all ends over the data, and their distance by steps (effect)."""
    paths, ends, curve = style.axes(
        figure,
        [f"paths of {SHOWN} points", "where all 400 end", "distance from the data"],
        [1, 1, 0.9],
    )
    for ax in (paths, ends):
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    curve.set(xscale="log", yscale="log", xlim=(0.8, 130), ylim=(7e-4, 4), xlabel="steps")
    curve.set_xticks([1, 10, 100], ["1", "10", "100"])
    lines = LineCollection([], lw=1.1, colors=style.blue, animated=True)
    paths.add_collection(lines)

    def dots(ax: Any, colour: str, marker: str, size: float) -> Any:
        return ax.plot([], [], ls="", marker=marker, ms=size, color=colour, animated=True)[0]

    begins, stops = dots(paths, style.muted, "o", 4), dots(paths, style.orange, "s", 4)
    fresh, all_ends = dots(ends, style.muted, "o", 1.8), dots(ends, style.orange, "s", 2.2)
    by_steps = curve.plot([], [], animated=True, marker="o", ms=4, **style.line("curve"))[0]
    here = curve.plot([], [], animated=True, **style.point())[0]
    style.legend(paths, handles=[begins, stops], labels=["noise", "end"], loc="lower left")
    style.legend(ends, handles=[fresh, all_ends], labels=["data", "ends"], loc="lower left")

    def update(a: Arrays) -> None:
        some = np.asarray(a["path"][:, :SHOWN].clamp(-9, 9).permute(1, 0, 2))
        lines.set_segments(list(some))
        trace(begins, *some[:, 0].T)
        trace(stops, *some[:, -1].T)
        trace(fresh, *a["fresh"].T)
        trace(all_ends, *a["path"][-1].T)
        by_steps.set_data([int(n) for n in STEPS], a["curve"])
        here.set_data([a["count"]], [a["far"]])

    return update


def caption(state: State, a: Arrays) -> str:
    """How far the ends are from the data, and what that cost."""
    n = a["count"]
    return said(
        a["note"],
        f"{n} step{'s' * (n != 1)} by {RULES.get(state['rule'], state['rule'])}: distance of the "
        f"ends from fresh data {a['far']:.3f}.",
    )


def panel(steps: Sequence[Callable[..., Any]]) -> Panel:
    """Walks; see `widgets.diffusion.paths`."""
    names = [student.name_of(f) for f in steps]
    rules = {name: RULES.get(name, f"your {name}") for name in [*names, "flow"]}
    first, last = next(iter(rules)), names[-1] if names else "flow"
    presets = [
        preset(
            "a hundred steps",
            "do points end on the moon that was nearest to their noise?",
            rule=first,
            steps="100",
            data="moons",
            seed=0,
        ),
        preset("ten steps", "what of the moons is lost first?", steps="10", rule=last),
        preset("two steps", "where do the ends gather now?", steps="2", rule=last),
        preset("one step", "that is the deck's: what is its cloud?", steps="1", rule=last),
        preset(
            "two points",
            "one of two, in five steps: who decides which, and when?",
            data="two points",
            steps="5",
        ),
    ]
    return Panel(
        "From noise to data",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            choice("rule", "by", first, rules),
            choice("steps", "steps", "100", {n: n for n in STEPS}),
            choice("data", "data", "moons", DATA),
            seed(),
        ],
        presets=presets,
        views=3,
        given=(steps,),
    )
