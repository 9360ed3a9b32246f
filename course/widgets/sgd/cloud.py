"""The noise ball: how far mini-batch gradients lie from the batch gradient, and what that does.

Source: Karatzas, "Mini-batches", "The right mini-batch".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from .surfaces import Fields, descend, fields

EXAMPLES, DRAWS, STEPS = 64, 250, 500
SIZES = [1, 2, 4, 8, 16, 32, 64]
AT = torch.tensor([1.5, -1.0], dtype=torch.float64)  # where the gradients are taken


def examples(number_: int) -> tuple[Tensor, Tensor]:
    """64 examples of a noisy linear neuron: x (64, 2), y (64,)."""
    generator = torch.Generator().manual_seed(number_)
    x = torch.randn(EXAMPLES, 2, generator=generator, dtype=torch.float64)
    return x, x.sum(1) * 0.5 + torch.randn(EXAMPLES, generator=generator, dtype=torch.float64)


def each_gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Gradients (64, 2) of the examples' losses (w.x - y)^2 / 2, by autograd."""
    copies = w.expand(len(y), 2).clone().requires_grad_()
    loss = ((copies * x).sum(1) - y).square().sum() / 2
    return torch.autograd.grad(loss, copies)[0]


@lru_cache(maxsize=16)
def draws(size: int, count: int, replacement: bool, number_: int) -> Tensor:
    """Indices (count, size) of random mini-batches."""
    generator = torch.Generator().manual_seed(number_ + 77)
    chances = torch.ones(count, EXAMPLES)
    return torch.multinomial(chances, size, replacement, generator=generator)


@lru_cache(maxsize=8)
def spread(replacement: bool, number_: int) -> dict[str, Tensor]:
    """What does not change while the hand moves: each (64, 2) and mean (2,) gradients at AT, best
    (2,) weights, and by size measured (7,), exact (7,) mean squared distances.
    """
    x, y = examples(number_)
    each = each_gradient(AT, x, y)
    off = [each[draws(s, DRAWS, replacement, 1)].mean(1) - each.mean(0) for s in SIZES]
    sizes = torch.tensor(SIZES, dtype=torch.float64)
    exact = torch.cov(each.T, correction=0).trace() / sizes
    return {
        "each": each,
        "mean": each.mean(0),
        "best": torch.linalg.lstsq(x, y[:, None]).solution[:, 0],
        "measured": torch.stack([o.square().sum(1).mean() for o in off]),
        "exact": exact if replacement else exact * (EXAMPLES - sizes) / (EXAMPLES - 1),
    }


@lru_cache(maxsize=8)
def _your_gradients(f: Callable[..., Any], number_: int) -> student.Outcome:
    """The student's gradients of the examples, or None, and what to say of them."""
    x, y = examples(number_)
    truth = each_gradient(AT, x, y)
    got, note = student.call(f, AT, x, y, shape=(EXAMPLES, 2))
    if got is not None and not note:
        wrong = int((~torch.isclose(got, truth)).any(1).sum())
        note = "Your sample gradients " + (
            f"differ from autograd's in {wrong} of {EXAMPLES} rows." if wrong else "are autograd's."
        )
    return got, note.replace("the dashed line is what it should do", "autograd's are drawn")


@lru_cache(maxsize=8)
def _your_variances(f: Callable[..., Any], replacement: bool, number_: int) -> student.Outcome:
    """The student's mean squared distances (7,), or None, and what to say of them."""
    truth = spread(replacement, number_)
    values = []
    for s in SIZES:
        got, note = student.call(f, truth["each"], s, replacement, shape=())
        if got is None or note:
            return None, note
        values.append(got)
    yours = torch.stack(values)
    return yours, student.compared(f, yours, truth["exact"])


@lru_cache(maxsize=8)
def roaming(size: int, replacement: bool, number_: int) -> Fields:
    """The gradients of 500 mini-batches that a walker meets."""
    x, y = examples(number_)
    picked = draws(size, STEPS, replacement, 2)
    a, b = x[picked], y[picked]
    linear = -torch.einsum("tbi,tb->ti", a, b) / size
    return fields(linear, torch.einsum("tbi,tbj->tij", a, a) / size)


def compute(
    state: State,
    variance: Callable[..., Any] | None = None,
    sample_gradients: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """The cloud, the variances and the ball.

    state: power (the size is 2^power), lr, draw, seed. each (64, 2), batches (250, 2), mean (2,)
    gradients; measured (7,), exact (7,), yours (7,) or None: mean squared distances by size; ball
    (400, 2): where the walker roams around the best weights; far: its root mean squared distance.
    """
    size, replacement = 2 ** int(state["power"]), state["draw"] == "with"
    number_, notes = int(state["seed"]), []
    known = spread(replacement, number_)
    each, yours = known["each"], None
    if sample_gradients is not None:
        got, note = _your_gradients(sample_gradients, number_)
        each = each if got is None else got
        notes.append(note)
    if variance is not None:
        yours, note = _your_variances(variance, replacement, number_)
        notes.append(note)
    best = known["best"]
    seen = roaming(size, replacement, number_)
    ball = descend(seen, best, [float(state["lr"])] * STEPS)[-400:] - best
    return {
        "each": each,
        "batches": each[draws(size, DRAWS, replacement, 3)].mean(1),
        "mean": known["mean"],
        "measured": known["measured"],
        "exact": known["exact"],
        "yours": yours,
        "ball": ball,
        "far": float(ball.square().sum(1).mean().sqrt()),
        "size": size,
        "notes": notes,
        "now": int(state["power"]),
    }


def draw(figure: Figure, style: Style) -> Update:
    """The cloud of gradients; the variance by batch size; the ball."""
    cloud, falls, ball = style.axes(
        figure,
        ["gradients at one w", "mean squared distance by size", "at the bottom: where w roams"],
    )
    cloud.set(xlim=(-6, 9), ylim=(-9, 5), xlabel="∂L/∂w₁", ylabel="∂L/∂w₂")
    falls.set(xscale="log", yscale="log", xlim=(0.8, 80), ylim=(5e-3, 60), xlabel="batch size B")
    falls.set_xticks(SIZES, [str(s) for s in SIZES])
    falls.minorticks_off()
    ball.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xlabel="w₁ − best", ylabel="w₂ − best")
    small = cloud.plot([], [], ".", ms=5, color=style.muted, animated=True, label="one example")[0]
    dots = cloud.plot([], [], ".", ms=4, color=style.blue, animated=True, label="a mini-batch")[0]
    star = cloud.plot([], [], "*", ms=15, color=style.orange, mec=style.paper, animated=True)[0]
    style.legend(
        cloud,
        handles=[small, dots, star],
        loc="upper right",
        labels=["one example", "mini-batch", "all"],
    )
    yours = falls.plot([], [], animated=True, **style.line("curve"))[0]
    exact = falls.plot([], [], animated=True, **style.line("truth"))[0]
    measured = falls.plot([], [], "x", ms=6, color=style.ink, animated=True)[0]
    here = falls.plot([], [], animated=True, **style.point())[0]
    style.legend(
        falls, handles=[exact, measured], labels=["exact", f"{DRAWS} draws"], loc="lower left"
    )
    path = ball.plot([], [], lw=0.7, color=style.blue, animated=True)[0]
    ball.plot(0, 0, marker="*", ms=13, color=style.orange, mec=style.paper, animated=True, zorder=3)

    def update(a: Arrays) -> None:
        for line, points in (
            (small, a["each"]),
            (dots, a["batches"]),
            (star, a["mean"][None]),
            (path, a["ball"]),
        ):
            trace(line, *points.T)
        trace(yours, SIZES, a["yours"])
        trace(exact, SIZES, a["exact"].clamp(1e-9))
        trace(measured, SIZES, a["measured"].clamp(1e-9))
        here.set_data([a["size"]], [float(a["measured"][a["now"]].clamp(5.5e-3))])

    return update


def caption(state: State, a: Arrays) -> str:
    """The variance at this size, against a batch of one, and the ball's radius."""
    now = a["now"]
    share = float(a["exact"][now] / a["exact"][0])
    return said(
        *a["notes"],
        f"Batches of {a['size']}, drawn {state['draw']} replacement: mean squared distance "
        f"{number(float(a['measured'][now]))} measured, {number(float(a['exact'][now]))} exact, "
        f"{number(share)} times a single example's; at learning rate {state['lr']:g} the walker "
        f"roams {number(a['far'])} from the best weights.",
    )


PRESETS = [
    preset(
        "one example",
        "how many examples must a batch have to halve the distance to the star?",
        power=0,
        lr=0.1,
        draw="with",
    ),
    preset("four examples", "was it four? And what became of the ball on the right?", power=2),
    preset(
        "smaller steps",
        "one example and a quarter of the learning rate: as good as which batch?",
        lr=0.025,
    ),
    preset(
        "without replacement",
        "half the data set in each batch: more or less than 1/32 of the noise?",
        power=5,
        draw="without",
    ),
    preset(
        "large and fast",
        "ten times the learning rate: does a batch of 16 make up for it?",
        power=4,
        lr=1.0,
    ),
]


def panel(
    variance: Callable[..., Any] | None, sample_gradients: Callable[..., Any] | None
) -> Panel:
    """The noise ball; see `widgets.sgd.noise`."""
    return Panel(
        "How noisy is a mini-batch?",
        compute,
        draw,
        caption,
        [
            slider("power", "batch size: 2 to the power", 0, 0, 6, 1),
            slider("lr", "learning rate", 0.1, 0.025, 1.0, 0.025),
            choice(
                "draw",
                "drawn",
                "with",
                {"with": "with replacement", "without": "without replacement"},
            ),
            seed(),
        ],
        PRESETS,
        given=(variance, sample_gradients),
        views=3,
    )
