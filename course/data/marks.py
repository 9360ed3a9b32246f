"""Small marks scattered over an image, and where one kind of them stands: a detector's task.

After the "+" detector of Minhas, "Now the interesting question" to "Results".
"""

from typing import NamedTuple

import torch
from torch import Tensor

SIDE, CELL = 32, 5
KINDS = {
    "+": (".#.", "###", ".#."),
    "×": ("#.#", ".#.", "#.#"),
    "—": ("...", "###", "..."),
    "|": (".#.", ".#.", ".#."),
    "□": ("###", "#.#", "###"),
    "·": ("...", ".#.", "..."),
}


class Marks(NamedTuple):
    """An image (32, 32) with marks of 3 by 3, and a target (30, 30): 1 where the wanted kind is.

    The target has the size of a 3 by 3 correlation: its [i, j] is the middle of the window whose
    first pixel is [i, j] of the image. Both float32.
    """

    image: Tensor
    target: Tensor


def scatter(wanted: str = "+", noise: float = 0.1, seed: int = 0) -> Marks:
    """Marks of all `KINDS` at random places that don't touch; `noise` is a standard deviation."""
    generator = torch.Generator().manual_seed(seed)
    cells = SIDE // CELL
    order = torch.randperm(cells * cells, generator=generator).tolist()
    image, target = torch.zeros(SIDE, SIDE), torch.zeros(SIDE - 2, SIDE - 2)
    for number, cell in enumerate(order[: 4 * len(KINDS)]):
        kind = list(KINDS)[number % len(KINDS)]
        at = (CELL * torch.tensor(divmod(cell, cells))).tolist()
        down, right = (a + int(torch.randint(0, 3, (), generator=generator)) for a in at)
        drawn = torch.tensor([[float(c == "#") for c in row] for row in KINDS[kind]])
        image[down : down + 3, right : right + 3] = drawn
        target[down, right] = float(kind == wanted)
    return Marks(image + noise * torch.randn(SIDE, SIDE, generator=generator), target)
