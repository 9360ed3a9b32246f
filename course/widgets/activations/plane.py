"""One neuron as a linear classifier in the plane: the flagship, drawn in the browser.

`static/neuron.js` draws every frame itself; Python computes the field of a student's function, and
the same picture with matplotlib for where no kernel runs. Source: Karatzas, "Linear classifiers";
Rinnert, "Artificial Neuron"; Minsky and Papert (1969) on XOR.
"""

from collections.abc import Callable
from typing import Any

import torch
import traitlets
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from course import data
from course.threads import one_thread

from .. import student
from ..panel import STATIC, Shown, State, preset, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style

REACH, CELLS = 3.0, 41  # the plane is [-3, 3] x [-3, 3], the field 41 x 41; as in neuron.js
RANGES = {"sigmoid": (0, 1), "step": (0, 1), "tanh": (-1, 1), "relu": (-3, 3), "linear": (-3, 3)}
LABELS = {
    "sigmoid": "sigmoid",
    "step": "binary threshold",
    "tanh": "tanh",
    "relu": "ReLU",
    "linear": "linear",
}


def step(z: Tensor) -> Tensor:
    """The binary threshold: 1 where z >= 0, else 0, in the dtype of z."""
    return (z >= 0).to(z.dtype)


def linear(z: Tensor) -> Tensor:
    """g(z) = z."""
    return z


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "step": step,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "linear": linear,
}


def grid() -> Tensor:
    """Where the field is computed: (41, 41, 2), rows from the top down."""
    ticks = torch.linspace(-REACH, REACH, CELLS)
    rows, columns = torch.meshgrid(-ticks, ticks, indexing="ij")
    return torch.stack([columns, rows], -1)


def compute(state: State, f: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The neuron's field, and where the points fall.

    state: points [[x1, x2, class], ...], w (2,), b, g. Returns field (41, 41), or None where the
    student's can't be drawn; z, h (points,), right (points,) bool, and note.
    """
    g = ACTIVATIONS[state["g"]]
    w, b = torch.tensor(state["w"], dtype=torch.float32), float(state["b"])
    points = torch.tensor(state["points"], dtype=torch.float32)
    truth = g((grid() * w).sum(-1) + b)
    field: Tensor | None = truth
    note = ""
    if f is not None:
        got, note = student.call(f, grid(), w, b, g, shape=(CELLS, CELLS))
        field = got
        if got is not None and not note:
            # At the very border of a threshold, rounding may differ.
            differ = float(((got - truth).abs() > 1e-4).double().mean())
            name = student.name_of(f)
            note = (
                f"Your `{name}` agrees with the true field."
                if differ < 0.01
                else f"Your `{name}` differs from the true field in {differ:.0%} of the plane."
            )
    z = (points[:, :2] * w).sum(-1) + b
    return {
        "state": state,
        "field": field,
        "z": z,
        "h": g(z),
        "note": note,
        "right": (z >= 0) == (points[:, 2] == 1),
        "points": points,
    }


def caption(a: Arrays) -> str:
    """The weights, and how many points lie on their side; as in neuron.js."""
    (w1, w2), b = a["state"]["w"], a["state"]["b"]
    right, total = int(a["right"].sum()), len(a["right"])
    ending = "." if right == total else "; the others are ringed."
    sentence = (
        f"w = ({w1:.2f}, {w2:.2f}), b = {b:.2f}: {right} of {total} points lie on their side of "
        f"the line w₁x₁ + w₂x₂ + b = 0{ending}"
    )
    return said(a["note"], sentence)


def draw(figure: Figure, style: Style) -> Update:
    """The plane with field, line and points (cause); the same points on h = g(z) (effect)."""
    plane, response = style.axes(figure, ["the plane of the inputs", "h = g(z) of each point"])
    plane.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="x₁", ylabel="x₂", aspect="equal")
    response.set(xlim=(-5, 5), xlabel="z")
    colours = LinearSegmentedColormap.from_list("plane", [style.blue, style.paper, "#e68c00"])
    response.axvline(0, **style.line("guide"))

    def update(a: Arrays) -> None:
        state, (low, high) = a["state"], RANGES[a["state"]["g"]]
        if a["field"] is not None:
            plane.imshow(
                a["field"].numpy(),
                extent=(-REACH, REACH, -REACH, REACH),
                cmap=colours,
                interpolation="bilinear",
                alpha=0.6,
                vmin=low,
                vmax=high,
            )
        (w1, w2), b = state["w"], state["b"]
        foot = -b / (w1**2 + w2**2)
        plane.axline((foot * w1, foot * w2), (foot * w1 - w2, foot * w2 + w1), color=style.ink)
        plane.annotate(
            "",
            (foot * w1 + 0.6 * w1, foot * w2 + 0.6 * w2),
            (foot * w1, foot * w2),
            arrowprops={"arrowstyle": "->", "color": style.ink, "lw": 2},
        )
        span = torch.linspace(-5, 5, 201)
        response.plot(span, ACTIVATIONS[state["g"]](span), color=style.ink)
        for (x, y, kind), z, h, right in zip(
            a["points"].tolist(), a["z"].tolist(), a["h"].tolist(), a["right"], strict=True
        ):
            look: dict[str, Any] = {
                "marker": "^" if kind else "o",
                "ms": 10,
                "mew": 1 if right else 2.5,
                "mfc": style.orange if kind else style.blue,
                "mec": style.paper if right else style.ink,
            }
            plane.plot(x, y, **look)
            response.plot(max(-5.0, min(5.0, z)), h, **look, clip_on=False)

    return update


def _listed(points: data.plane.Points) -> list[list[float]]:
    """The points as the browser has them: [x1, x2, class], to be dragged by hundredths."""
    x, y = points
    return [[round(a, 2), round(b, 2), k] for (a, b), k in zip(x.tolist(), y.tolist(), strict=True)]


XOR = _listed(data.plane.xor())
GROUPS = _listed(data.plane.groups())
PRESETS = [
    preset(
        "XOR",
        "can you turn and move the line until all four points lie on their side?",
        points=XOR,
        w=[1.2, 1.0],
        b=0.9,
        g="sigmoid",
    ),
    preset(
        "OR",
        "three of the four corners are 1: where must the line go, and what is b's sign?",
        points=_listed(data.plane.either()),
        w=[1.0, -0.4],
        b=0.0,
    ),
    preset(
        "two groups",
        "does another g move the line? What does a longer w change?",
        points=GROUPS,
        w=[1.5, -0.5],
        b=0.0,
    ),
    preset(
        "one stray point",
        "press play and drag the stray point: how far does the line follow?",
        points=[*GROUPS, [2.4, 2.4, 0]],
        w=[1.5, -0.5],
        b=0.0,
    ),
    preset(
        "a ring",
        "is there any line that has the middle on one side?",
        points=_listed(data.plane.ring()),
        w=[0.8, 0.6],
        b=0.6,
    ),
]


class Neuron(Shown):
    """The neuron in the plane; `f` is a student's `neuron(x, w, b, g)` or None."""

    _esm = script("neuron.js")
    _css = STATIC / "panel.css"

    activations = traitlets.List([[key, text] for key, text in LABELS.items()]).tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    given = traitlets.Bool(False).tag(sync=True)  # is there a student's function?
    field = traitlets.Bytes().tag(sync=True)  # its values, float32, (41, 41); empty where None
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, f: Callable[..., Any] | None = None) -> None:
        self._f = f
        super().__init__(
            title="One neuron draws one line",
            presets=PRESETS,
            state=PRESETS[0]["state"],
            given=f is not None,
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Numbers in range; TraitError where something is missing or no number."""
        new = proposal["value"]
        try:
            points = [
                [_within(x, REACH), _within(y, REACH), int(bool(kind))]
                for x, y, kind in new["points"]
            ]
            w1, w2 = new["w"]
            w, b = [_within(w1, 9), _within(w2, 9)], _within(new["b"], 40)
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of a neuron: {error}") from error
        if new.get("g") not in ACTIVATIONS or not points or not any(w):
            raise traitlets.TraitError("needs a known g, at least one point and a w that is not 0")
        return {"points": points, "w": w, "b": b, "g": new["g"]}

    def _follow(self, _change: Any = None) -> None:
        if self._f is None:
            return
        with one_thread():
            arrays = compute(self.state, self._f)
        field = arrays["field"]
        with self.hold_sync():
            self.field = b"" if field is None else field.float().numpy().tobytes()
            self.note = arrays["note"]

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self.state, self._f)
        return Picture(draw, 2, Style()).png(arrays), caption(arrays)


def _within(value: Any, limit: float) -> float:
    return max(-limit, min(limit, float(value)))
