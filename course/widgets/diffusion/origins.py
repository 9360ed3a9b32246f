"""What the best guess of the noise says of the data: home near the data, their mean far away.

Source: Minhas, "Diffusion Models" (generation in one step).
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from . import exact
from .film import DATA, T

POINTS = 400


def compute(
    state: State,
    predict_x0: Callable[..., Any] | None = None,
    one_step: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Noised points, and guesses of where they came from.

    state: data, t, seed. fresh, noised, guess (400, 2), deck (400, 2) or None; far, far_deck: their
    energy distances from fresh data; note.
    """
    t, alpha_bar = int(state["t"]), exact.straight(T)
    mixture = exact.SETS[state["data"]]()
    model = mixture.model(alpha_bar)
    generator = torch.Generator().manual_seed(int(state["seed"]))
    fresh, start = (mixture.draw(POINTS, generator) for _ in range(2))
    noised = exact.spread_out(start, alpha_bar, generator)[t]
    when, notes = torch.full((POINTS,), t), []
    level = float(exact.sigmas(alpha_bar)[t])
    guess = mixture.origin(noised * (1 + level**2) ** 0.5, level)
    if predict_x0 is not None:
        got, note = student.call(
            predict_x0, noised, when, model(noised, when), alpha_bar, shape=(POINTS, 2)
        )
        notes.append(note)
        if got is not None and not note:
            off = float((got - guess).abs().max())
            if off > 0.01:
                name = student.name_of(predict_x0)
                notes.append(f"Your `{name}` is up to {off:.2g} off the best guess.")
        guess = guess if got is None else got.float()
    deck = None
    if one_step is not None:
        noise = torch.randn(POINTS, 2, generator=generator)
        deck, note = student.call(one_step, model, noise, T, shape=(POINTS, 2))
        notes.append(note)
        deck = None if deck is None else deck.float()
    notes = [n.replace("the dashed line is", "the dots show") for n in notes if n]
    return {
        "fresh": fresh,
        "noised": noised,
        "guess": guess,
        "deck": deck,
        "far": exact.distance(guess.nan_to_num(), fresh),
        "far_deck": None if deck is None else exact.distance(deck.nan_to_num(), fresh),
        "width": float(guess.nan_to_num().std(0).mean()),
        "note": " ".join(notes),
    }


def draw(figure: Figure, style: Style) -> Update:
    """Noised points (cause), guesses of their origin over the data (effect)."""
    left, right = style.axes(figure, ["noised points x_t", "guesses of x₀ over the data"])
    for ax in (left, right):
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")

    def dots(ax: Any, colour: str, marker: str, size: float) -> Any:
        return ax.plot([], [], ls="", marker=marker, ms=size, color=colour, animated=True)[0]

    noised = dots(left, style.blue, "o", 2.5)
    fresh = dots(right, style.muted, "o", 1.8)
    guess = dots(right, style.blue, "o", 2.8)
    deck = dots(right, style.orange, "x", 5)
    style.legend(
        right,
        handles=[fresh, guess, deck],
        labels=["data", "guess of x₀", "the deck's step from x_T"],
        loc="lower left",
    )

    def update(a: Arrays) -> None:
        trace(noised, *a["noised"].T)
        trace(fresh, *a["fresh"].T)
        trace(guess, *a["guess"].T)
        trace(deck, *((None, None) if a["deck"] is None else a["deck"].T))

    return update


def caption(state: State, a: Arrays) -> str:
    """How wide the guesses lie, and how far they and the deck's step are from the data."""
    far = a["far_deck"]
    return said(
        a["note"],
        f"At t = {int(state['t'])} the guesses are {number(a['width'])} wide (the data "
        f"{number(float(a['fresh'].std(0).mean()))}), distance from the data {a['far']:.2f}.",
        "" if far is None else f"The deck's one step from pure noise: distance {far:.2f}.",
    )


PRESETS = [
    preset(
        "a little noise",
        "which points find home, and which end between the moons?",
        data="moons",
        t=30,
        seed=0,
    ),
    preset("half and half", "where do the guesses leave the moons first?", t=55),
    preset("all noise", "where does everything go, and why there?", t=100),
    preset(
        "two points",
        "only two points are data. Is any guess ever between them, and is that a datum?",
        data="two points",
        t=60,
    ),
    preset("a ring", "the mean of a ring: is it on the ring?", data="ring", t=90),
]


def panel(predict_x0: Callable[..., Any] | None, one_step: Callable[..., Any] | None) -> Panel:
    """Guesses; see `widgets.diffusion.guess`."""
    first = PRESETS if one_step is None else [PRESETS[2] | {"state": _start()}, *PRESETS[:2],
                                              *PRESETS[3:]]  # fmt: skip
    return Panel(
        "Where did it come from?",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            choice("data", "data", "moons", DATA),
            slider("t", "time t", 30, 1, T, 1, play=80),
            seed(),
        ],
        presets=first,
        given=(predict_x0, one_step),
    )


def _start() -> State:
    return PRESETS[0]["state"] | PRESETS[2]["state"]
