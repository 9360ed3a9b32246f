"""The convolution stepper: a window on its way over a small image, its products and its sum.

After Minhas, "Examples of filters" (the image of ones and tens), "Padding" and "Pooling".
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from torch import Tensor
from torch.nn import functional

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style

SIDE, MOST = 6, 10  # of the image; of the image with its padding
PLACES = 81  # the most that a result has
IMAGE = torch.tensor([[1, 1, 2, 1, 3, 1], [1, 2, 9, 9, 9, 9], [1, 1, 9, 9, 9, 9],
                      [0, 1, 9, 9, 9, 9], [1, 4, 9, 9, 9, 9], [2, 1, 9, 9, 9, 0.0]])  # fmt: skip
CROSS = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]])
LEFT = torch.tensor([[0.0, 0, 0], [1, 0, -1], [0, 0, 0]])
CORNER = torch.tensor([[2.0, 0], [0, -1]])
OPERATIONS = {
    "cross": "correlate with a cross",
    "left": "correlate with left less right",
    "turned": "convolve with left less right",
    "corner": "correlate with 2 by 2",
    "max": "maximum of 2 by 2",
    "mean": "mean of 2 by 2",
}
KERNELS = {"cross": CROSS, "left": LEFT, "turned": LEFT, "corner": CORNER}
CALLED = {"cross": "correlate2d", "left": "correlate2d", "turned": "convolve2d",
          "corner": "correlate2d", "max": "max_pool2d", "mean": "avg_pool2d"}  # fmt: skip


def truth(operation: str, wide: Tensor, stride: int) -> Tensor:
    """The result (rows, columns) by torch's own functions; wide: the image with its padding."""
    x = wide[None, None]
    if operation == "max":
        return functional.max_pool2d(x, 2, stride)[0, 0]
    if operation == "mean":
        return functional.avg_pool2d(x, 2, stride)[0, 0]
    weights = KERNELS[operation]
    weights = weights.rot90(2) if operation == "turned" else weights
    return functional.conv2d(x, weights[None, None], stride=stride)[0, 0]


def compute(state: State, functions: Sequence[Callable[..., Any]] = ()) -> dict[str, Any]:
    """The window at its place.

    state: operation, pad, stride, step. wide (n, n) the padded image; at: first pixel of the
    window; window, weights, products (k, k); result (rows, columns); done: sums made so far;
    wrong (rows, columns) where yours differs; note.
    """
    operation, pad, stride = state["operation"], int(state["pad"]), int(state["stride"])
    pad = 0 if operation in ("max", "mean") else pad
    wide = functional.pad(IMAGE, (pad,) * 4)
    result = truth(operation, wide, stride)
    rows, columns = result.shape
    done = max(1, min(int(state["step"]), rows * columns))
    i, j = divmod(done - 1, columns)
    pool = operation in ("max", "mean")
    weights = torch.ones(2, 2) if pool else KERNELS[operation]
    weights = weights.rot90(2) if operation == "turned" else weights
    k = len(weights)
    window = wide[i * stride : i * stride + k, j * stride : j * stride + k]
    wrong, note = torch.zeros(rows, columns, dtype=torch.bool), ""
    for f in functions:
        if student.name_of(f) == CALLED[operation]:
            wrong, note = _yours(f, operation, wide, stride, result)
    return {
        "wide": wide, "pad": pad, "at": (i * stride, j * stride), "window": window,
        "weights": weights, "products": window * weights, "pool": pool, "result": result,
        "done": done, "place": (i, j), "wrong": wrong, "note": note, "operation": operation,
    }  # fmt: skip


def _yours(
    f: Callable[..., Any], operation: str, wide: Tensor, stride: int, want: Tensor
) -> tuple[Tensor, str]:
    """Where a student's result differs, and what to say of it."""
    if operation in ("max", "mean"):
        got, note = student.call(f, wide, 2, stride, shape=tuple(want.shape))
    else:
        k = len(KERNELS[operation])
        places = tuple(n - k + 1 for n in wide.shape)
        got, note = student.call(f, wide, KERNELS[operation], shape=places)
        got = got[::stride, ::stride] if got is not None else None
    note = note.replace("the dashed line is what it should do", "drawn is what it should do")
    if got is None:
        return torch.zeros(want.shape, dtype=torch.bool), note
    wrong = ~torch.isclose(got, want.double(), atol=1e-4)
    count, name = int(wrong.sum()), student.name_of(f)
    how = f"differs in {count} (crossed out)" if count else f"is right in all {want.numel()} places"
    return wrong, note or f"Your `{name}` {how}."


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def draw(figure: Figure, style: Style) -> Update:
    """Image and window (cause); products; result so far (effect)."""
    from_, between, to = style.axes(
        figure, ["image, with its padding", "window × weights", "result so far"], (1, 0.62, 1)
    )
    for ax in (from_, between, to):
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)
    shade = LinearSegmentedColormap.from_list("shade", [style.paper, style.blue])
    signed = LinearSegmentedColormap.from_list("signed", [style.orange, style.paper, style.blue])
    shaded: dict[str, Any] = {"interpolation": "nearest", "alpha": 0.6}
    # The image changes with its padding alone, and with that its axes: it is drawn once for each.
    picture = from_.imshow(np.zeros((1, 1)), cmap=shade, vmin=0, vmax=16, **shaded)
    results = to.imshow(np.zeros((1, 1)), cmap=signed, vmin=-20, vmax=20, animated=True, **shaded)
    font: dict[str, Any] = {"ha": "center", "va": "center", "color": style.ink, "size": 8.5}
    pixels = [from_.text(0, 0, "", **font) for _ in range(MOST**2)]
    font["animated"] = True
    terms = [between.text(0, 0, "", **font) for _ in range(9)]
    sums = [to.text(0, 0, "", **font) for _ in range(PLACES)]
    total = between.text(0, 0, "", **{**font, "size": 10, "weight": "bold"})
    line: dict[str, Any] = {"fill": False, "ec": style.ink, "lw": 1, "animated": True}
    box = line | {"ec": style.orange, "lw": 2.6}
    image = Rectangle((0, 0), SIDE, SIDE, **line | {"animated": False})
    table = Rectangle((-0.5, -0.5), 1, 1, **line | {"ec": style.muted})
    window, target = Rectangle((0, 0), 3, 3, **box), Rectangle((0, 0), 1, 1, **box)
    for ax, patch in ((from_, image), (to, table), (from_, window), (to, target)):
        ax.add_patch(patch)
    crosses = to.plot([], [], "x", ms=15, mew=2.2, color=style.ink, animated=True)[0]
    between.set(xlim=(-0.6, 2.6), ylim=(3.6, -0.6))

    drawn: list[list[str]] = []

    def write(cells: list[Text], grid: list[list[str]]) -> None:
        flat = [(x, y, words) for y, row in enumerate(grid) for x, words in enumerate(row)]
        for cell, (x, y, words) in zip(cells, flat, strict=False):
            cell.set(position=(x, y), text=words, visible=True)
        for cell in cells[len(flat) :]:
            cell.set_visible(False)

    def update(a: Arrays) -> None:
        wide, result, (down, right), (i, j) = a["wide"], a["result"], a["at"], a["place"]
        n, (rows, columns), k = len(wide), result.shape, len(a["weights"])
        from_.set(xlim=(-0.6, n - 0.4), ylim=(n - 0.4, -0.6), aspect="equal")
        to.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
        picture.set(data=wide.numpy(), extent=(-0.5, n - 0.5, n - 0.5, -0.5))
        image.set_xy((a["pad"] - 0.5, a["pad"] - 0.5))
        table.set(width=columns, height=rows)
        window.set(xy=(right - 0.5, down - 0.5), width=k, height=k)
        target.set_xy((j - 0.5, i - 0.5))
        if n != len(drawn):
            drawn[:] = [[_short(v) for v in row] for row in wide.tolist()]
            write(pixels, drawn)
        term = "{}" if a["pool"] else "{}×{}"
        pairs = zip(a["window"].tolist(), a["weights"].tolist(), strict=True)
        write(
            terms,
            [[term.format(*map(_short, xw)) for xw in zip(*both, strict=True)] for both in pairs],
        )
        kind = {"max": "maximum", "mean": "mean"}.get(a["operation"], "sum")
        total.set(position=((k - 1) / 2, k), text=f"{kind}: {_short(float(result[i, j]))}")
        shown = result.flatten().clone()
        shown[a["done"] :] = torch.nan
        shown = shown.reshape(rows, columns)
        results.set(data=shown.numpy(), extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))
        write(sums, [["" if v != v else _short(v) for v in row] for row in shown.tolist()])
        where = a["wrong"].nonzero()
        trace(crosses, where[:, 1], where[:, 0])

    return update


def caption(state: State, a: Arrays) -> str:
    """The size of the result, and the sum at this place."""
    (rows, columns), (i, j) = a["result"].shape, a["place"]
    n, k, value = SIDE, len(a["weights"]), _short(float(a["result"][i, j]))
    padding = "" if a["pool"] else f" with padding {a['pad']}"
    sentence = (
        f"{n} × {n} pixels{padding}, window {k} × {k}, stride {int(state['stride'])}: "
        f"{rows} × {columns} places. Place {a['done']} of {rows * columns}, "
        f"row {i}, column {j}: {value}."
    )
    return said(a["note"], sentence)


PRESETS = [
    preset(
        "half a turn",
        "correlation here; which numbers change if the kernel is turned (convolution)?",
        operation="left", pad=0, stride=1, step=6,
    ),
    preset(
        "a cross",
        "this kernel looks the same after half a turn: does convolution differ?",
        operation="cross", pad=0, stride=1, step=16,
    ),
    preset(
        "padding",
        "zeros around: which places of the result do they change, and in which direction?",
        operation="left", pad=1, stride=1, step=36,
    ),
    preset(
        "stride 2",
        "every second place: how many of the 6 rows and columns are left?",
        operation="cross", pad=1, stride=2, step=9,
    ),
]  # fmt: skip
POOLS = [
    preset(
        "maximum",
        "of four numbers one is left: where does a 0 survive?",
        operation="max", stride=2, step=9,
    ),
    preset("mean", "and if the mean is taken?", operation="mean", stride=2, step=9),
    preset(
        "overlapping",
        "windows of 2, one pixel apart: how many places are there now?",
        operation="max", stride=1, step=25,
    ),
    preset(
        "gaps",
        "stride 3 is more than the window: which pixels are never looked at?",
        operation="max", stride=3, step=4,
    ),
]  # fmt: skip


def panel(functions: Sequence[Callable[..., Any]]) -> Panel:
    """The convolution stepper; see `widgets.cnn.stepper`."""
    names = {student.name_of(f) for f in functions}
    options = {op: text for op, text in OPERATIONS.items() if not names or CALLED[op] in names}

    pools = bool(names) and names <= {"max_pool2d", "avg_pool2d"}
    options = options or OPERATIONS
    kernels = [op for op in options if op in KERNELS]
    return Panel(
        "A window on its way",
        compute,
        draw,
        caption,
        [
            choice("operation", "operation", next(iter(options)), options),
            slider("pad", "padding", 0, 0, 2, 1, when=("operation", kernels)),
            slider("stride", "stride", 1, 1, 3, 1),
            slider("step", "place", 1, 1, PLACES, 1, play=350),
        ],
        POOLS if pools else PRESETS,
        given=(functions,),
        views=3,
    )
