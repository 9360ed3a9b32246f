"""The overflow explorer: logits, the walls of three number formats, what softmax makes of them.

`static/overflow.js` draws every frame itself; Python computes what a student's function answers,
and the same picture with matplotlib for where no kernel runs. Source: Karatzas, "SoftMax -
numerical stability"; Blanchard, Higham and Higham (2021).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.threads import one_thread

from .. import student
from ..panel import STATIC, Shown, State, preset, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style, minus, number

FORMATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
REACH = 1000.0  # logits lie in [-1000, 1000]; as in overflow.js
BEND = 8.0  # the long line is drawn by asinh(z / 8): equal steps near 0, equal factors far out


def walls(name: str) -> tuple[float, float, float]:
    """Where exp(z) is 0 (below the first), subnormal (below the second), inf (above the third)."""
    about = torch.finfo(FORMATS[name])
    # Half of the smallest number above 0 is rounded to 0.
    smallest = math.log(about.smallest_normal) + math.log(about.eps) - math.log(2)
    return smallest, math.log(about.smallest_normal), math.log(about.max)


def naive(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the formula as it stands gives in the dtype of x (3,): exponentials, sum, result."""
    powers = x.exp()
    total = powers.sum()
    return powers, total, powers / total


def verdict(p: Tensor, truth: Tensor) -> str:
    """`right`, `wrong` (and nothing tells), or `nan`."""
    if bool(p.isnan().any()):
        return "nan"
    return "right" if bool(((p.double() - truth).abs() < 0.01).all()) else "wrong"


def compute(state: State, f: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Naive and stable softmax of three logits in each format.

    state: logits [z1, z2, z3], format. Returns the state, and by format: truth (3,) float64 (of the
    logits as that format holds them), exp, sum, naive, stable, verdict; yours (3,) or None, note.
    """
    arrays: dict[str, Any] = {"state": state, "yours": None, "note": "", "formats": {}}
    for name, dtype in FORMATS.items():
        x = torch.tensor(state["logits"], dtype=torch.float64).to(dtype)
        powers, total, p = naive(x)
        truth = x.double().softmax(0)
        arrays["formats"][name] = {
            "truth": truth,
            "exp": powers,
            "sum": total,
            "naive": p,
            "stable": x.softmax(0),
            "verdict": verdict(p, truth),
        }
    if f is not None:
        x = torch.tensor(state["logits"], dtype=torch.float64).to(FORMATS[state["format"]])
        got, note = student.call(f, x, shape=(3,))
        truth = arrays["formats"][state["format"]]["truth"]
        if got is not None and not note:
            tol = 5e-3 if state["format"] == "float16" else 1e-4
            note = student.compared(f, got, truth, tol)
        arrays |= {
            "yours": got,
            "note": note.replace("lies on the dashed line", "lies on the dashed truth"),
        }
    return arrays


def _list(p: Tensor) -> str:
    return "(" + ", ".join(_short(float(v)) for v in p) + ")"


def _short(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return "inf" if math.isinf(value) else number(value)


def caption(a: Arrays) -> str:
    """The largest exponential, the sum, and what comes out; as in overflow.js."""
    state = a["state"]
    here, (low, _, high) = a["formats"][state["format"]], walls(state["format"])
    top = max(state["logits"])
    what = {"right": "right", "nan": "broken", "wrong": "wrong, and no nan tells"}[here["verdict"]]
    sentence = (
        f"{state['format']}: the largest logit is {top:.1f}, its exponential "
        f"{_short(float(here['exp'].max()))}, the sum {_short(float(here['sum']))}. Naive softmax: "
        f"{_list(here['naive'])}, {what}; stable: {_list(here['stable'])}. In this "
        f"format one logit above {high:.2f}, or all below {low:.2f}, give nan."
    )
    return said(a["note"], minus(sentence))


def bend(z: Any) -> Any:
    """Place of z on the long line."""
    return np.arcsinh(np.asarray(z, dtype=float) / BEND)


def draw(figure: Figure, style: Style) -> Update:
    """The three lines with their walls (cause); the bars of the format chosen (effect)."""
    lines, bars = style.axes(
        figure, ["cause: where is exp(z) a number?", "effect: the probabilities"], (5, 4)
    )
    lines.set(xlim=bend([-REACH, REACH]), ylim=(-0.7, 2.7), xlabel="z")
    ticks = [-1000, -100, -10, 0, 10, 100, 1000]
    lines.set_xticks(bend(ticks), [str(t) for t in ticks])
    lines.set_yticks([2, 1, 0], list(FORMATS))
    lines.grid(visible=False)
    bars.set(ylim=(0, 1.05), xlim=(-0.6, 2.6))
    bars.set_xticks([0, 1, 2], ["1", "2", "3"])

    def update(a: Arrays) -> None:
        state = a["state"]
        for row, name in zip((2, 1, 0), FORMATS, strict=True):
            low, thin, high = bend(walls(name))
            left, right = bend([-REACH, REACH])
            lines.fill_betweenx([row - 0.28, row + 0.28], left, low, color=style.muted, alpha=0.35)
            lines.fill_betweenx([row - 0.28, row + 0.28], low, thin, color=style.blue, alpha=0.12)
            lines.fill_betweenx([row - 0.28, row + 0.28], thin, high, color=style.blue, alpha=0.3)
            lines.fill_betweenx(
                [row - 0.28, row + 0.28], high, right, color=style.orange, alpha=0.45
            )
            lines.plot(bend(state["logits"]), [row] * 3, "o", color=style.ink, ms=6)
            said = a["formats"][name]["verdict"]
            lines.text(left, row + 0.32, f"naive: {said}", size=7.5, color=style.ink)
        here = a["formats"][state["format"]]
        given = bool(a["note"])
        shown = a["yours"] if given else here["naive"].double()
        if shown is None:
            shown = torch.zeros(3)
        bars.bar(
            [-0.15, 0.85, 1.85],
            shown.nan_to_num(0.0).tolist(),
            0.3,
            color=style.blue,
            label="yours" if given else "naive",
        )
        bars.bar(
            [0.17, 1.17, 2.17], here["stable"].tolist(), 0.22, color=style.green, label="stable"
        )
        bars.bar(
            [0, 1, 2],
            here["truth"].tolist(),
            0.74,
            fill=False,
            edgecolor=style.ink,
            ls="--",
            label="truth",
        )
        for i, value in enumerate(shown.tolist()):
            if math.isnan(value):
                bars.text(i - 0.15, 0.03, "nan", color=style.orange, ha="center", weight="bold")
        style.legend(bars, loc="upper left")

    return update


PRESETS = [
    preset(
        "half precision",
        "12 is no large logit. Which of the three formats can't take it, and "
        "how much further can the others be pushed?",
        logits=[10.0, 11.0, 12.0],
        format="float16",
    ),
    preset(
        "the slide's numbers",
        "which of Karatzas's three logits are beyond a wall of float64?",
        logits=[20.0, 134.0, 854.0],
        format="float64",
    ),
    preset(
        "silent",
        "all exponentials are finite, so what can still overflow?",
        logits=[10.8, 10.9, 11.0],
        format="float16",
    ),
    preset(
        "off the left end",
        "does it matter if some exponentials are 0, or only if all are?",
        logits=[-748.0, -747.0, -746.5],
        format="float64",
    ),
    preset(
        "coarse grains",
        "in the pale zone a number has few digits left: what does that do to the bars?",
        logits=[-103.4, -102.9, -102.4],
        format="float32",
    ),
]


class Overflow(Shown):
    """Logits between walls; `f` is a student's softmax or None."""

    _esm = script("overflow.js")
    _css = STATIC / "panel.css"

    walls = traitlets.Dict({name: list(walls(name)) for name in FORMATS}).tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    given = traitlets.Unicode().tag(sync=True)  # the name of the student's function
    # Its three values as text (JSON has no nan); empty where there are none.
    yours: traitlets.List = traitlets.List().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, f: Callable[..., Any] | None = None) -> None:
        self._f = f
        super().__init__(
            title="Logits between two walls",
            presets=PRESETS,
            state=dict(PRESETS[0]["state"]),
            given=student.name_of(f) if f else "",
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Three logits in range and a known format; TraitError where something is missing."""
        new = proposal["value"]
        try:
            asked = [float(z) for z in new["logits"]]
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of the explorer: {error}") from error
        if len(asked) != 3 or any(map(math.isnan, asked)) or new.get("format") not in FORMATS:
            raise traitlets.TraitError("needs three logits and one of the formats")
        return {"logits": [max(-REACH, min(REACH, z)) for z in asked], "format": new["format"]}

    def _follow(self, _change: Any = None) -> None:
        if self._f is None:
            return
        with one_thread():
            arrays = compute(self.state, self._f)
        with self.hold_sync():
            yours = arrays["yours"]
            self.yours = [] if yours is None else [repr(float(v)) for v in yours]
            self.note = arrays["note"]

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self.state, self._f)
        return Picture(draw, 2, Style()).png(arrays), caption(arrays)
