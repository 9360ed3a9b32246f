"""Digits of one's choice, from a small net trained on the spot: in pixels, or in a latent space.

Source: Minhas, "Unconditional vs Conditional Generation", "Diffusion Models" (latent diffusion).
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from course.data import digits
from course.threads import one_thread

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update
from ..style import Style
from . import exact
from .film import SIDE, T

COUNT, LATENT, EVERY = 16, 16, 5
STAGES = (0, 100, 400, 2000)  # steps of training after which the net is kept
SIZE, LR, DROPPED = 128, 0.004, 0.15
NOBODY = 10  # the label that says nothing
NETS = {
    "pixels 0": "pixels, untrained",
    "pixels 1": "pixels, 100 steps",
    "pixels 2": "pixels, 400 steps",
    "pixels 3": "pixels, 2000 steps",
    "latent 3": "latent, 2000 steps",
}


class Net(nn.Module):
    """Noise in x (n, d) at t (n,), given labels (n,) from 0 to 10."""

    def __init__(self, d: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(d + 4 + 11, width)
        self.rest = nn.Sequential(
            nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.last = nn.Linear(width, d)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """The noise, shape of x."""
        u = 2 * t / T - 1
        clock = torch.stack([u, u**2, u**3, u**4], 1).to(x.dtype)
        label = nn.functional.one_hot(labels, 11).to(x.dtype)
        return self.last(self.rest(self.first(torch.cat([x, clock, label], 1))))


class Studio:
    """Trained nets of both spaces, made when first asked for."""

    def __init__(self, loss: Callable[..., Any] | None) -> None:
        self._loss = loss
        d = digits.load()
        self.real, self.labels = 2 * d.x_train.flatten(1) - 1, d.y_train
        self.mean = self.real.mean(0)
        _, sizes, axes = torch.linalg.svd(self.real - self.mean, full_matrices=False)
        self._axes = axes[:LATENT]
        self._scale = sizes[:LATENT] / len(self.real) ** 0.5
        self.spaces: dict[str, list[Net]] = {}
        self.note = ""

    def encoded(self, space: str) -> Tensor:
        """The real digits as the net sees them, (m, d)."""
        if space == "pixels":
            return self.real
        return (self.real - self.mean) @ self._axes.T / self._scale

    def decoded(self, x: Tensor, space: str) -> Tensor:
        """Pixels (n, 64) of what the net sees, (n, d)."""
        return x if space == "pixels" else self.mean + (x * self._scale) @ self._axes

    def nets(self, space: str) -> list[Net]:
        """The net after each of STAGES, trained now if it has not been."""
        if space not in self.spaces:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1)
                self.spaces[space] = self._trained(self.encoded(space))
        return self.spaces[space]

    def _trained(self, x: Tensor) -> list[Net]:
        net, generator = Net(x.shape[1], 256), torch.Generator().manual_seed(0)
        optimiser, kept = torch.optim.Adam(net.parameters(), LR), [_copy(net)]
        slowing = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, STAGES[-1])
        for step in range(1, STAGES[-1] + 1):
            rows = torch.randint(len(x), (SIZE,), generator=generator)
            silent = torch.rand(SIZE, generator=generator) < DROPPED
            labels = torch.where(silent, NOBODY, self.labels[rows])
            told = self._told(net, x[rows], labels, generator)
            if told is None:
                return kept * len(STAGES)

            def again(told: Tensor = told) -> Tensor:
                optimiser.zero_grad()
                told.backward()
                return told

            optimiser.step(again)
            slowing.step()
            if step in STAGES:
                kept.append(_copy(net))
        return kept

    def _told(self, net: Net, x: Tensor, labels: Tensor, generator: Any) -> Tensor | None:
        """The student's loss; None where there is nothing to train with, and `note` says why."""
        if self._loss is None:
            self.note = "Nothing is trained without your `diffusion_loss`."
            return None
        name = student.name_of(self._loss)
        try:
            got = self._loss(lambda a, t: net(a, t, labels), x, exact.straight(T), generator)
        except NotImplementedError:
            self.note = f"`{name}` is not written yet: nothing is trained."
            return None
        except Exception as error:
            self.note = f"Your `{name}` stopped with {type(error).__name__}: {str(error)[:120]}"
            return None
        if not isinstance(got, Tensor) or got.dim() or not got.requires_grad:
            self.note = f"Your `{name}` returned nothing that backward() can be called on."
            return None
        return got


def _copy(net: Net) -> Net:
    made = Net(net.last.out_features, net.last.in_features)
    made.load_state_dict(net.state_dict())
    return made.eval()


def compute(
    state: State, studio: Studio, guided_noise: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Sixteen new digits.

    state: digit, w, net, seed. new, near (16, 64) from -1 to 1: samples, and the nearest
    real digit of each; right: how many of those have the label; far, usual: mean distance to the
    nearest, of new ones and of real ones among themselves; note.
    """
    label, w = int(state["digit"]), float(state["w"])
    space, stage = state["net"].split()
    net, notes = studio.nets(space)[int(stage)], [studio.note]
    alpha_bar = exact.straight(T)
    labels = torch.tensor([label] * COUNT + [NOBODY] * COUNT)

    def model(x: Tensor, t: Tensor) -> Tensor:
        cond, uncond = net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        if guided_noise is None:
            return cond
        got, note = student.call(guided_noise, cond, uncond, w, shape=tuple(x.shape))
        if got is None or note:
            notes.append(note.replace("the dashed line is what it should do", "here w is 1"))
            return cond
        return got.float()

    generator = torch.Generator().manual_seed(int(state["seed"]))
    noise = torch.randn(COUNT, net.last.out_features, generator=generator)
    ends = exact.flow(model, noise, alpha_bar, EVERY)[-1].nan_to_num()
    new = studio.decoded(ends, space).clamp(-1.2, 1.2)
    far, which = torch.cdist(new, studio.real).min(1)
    among = torch.cdist(studio.real[:200], studio.real).topk(2, largest=False).values[:, 1]
    return {
        "new": new,
        "near": studio.real[which],
        "right": int((studio.labels[which] == label).sum()),
        "far": float(far.mean()),
        "usual": float(among.mean()),
        "note": " ".join(dict.fromkeys(n for n in notes if n)),
    }


def board(images: Tensor) -> Tensor:
    """Sixteen digits (16, 64) as one picture (37, 37) with lines between."""
    made = torch.full((37, 37), 0.3)
    for i, image in enumerate(images):
        y, x = 1 + 9 * (i // 4), 1 + 9 * (i % 4)
        made[y : y + SIDE, x : x + SIDE] = image.reshape(SIDE, SIDE)
    return made


def draw(figure: Figure, style: Style) -> Update:
    """New digits (cause), and for each the nearest real one (effect)."""
    views = style.axes(figure, ["new digits", "nearest real digits (in the same places)"])
    shades = "gray" if style.dark else "Greys"
    shown = []
    for ax in views:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(False)
        picture = ax.imshow([[0.0]], cmap=shades, vmin=-1.1, vmax=1.1, animated=True,
                            extent=(0, 1, 0, 1), interpolation="nearest")  # fmt: skip
        shown.append(picture)

    def update(a: Arrays) -> None:
        shown[0].set_data(board(a["new"]).numpy())
        shown[1].set_data(board(a["near"]).numpy())

    return update


def caption(state: State, a: Arrays) -> str:
    """How many look like the digit asked for, and whether they are copies."""
    return said(
        a["note"],
        f"{NETS[state['net']].capitalize()}, w = {float(state['w']):.1f}: the nearest real digit "
        f"is a {state['digit']} for {a['right']} of {COUNT}; mean distance to it {a['far']:.1f} "
        f"(real ones: {a['usual']:.1f}; a copy: 0).",
    )


PRESETS = [
    preset(
        "sevens",
        "sixteen noises, one label: do all become sevens, and all different ones?",
        digit="7",
        w=2.0,
        net="pixels 3",
    ),
    preset("early", "after 100 steps: which is learnt first, strokes or shapes?", net="pixels 1"),
    preset("no label", "w = 0: how many sevens do you expect among sixteen?", w=0.0),
    preset("strong guidance", "w = 5: how alike do the digits get?", w=5.0),
    preset("latent", "16 numbers instead of 64: what can't such a net draw?", net="latent 3"),
]


def panel(loss: Callable[..., Any] | None, guided_noise: Callable[..., Any] | None) -> Panel:
    """Digits; see `widgets.diffusion.digits`."""
    with one_thread():
        studio = Studio(loss)
    return Panel(
        "Digits out of noise",
        compute=compute,
        draw=draw,
        caption=caption,
        controls=[
            choice("digit", "digit", "7", {str(k): str(k) for k in range(10)}),
            slider("w", "guidance w", 2.0, 0.0, 6.0, 0.5),
            choice("net", "net", "pixels 3", NETS),
            seed(),
        ],
        presets=PRESETS,
        given=(studio, guided_noise),
    )
