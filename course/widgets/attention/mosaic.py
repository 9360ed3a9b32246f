"""Patches of a noisy digit attend to each other: non-local means.

Source: Minhas, "(Vision) Transformers (for classification)", "Output of a single attention layer";
Buades, Coll and Morel, "A non-local algorithm for image denoising" (2005).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import fold, unfold
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from course.data import digits

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update
from ..style import Style

SIDE, NOISE = 8, 0.2
PICTURES = {  # digit and side of a patch
    "3/2": "3, patches of 2 × 2",
    "3/1": "3, single pixels",
    "3/4": "3, patches of 4 × 4",
    "0/2": "0, patches of 2 × 2",
    "8/2": "8, patches of 2 × 2",
}


@lru_cache(maxsize=1)
def examples() -> Tensor:
    """Each digit's example that is most like its others: (10, 8, 8), from 0 (paper) to 1 (ink)."""
    found = digits.load()
    groups = [found.x_train[found.y_train == k][:, 0].double() for k in range(10)]
    return torch.stack([g[(g - g.mean(0)).square().sum((1, 2)).argmin()] for g in groups])


def noisy(digit: int, number: int) -> Tensor:
    """That digit (8, 8) with noise drawn from the seed `number`."""
    generator = torch.Generator().manual_seed(number)
    return examples()[digit] + NOISE * torch.randn(SIDE, SIDE, generator=generator).double()


def attend(rows: Tensor, theta: float) -> tuple[Tensor, Tensor]:
    """Patches (n, d) averaged by the RBF kernel, and the weights (n, n).

    -theta^2 ||q - k||^2 is, but for what is the same for all keys, an inner product of longer
    vectors: so torch's own attention does it.
    """
    ones = torch.ones_like(rows[:, :1])
    q = torch.cat([2 * theta**2 * rows, -(theta**2) * ones], 1)
    k = torch.cat([rows, (rows * rows).sum(1, keepdim=True)], 1)
    both = torch.cat([rows, torch.eye(len(rows), dtype=rows.dtype)], 1)
    out = torch_attention(q, k, both, scale=1.0)
    return out[:, : rows.shape[1]], out[:, rows.shape[1] :]


def compute(state: State, patchify: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The patches, what one of them looks at, and the digit made of all averages.

    state: picture, theta, across and down (a pixel of the patch that looks). before, after (8, 8),
    weights (n,), patch (int), side, errors: root mean square of both, note.
    """
    digit, side = (int(part) for part in state["picture"].split("/"))
    image, per = noisy(digit, 0), SIDE // side
    note = ""
    rows = unfold(image[None, None], side, stride=side)[0].T
    chosen = int(state["down"]) // side * per + int(state["across"]) // side
    if patchify is not None:
        got, note = student.against(rows[None], patchify, image[None, None], side, tol=1e-9)
        note = note.replace("lies on the dashed line", "cuts as it should")
        note = note.replace("is off the dashed line", "puts pixels elsewhere; values are off")
        note = note.replace(": the dashed line is what it should do", "")
        rows = torch.zeros_like(rows) if got is None else got[0].nan_to_num(0.0, 0.0, 0.0)
    out, weights = attend(rows, float(state["theta"]))
    truth = examples()[digit]
    after = fold(out.T[None], (SIDE, SIDE), side, stride=side)[0, 0]
    errors = [float((picture - truth).square().mean().sqrt()) for picture in (image, after)]
    return {"before": image, "after": after, "weights": weights[chosen], "patch": chosen,
            "side": side, "errors": errors, "note": note}  # fmt: skip


def draw(figure: Figure, style: Style) -> Update:
    """Digit and chosen patch; where it looks; the digit made of the averages."""
    axes = style.axes(
        figure, ["the patches; one looks", "at whom: weights", "all patches averaged so"]
    )
    images = []
    box = (-0.5, SIDE - 0.5, SIDE - 0.5, -0.5)
    for ax in axes:
        ax.grid(False)
        colours = "Greys" if not style.dark else "Greys_r"
        images.append(
            ax.imshow(
                np.zeros((SIDE, SIDE)), cmap=colours, vmin=0, vmax=1, extent=box,
                interpolation="nearest", animated=True,
            )
        )  # fmt: skip
        ax.set(xlim=box[:2], ylim=box[2:], aspect="equal", xticks=[], yticks=[])
    edges = [ax.plot([], [], color=style.blue, lw=0.8, alpha=0.8, animated=True)[0] for ax in axes]
    frames = [ax.plot([], [], color=style.orange, lw=2.6, animated=True)[0] for ax in axes]

    def update(a: Arrays) -> None:
        side, per = a["side"], SIDE // a["side"]
        share = a["weights"].reshape(per, per).numpy()
        images[0].set_data(a["before"].numpy())
        images[1].set_data(share / max(share.max(), 1e-12))
        images[2].set_data(a["after"].numpy())
        lines = [[c, c, np.nan] for c in np.arange(0, SIDE + 1, side) - 0.5]
        ends = [[-0.5, SIDE - 0.5, np.nan]] * len(lines)
        row, column = divmod(a["patch"], per)
        x, y = np.array([0, 1, 1, 0, 0]) * side - 0.5, np.array([0, 0, 1, 1, 0]) * side - 0.5
        for edge, frame in zip(edges, frames, strict=True):
            edge.set_data(np.ravel([lines, ends]), np.ravel([ends, lines]))
            frame.set_data(x + column * side, y + row * side)

    return update


def caption(_state: State, a: Arrays) -> str:
    """Whom the patch looks at, and how much noise is left."""
    weights, i, per = a["weights"], a["patch"], SIDE // a["side"]

    def name(j: int) -> str:
        return f"row {j // per + 1}, column {j % per + 1}"

    others = weights.clone()
    others[i] = -1
    best = int(others.argmax())
    before, after = a["errors"]
    sentence = (
        f"The patch in {name(i)} gives itself {float(weights[i]):.0%} and the most among others, "
        f"{float(weights[best]):.0%}, to {name(best)}; the digit was off by {before:.3f}, and "
        f"is now off by {after:.3f}."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "a noisy 3",
        "the patch in the frame is a piece of stroke: will it look at its neighbours, or at "
        "strokes elsewhere?",
        picture="3/2",
        theta=1.2,
        across=4,
        down=2,
    ),
    preset("paper", "a patch of empty paper: how many others are like it?", across=0, down=4),
    preset("blunt", "with θ near 0 all look at all: what is left of the digit?", theta=0.1),
    preset(
        "sharp", "with a large θ a patch sees itself alone: what becomes of the noise?", theta=4.0
    ),
    preset(
        "single pixels",
        "a patch of one pixel knows only its own grey: what does it average?",
        picture="3/1",
        theta=2.5,
    ),
]


def panel(patchify: Callable[..., Any] | None) -> Panel:
    """Patches that look at each other; see `widgets.attention.patches`."""
    return Panel(
        "A digit, patch by patch",
        compute,
        draw,
        caption,
        [
            choice("picture", "digit", "3/2", PICTURES),
            slider("theta", "θ", 1.2, 0.0, 4.0, 0.1),
            slider("across", "look from column", 4, 0, SIDE - 1, 1),
            slider("down", "row", 2, 0, SIDE - 1, 1),
        ],
        PRESETS,
        given=(patchify,),
        views=3,
        drag=[{"axes": view, "x": "across", "y": "down"} for view in range(3)],
    )
