"""A coin learned by a GAN: what G makes of each noise, and how many heads come of it.

Source: Minhas, "A Simple Generative Machine Learning Example", "A Barebones GAN in PyTorch ...".
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Normal

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style
from .game import Game, Yours

Z = torch.linspace(-3, 3, 201)[:, None]
ROUNDS = torch.arange(220, 401, 20)
COINS = {"0.3": "0.3, the tutorial's", "0.5": "0.5", "0.7": "0.7, the example's"}
Played = tuple[Tensor | None, str]


def tosses(p: float, number: int) -> Tensor:
    """1024 tosses of a coin with P(1) = p, (1024, 1)."""
    return (torch.rand(1024, 1, generator=torch.Generator().manual_seed(number)) < p).float()


def ours(x: Tensor, number: int) -> Tensor:
    """G over `Z` after each of `ROUNDS`, (10, 201), in a game on the tosses x with our steps."""
    game = Game("coin", number, Yours())
    game.scene = replace(game.scene, x=x)
    seen = []
    for _ in range(int(ROUNDS[-1])):
        game.round(1, 1, False)
        if game.rounds in ROUNDS:
            seen.append(game.G(Z)[:, 0].detach())
    return torch.stack(seen)


def played(f: Callable[..., Any] | None, x: Tensor, number: int) -> Played:
    """The same with the student's `coin_gan` where it is given, or None; and what to say of it."""
    if f is None:
        return ours(x, number), ""
    got, note = student.call(f, x, Z, number, shape=(len(ROUNDS), len(Z), 1))
    note = note.replace("the dashed line is what it should do", "the dashed line is the goal")
    return (None if got is None else got[..., 0]), note


def compute(state: State, play: Callable[[float, int], Played]) -> dict[str, Any]:
    """state: p, part (of ROUNDS), seed; `play(p, seed)` as `played`.

    curves (10, 201) or None; part; truth (201,): a step that makes as many heads; heads (10,) or
    None; share: of heads in the data.
    """
    p, number = float(state["p"]), int(state["seed"])
    curves, note = play(p, number)
    share = float(tosses(p, number).mean())
    law = Normal(0.0, 1.0)
    rises = curves is None or float(curves[-1, -1]) >= float(curves[-1, 0])
    at = float(law.icdf(torch.tensor(1 - share if rises else share)))
    heads = None
    if curves is not None:
        weight = law.log_prob(Z[:, 0]).exp()
        heads = ((curves > 0.5) * weight).sum(1) / weight.sum()
    return {
        "curves": curves,
        "part": round(float(state["part"])) - 1,
        "truth": ((Z[:, 0] > at) == rises).double(),
        "heads": heads,
        "share": share,
        "note": note,
    }


def draw(figure: Figure, style: Style) -> Update:
    """G's curve (cause); its share of heads over the rounds (effect)."""
    left, right = style.axes(figure, ["what G makes of each noise", "share of heads"])
    left.set(xlim=(-3, 3), ylim=(-0.08, 1.08), xlabel="noise z, standard normal")
    right.set(xlim=(215, 405), ylim=(0, 1), xlabel="rounds")
    curve = left.plot([], [], animated=True, **style.line("curve"))[0]
    truth = left.plot([], [], animated=True, **style.line("truth"))[0]
    heads = right.plot([], [], marker="o", ms=4, animated=True, **style.line("curve"))[0]
    now = right.plot([], [], animated=True, **style.point())[0]
    share = right.plot([], [], animated=True, **style.line("truth"))[0]
    style.legend(right, handles=[heads, share], labels=["of G", "of the data"], loc="upper right")

    def update(a: Arrays) -> None:
        at, curves, shares = a["part"], a["curves"], a["heads"]
        trace(truth, Z[:, 0], a["truth"])
        trace(share, [215, 405], [a["share"]] * 2)
        trace(curve, Z[:, 0], None if curves is None else curves[at])
        trace(heads, ROUNDS, shares)
        trace(now, [ROUNDS[at]], None if shares is None else [shares[at]])

    return update


def caption(_state: State, a: Arrays) -> str:
    """How many heads G makes now, and on average, against the data."""
    learned = ""
    if a["heads"] is not None:
        learned = (
            f"After {int(ROUNDS[a['part']])} rounds G makes {float(a['heads'][a['part']]):.1%}; "
            f"over the last 200 rounds {float(a['heads'].mean()):.1%} on average."
        )
    return said(a["note"], f"The data have {a['share']:.1%} heads.", learned)


PRESETS = [
    preset(
        "the tutorial's coin",
        "what will G do with its noise to make 30 % heads?",
        p="0.3",
        part=10,
        seed=0,
    ),
    preset("the example's coin", "heads 0.7: where does the step go?", p="0.7", part=10, seed=1),
    preset("a fair coin", "does the share settle at one half?", p="0.5", part=1, seed=2),
]


def panel(f: Callable[..., Any] | None) -> Panel:
    """The coin; see `widgets.gan.coin`."""
    # A game takes half a second: it is played once, and then scrubbed.
    play = lru_cache(maxsize=16)(lambda p, number: played(f, tosses(p, number), number))
    return Panel(
        "A coin, learned from its tosses",
        compute,
        draw,
        caption,
        [
            choice("p", "P(heads)", "0.3", COINS),
            slider("part", "time", 10, 1, len(ROUNDS), 1, play=400),
            seed(),
        ],
        PRESETS,
        given=(play,),
    )
