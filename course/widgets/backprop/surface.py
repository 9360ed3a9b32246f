"""XOR while it trains: the net's output over the plane, and its loss.

Source: Minhas, "Home/Lab Exercise"; Passerini, "Remarks on backpropagation".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number
from .net import X, Y

STEPS, STRIDE, MOST, CELLS = 1500, 15, 5, 41
SEEN = STEPS // STRIDE
RATES = {"0.5": "0.5", "2": "2", "5": "5", "10": "10"}
Params = tuple[Tensor, ...]


def start(hidden: int, number_: int) -> Params:
    """W1, b1, W2, b2 of a net 2-hidden-1: standard normal; the first units are the same for all."""
    generator = torch.Generator().manual_seed(number_)
    unit = torch.randn(MOST, 4, generator=generator, dtype=torch.float64)[:hidden]
    b2 = torch.randn(1, generator=generator, dtype=torch.float64)
    return unit[:, :2].clone(), unit[:, 2].clone(), unit[:, 3:].T.clone(), b2


@lru_cache(maxsize=4)
def family(number_: int) -> dict[tuple[str, int], tuple[list[Params], Tensor]]:
    """Every net of a seed (learning rate, hidden units), trained together by autograd.

    For each: its parameters every 15 steps (101 of them), and the loss before each step (1500,).
    """
    keys = [(rate, hidden) for rate in RATES for hidden in range(1, MOST + 1)]
    on = torch.tensor([[i < hidden for i in range(MOST)] for _, hidden in keys]).double()
    rates = torch.tensor([float(rate) for rate, _ in keys], dtype=torch.float64)
    stacked = [t.expand(len(keys), *t.shape).clone() for t in start(MOST, number_)]
    seen, kept = [], [[t.clone() for t in stacked]]
    for step in range(1, STEPS + 1):
        leaves = [t.requires_grad_() for t in stacked]
        W1, b1, W2, b2 = leaves
        h = torch.sigmoid(X @ W1.mT + b1[:, None]) * on[:, None]
        out = torch.sigmoid(h @ W2.mT + b2[:, None])
        loss = (out - Y).square().mean((1, 2)) / 2
        found = torch.autograd.grad(loss.sum(), leaves)
        with torch.no_grad():
            stacked = [
                t - rates.reshape(-1, *[1] * (t.dim() - 1)) * g
                for t, g in zip(leaves, found, strict=True)
            ]
        seen.append(loss.detach())
        if step % STRIDE == 0:
            kept.append([t.clone() for t in stacked])
    table = torch.stack(seen, 1)
    return {
        (rate, hidden): (
            [(a[i, :hidden], b[i, :hidden], c[i, :, :hidden], d[i]) for a, b, c, d in kept],
            table[i],
        )
        for i, (rate, hidden) in enumerate(keys)
    }


def taught(train_xor: Callable[..., Any], hidden: int, lr: float, number_: int) -> Any:
    """The same by a student's function, called for 15 steps at a time; and a note if it fails."""
    params = start(hidden, number_)
    shapes = [tuple(t.shape) for t in params]
    kept, losses = [params], []

    def fifteen(*arguments: Any) -> Tensor:
        nonlocal params
        after, found = train_xor(*arguments)
        if [tuple(t.shape) for t in after] != shapes:
            raise ValueError("the parameters came back with other shapes")
        params = tuple(t.detach() for t in after)
        return found

    fifteen.__name__ = student.name_of(train_xor)
    for _ in range(SEEN):
        given = tuple(t.clone() for t in params)
        found, note = student.call(
            fifteen, given, X.clone(), Y.clone(), lr, STRIDE, shape=(STRIDE,)
        )
        if found is None or note:
            return None, note
        kept.append(params)
        losses.append(found)
    return (kept, torch.cat(losses)), ""


def grid() -> Tensor:
    """Where the surface is computed: (41, 41, 2), rows from the top down."""
    ticks = torch.linspace(-0.5, 1.5, CELLS, dtype=torch.float64)
    rows, columns = torch.meshgrid(ticks.flip(0), ticks, indexing="ij")
    return torch.stack([columns, rows], -1)


def output(params: Params, x: Tensor) -> Tensor:
    """The net's answer for x (..., 2): (...)."""
    h = torch.special.expit(F.linear(x, *params[:2]))
    return torch.special.expit(F.linear(h, *params[2:]))[..., 0]


def compute(state: State, course: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The surface at a step, and the losses of all steps.

    state: hidden, lr, seen (steps / 15), seed; `course(hidden, lr, seed)` is `taught` by a
    student's function. Returns surface (41, 41), answers (4,), losses (1500,) and truth (1500,),
    step, loss, note.
    """
    hidden, rate, number_ = int(state["hidden"]), state["lr"], int(state["seed"])
    kept, truth = family(number_)[rate, hidden]
    losses, note = truth, ""
    if course is not None:
        result, note = course(hidden, float(rate), number_)
        if result is not None:
            kept, losses = result
            gap = float((losses - truth).abs().max())
            note = (
                "Your losses lie on the dashed line."
                if gap < 1e-6
                else f"Your losses depart from the dashed line by up to {number(gap)}."
            )
    seen = int(state["seen"])
    step = seen * STRIDE
    return {
        "surface": output(kept[seen], grid()), "answers": output(kept[seen], X), "losses": losses,
        "truth": truth, "step": step, "loss": float(losses[min(step, STEPS - 1)]), "note": note,
        "given": course is not None,
    }  # fmt: skip


def draw(figure: Figure, style: Style) -> Update:
    """The surface with the four points, and the loss so far."""
    plane, fall = style.axes(figure, ["output of the net", "loss, mean of ½(y − ŷ)²"], (2, 3))
    plane.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), xlabel="x₁", ylabel="x₂", aspect="equal")
    fall.set(xlim=(0, STEPS + 30), ylim=(0, 0.2), xlabel="step")
    fall.axhline(1 / 8, **style.line("guide"))
    fall.axhline(1 / 16, **style.line("guide"))
    for height, text in ((1 / 8, "1/8: every answer 0.5"), (1 / 16, "1/16: two of four at 0.5")):
        fall.text(
            STEPS - 90, height - 0.003, text, size=7.5, color=style.muted, ha="right", va="top"
        )
    image = plane.imshow(
        torch.zeros(CELLS, CELLS).numpy(), extent=(-0.5, 1.5, -0.5, 1.5), cmap="PuOr_r",
        vmin=0, vmax=1, alpha=0.65, animated=True, interpolation="bilinear",
    )  # fmt: skip
    for (a, b), y in zip(X.tolist(), Y[:, 0].tolist(), strict=True):
        plane.plot(
            a,
            b,
            marker="^" if y else "o",
            ms=10,
            mew=1.4,
            animated=True,
            ls="",
            mfc=style.orange if y else style.blue,
            mec=style.paper,
        )
    texts = [
        plane.text(
            a + 0.07, b + 0.07, "", size=8.5, color=style.ink, path_effects=style.halo(),
            animated=True,
        )
        for a, b in X.tolist()
    ]  # fmt: skip
    truth = fall.plot([], [], animated=True, **style.line("truth"))[0]
    line = fall.plot([], [], animated=True, **style.line("curve"))[0]
    here = fall.plot([], [], animated=True, **style.point())[0]
    steps = torch.arange(0, STEPS, 5)

    def update(a: Arrays) -> None:
        image.set_data(a["surface"].numpy())
        for text, answer in zip(texts, a["answers"].tolist(), strict=True):
            text.set_text(f"{answer:.2f}")
        until = max(1, a["step"] // 5)
        trace(line, steps[:until], a["losses"][::5][:until])
        trace(truth, steps, a["truth"][::5])
        truth.set_visible(a["given"])
        here.set_data([min(a["step"], STEPS - 1)], [min(0.2, a["loss"])])

    return update


def caption(state: State, a: Arrays) -> str:
    """Loss and answers at this step."""
    answers = ", ".join(f"{v:.2f}" for v in a["answers"].tolist())
    units = f"{int(state['hidden'])} hidden unit" + ("s" if int(state["hidden"]) > 1 else "")
    sentence = (
        f"{units}, learning rate {state['lr']}, step {a['step']}: loss {number(a['loss'], 3)}; the "
        f"four answers are {answers}, wanted 0, 1, 1, 0."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "three hidden units",
        "what does the loss do in the first 100 steps: fall, rise, or neither?",
        hidden=3,
        lr="5",
        seen=SEEN,
        seed=0,
    ),
    preset(
        "on the plateau",
        "all four answers are near 0.5: where will the surface fold first?",
        hidden=3,
        lr="5",
        seen=4,
        seed=0,
    ),
    preset(
        "stuck",
        "two hidden units could do it: why does this start never get there?",
        hidden=2,
        lr="5",
        seen=SEEN,
        seed=6,
    ),
    preset(
        "one hidden unit",
        "one unit makes one fold: how many of the points can it get right?",
        hidden=1,
        lr="10",
        seen=SEEN,
        seed=0,
    ),
    preset(
        "small steps",
        "the same start with a tenth of the learning rate: how many more steps?",
        hidden=3,
        lr="0.5",
        seen=SEEN,
        seed=0,
    ),
]


def panel(train_xor: Callable[..., Any] | None) -> Panel:
    """The surface; see `widgets.backprop.xor`."""

    @lru_cache(maxsize=32)
    def course(hidden: int, lr: float, number_: int) -> Any:
        assert train_xor is not None
        return taught(train_xor, hidden, lr, number_)

    return Panel(
        "XOR, while it trains",
        compute,
        draw,
        caption,
        [
            slider("hidden", "hidden units", 3, 1, MOST, 1),
            choice("lr", "learning rate", "5", RATES),
            slider("seen", f"step / {STRIDE}", SEEN, 0, SEEN, 1, play=60),
            seed(),
        ],
        PRESETS,
        given=(course if train_xor else None,),
    )
