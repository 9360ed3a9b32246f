"""Which example comes when: epochs cut into mini-batches.

Source: Karatzas, "Shuffling and balancing".
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update
from ..style import Style

EXAMPLES, EPOCHS = 48, 6
# matplotlib is twice as fast with an image of bytes as with numbers and a colour map.
COLOURS = colormaps["viridis"](range(256), bytes=True)
KINDS = {
    "yours": "by your function",
    "shuffled": "shuffled every epoch",
    "sorted": "not shuffled",
    "drawn": "drawn with replacement",
}


def epochs(kind: str, size: int, number: int) -> list[list[Tensor]]:
    """Six epochs of mini-batches by torch's own samplers."""
    data = range(EXAMPLES)
    generator = torch.Generator().manual_seed(number)
    sampler: Any = {
        "shuffled": torch.utils.data.RandomSampler(data, generator=generator),
        "drawn": torch.utils.data.RandomSampler(data, replacement=True, generator=generator),
        "sorted": torch.utils.data.SequentialSampler(data),
    }[kind]
    cut = torch.utils.data.BatchSampler(sampler, size, drop_last=False)
    return [[torch.tensor(batch) for batch in cut] for _ in range(EPOCHS)]


def compute(state: State, minibatches: Callable[..., Any] | None = None) -> dict[str, Any]:
    """When each example comes, and what the batches hold.

    state: kind, size, seed. when (6, 48): the number of the batch, -1 for never (-2: nothing to
    draw); dogs: the share of the second half of the examples in each batch, one after the other;
    unseen, twice: how many (epoch, example) pairs were not seen, or more than once.
    """
    kind, size, note = state["kind"], int(state["size"]), ""
    when = torch.full((EPOCHS, EXAMPLES), -2)
    times = torch.zeros(EPOCHS, EXAMPLES)
    dogs: list[float] = []
    if kind == "yours" and minibatches is not None:
        generator = torch.Generator().manual_seed(int(state["seed"]))
        made: list[list[Tensor]] = []

        def all_epochs() -> Tensor:
            for _ in range(EPOCHS):
                batches = minibatches(EXAMPLES, size, generator)
                made.append([torch.as_tensor(b).long() for b in batches])
                inside = torch.cat(made[-1])
                if len(inside) and not 0 <= int(inside.min()) <= int(inside.max()) < EXAMPLES:
                    raise IndexError(f"an index is not in 0 ... {EXAMPLES - 1}")
            return torch.zeros(())

        all_epochs.__name__ = student.name_of(minibatches)
        got, note = student.call(all_epochs, shape=())
        note = note.replace(
            ": the dashed line is what it should do", "; choose another order to see one"
        )
        if got is None:
            made = []
    else:
        made = epochs("shuffled" if kind == "yours" else kind, size, int(state["seed"]))
    for e, batches in enumerate(made):
        sizes = torch.tensor([len(batch) for batch in batches], dtype=torch.long)
        inside = torch.cat([torch.zeros(0, dtype=torch.long), *batches])
        place = torch.arange(len(batches)).repeat_interleave(sizes)
        when[e] = torch.full((EXAMPLES,), -1).scatter_reduce(0, inside, place, "amax")
        times[e] = torch.bincount(inside, minlength=EXAMPLES)
        among = torch.bincount(place[inside >= EXAMPLES // 2], minlength=len(batches))
        dogs += (among / sizes.clamp(min=1)).tolist()
    return {
        "when": when,
        "dogs": dogs,
        "note": note,
        "made": bool(made),
        "unseen": int((times == 0).sum()) if made else 0,
        "twice": int((times > 1).sum()),
        "per_epoch": len(made[0]) if made else 0,
    }


def draw(figure: Figure, style: Style) -> Update:
    """Epochs and examples, shaded by batch (cause); what each batch holds (effect)."""
    table, share = style.axes(
        figure, ["in which batch each example comes", "share of dogs in each batch"]
    )
    table.set(
        xlim=(-0.5, EXAMPLES - 0.5),
        ylim=(EPOCHS - 0.5, -0.5),
        xlabel="example: cats 0–23, dogs 24–47 · first batch dark, last one yellow",
        ylabel="epoch",
    )
    table.grid(False)
    image = table.imshow(
        np.zeros((EPOCHS, EXAMPLES, 4), np.uint8),
        aspect="auto",
        interpolation="nearest",
        animated=True,
    )
    table.axvline(EXAMPLES / 2 - 0.5, color=style.ink, lw=1, zorder=3, animated=True)
    share.set(ylim=(-0.03, 1.03), xlim=(0, 1), xlabel="batch after batch, six epochs", xticks=[])
    share.axhline(0.5, **style.line("guide"))
    bars = share.plot([], [], marker="o", ms=4, lw=1, color=style.blue, animated=True)[0]

    def update(a: Arrays) -> None:
        when = a["when"].numpy()
        shades = COLOURS[(255 * when // max(1, a["per_epoch"] - 1)).clip(0, 255)]
        shades[when < 0] = 0
        image.set_data(shades)
        n = max(1, len(a["dogs"]))
        bars.set_data((np.arange(len(a["dogs"])) + 0.5) / n, a["dogs"])

    return update


def caption(state: State, a: Arrays) -> str:
    """How many are seen, and how the batches are mixed."""
    if not a["made"]:
        return a["note"]
    low, high = min(a["dogs"]), max(a["dogs"])
    alone = sum(share in (0.0, 1.0) for share in a["dogs"])
    return said(
        a["note"],
        f"{a['per_epoch']} batches of up to {int(state['size'])} in an epoch; per epoch "
        f"{a['unseen'] / EPOCHS:.1f} of {EXAMPLES} examples are never seen and "
        f"{a['twice'] / EPOCHS:.1f} more than once; batches hold from {low:.0%} to {high:.0%} "
        f"dogs, {alone} of {len(a['dogs'])} are all of one kind.",
    )


PRESETS = [
    preset(
        "shuffled",
        "twelve batches of four an epoch: will each hold two dogs?",
        kind="shuffled",
        size=4,
    ),
    preset(
        "not shuffled",
        "all cats come before all dogs: what does the walker believe half-way?",
        kind="sorted",
    ),
    preset(
        "drawn with replacement",
        "48 draws from 48 examples: how many cells of a row stay blank?",
        kind="drawn",
    ),
    preset(
        "a short last batch",
        "48 in batches of 10: how long is the last one, and how loud?",
        size=10,
    ),
]


def panel(minibatches: Callable[..., Any] | None) -> Panel:
    """Epochs and mini-batches; see `widgets.sgd.epochs`."""
    presets, kinds = PRESETS, dict(KINDS)
    if minibatches is None:
        kinds.pop("yours")
    else:
        presets = [
            preset(
                "yours",
                "is every cell filled, and does each row look different?",
                kind="yours",
                size=4,
            ),
            *PRESETS[1:3],
            preset(
                "yours, with a rest", "48 in batches of 10: how long is your last one?", size=10
            ),
        ]
    first = "yours" if minibatches else "shuffled"
    return Panel(
        "One epoch after the other",
        compute,
        draw,
        caption,
        [
            choice("kind", "order", first, kinds),
            slider("size", "batch size", 4, 1, 48, 1),
            seed(),
        ],
        presets,
        given=(minibatches,),
    )
