"""Attention as pulls: a query, keys and values in the plane, by hand.

`static/pulls.js` draws every frame itself; Python computes what a student's function answers, and
the same picture with matplotlib for where no kernel runs. Source: Minhas, "General Attention
Building Blocks", "Non-learnable attention", "Learnable Attention as (asymmetric, non-Mercer) kernel
transformations".
"""

import math
from collections.abc import Callable
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course.threads import one_thread

from .. import student
from ..panel import STATIC, Shown, State, preset, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style

REACH, MOST = 3.0, 3.0  # the plane is [-3, 3]^2, theta lies in [0, 3]; as in pulls.js
KERNELS = {
    "rbf": "RBF: exp(−θ² ‖q − k‖²)",
    "dot": "dot product: exp(2θ² q·k)",
    "turned": "asymmetric: exp(2θ² (qW)·k)",
    "square": "polynomial: (q·k)²",
}
TURN = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)  # W: a quarter turn to the left

SPREAD = [[-1.6, 1.4], [0.7, 2.4], [2.1, 0.3], [-1.6, -2.2], [-0.4, -0.6]]
CIRCLE = [[round(2 * math.cos(a), 2), round(2 * math.sin(a), 2)] for a in (0.4, 1.5, 2.4, 3.9, 5.3)]
APART = [[2.2, 2.2], [-2.2, 2.0], [-2.0, -2.2], [0.0, 0.4], [2.2, -2.0]]


def strengths(name: str, theta: float, q: Tensor, k: Tensor) -> Tensor:
    """Logarithm of the kernel: q (n, 2), k (m, 2), returns (n, m)."""
    if name == "rbf":
        return -(theta**2) * torch.stack([((q - one) ** 2).sum(1) for one in k], 1)
    if name == "square":
        return 2 * (q @ k.T).abs().log()
    return 2 * theta**2 * (q @ TURN if name == "turned" else q) @ k.T


def compute(state: State, f: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Shares and star of one state.

    state: q [x, y], keys and values [[x, y]] * 5, seen [bool] * 5, kernel, theta, tied. shares
    (5,), star (2,), yours (2,) or None, note.
    """
    q = torch.tensor([state["q"]], dtype=torch.float64)
    k, v = (torch.tensor(state[n], dtype=torch.float64) for n in ("keys", "values"))
    seen = torch.tensor(state["seen"])
    s = strengths(state["kernel"], state["theta"], q, k)[0]
    top = s[seen].max() if bool(seen.any()) else torch.tensor(-math.inf)
    # Nothing to look at, or a kernel that is 0 everywhere: no pull at all.
    some = bool(top.isfinite())
    raw = torch.where(seen, (s - top).exp(), 0.0) if some else torch.zeros(5, dtype=s.dtype)
    shares = raw / raw.sum() if some else raw
    arrays: dict[str, Any] = {
        "state": state,
        "shares": shares,
        "star": shares @ v,
        "yours": None,
        "note": "",
    }
    if f is not None:
        arrays["yours"], arrays["note"] = _yours(f, state, q, k, v, arrays["star"])
    return arrays


def _yours(
    f: Callable[..., Any], state: State, q: Tensor, k: Tensor, v: Tensor, star: Tensor
) -> tuple[Tensor | None, str]:
    name, theta = student.name_of(f), float(state["theta"])
    if name == "rbf_attention":
        if state["kernel"] != "rbf" or not state["tied"] or not all(state["seen"]):
            return None, f"`{name}` knows the RBF kernel, and values that are the keys, all seen."
        got, note = student.against(star[None], f, q, k, theta)
    else:

        def kernel(q: Tensor, k: Tensor) -> Tensor:
            return strengths(state["kernel"], theta, q, k).exp()

        mask = torch.tensor([state["seen"]])
        got, note = student.against(star[None], f, q, k, v, kernel, mask)
    note = note.replace("the dashed line is what it should do", "the star is where it should be")
    note = note.replace("lies on the dashed line", "lands on the star")
    return None if got is None else got[0], note.replace("the dashed line", "the star")


def caption(a: Arrays) -> str:
    """Who pulls most, and where the star is; as in pulls.js."""
    state, shares = a["state"], a["shares"]
    what = KERNELS[state["kernel"]].split(":")[0]
    if not float(shares.sum()):
        sentence = f"{what}: nothing has any weight, so the star is at 0, by definition."
    else:
        order = sorted(range(5), key=lambda i: -float(shares[i]))
        first, second = (f"key {i + 1} {_percent(shares[i])}" for i in order[:2])
        x, y = (f"{float(c):.2f}".replace("-0.00", "0.00") for c in a["star"])
        sentence = (
            f"{what}, θ = {state['theta']:.2f}: {first}, then {second}; the star is at ({x}, {y}), "
            "where all pulls add up to 0."
        ).replace("-", "−")
    return said(a["note"], sentence)


def _percent(share: Tensor) -> str:
    return f"{math.floor(100 * float(share) + 0.5)} %"


def field(state: State, cells: int) -> Tensor:
    """How alike a key at each place of the plane would be to the query, over the largest there."""
    line = torch.linspace(-REACH, REACH, cells, dtype=torch.float64)
    places = torch.cartesian_prod(line.flip(0), line).flip(1)
    q = torch.tensor([state["q"]], dtype=torch.float64)
    s = strengths(state["kernel"], state["theta"], q, places)[0]
    return (s - s.max()).exp().nan_to_num().reshape(cells, cells)


def pulls(star: Tensor, shares: Tensor, values: Tensor) -> Tensor:
    """Tips (5, 2) of the arrows: share times distance, the longest drawn 1.2 long."""
    arrows = shares[:, None] * (values.to(star) - star)
    return star + arrows * (1.2 / arrows.norm(dim=1).max().clamp(min=0.02))


def draw(figure: Figure, style: Style) -> Update:
    """Query, keys and kernel (cause); values, pulls and star (effect)."""
    left, right = style.axes(
        figure, ["cause: who is like the query?", "effect: values pull at the star"]
    )
    for ax in (left, right):
        ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")

    def update(a: Arrays) -> None:
        ends = pulls(a["star"], a["shares"], torch.tensor(a["state"]["values"])).tolist()
        state, box = a["state"], (-REACH, REACH, -REACH, REACH)
        shade = style.blue
        for level in (0.1, 0.3, 0.5, 0.7, 0.9):
            left.contour(
                field(state, 41).flip(0).numpy(), [level], extent=box, colors=[shade], alpha=level
            )
        (x, y), star = state["q"], a["star"].tolist()
        for i, share in enumerate(a["shares"].tolist()):
            (kx, ky), (vx, vy) = state["keys"][i], state["values"][i]
            mark = style.blue if state["seen"][i] else style.muted
            left.plot([x, kx], [y, ky], color=style.ink, lw=0.5 + 8 * share, alpha=0.5)
            left.plot(kx, ky, "o", color=mark, ms=11)
            left.text(kx + 0.22, ky + 0.12, f"{i + 1}: {_percent(a['shares'][i])}", size=8,
                      color=style.ink)  # fmt: skip
            right.plot([star[0], vx], [star[1], vy], color=style.muted, lw=0.8, ls=":")
            right.annotate(
                "",
                ends[i],
                star,
                arrowprops={"arrowstyle": "->", "color": style.ink, "lw": 1.6},
            )
            right.plot(vx, vy, "s", color=style.green if state["seen"][i] else style.muted, ms=9)
            right.text(vx + 0.2, vy + 0.12, str(i + 1), size=8, color=style.ink)
        left.plot(x, y, "D", color=style.orange, ms=11)
        right.plot(*star, "*", color=style.orange, ms=17, zorder=5)
        if a["yours"] is not None:
            right.plot(*a["yours"].tolist(), "o", mfc="none", mec=style.ink, ms=19, mew=1.8)

    return update


_START: State = {
    "q": [-0.8, -1.1],
    "keys": SPREAD,
    "values": SPREAD,
    "seen": [True] * 5,
    "kernel": "rbf",
    "theta": 0.6,
    "tied": True,
}
PRESETS = [
    preset(
        "near",
        "take the query to the right edge, far from all keys: does the star go to the middle "
        "of the keys, or to one of them?",
        **_START,
    ),
    preset(
        "alike in direction",
        "only the kernel has changed: which key gets the most now, and what happens when the query "
        "goes twice as far out?",
        **_START | {"kernel": "dot"},
    ),
    preset(
        "looks elsewhere",
        "the matrix W turns the query to the left before it is compared: put it onto a key. "
        "Does that key get the most?",
        **_START | {"kernel": "turned", "q": [1.0, -0.6]},
    ),
    preset(
        "one circle",
        "all keys are 2 away from 0. Switch from RBF to dot product and back: what moves? "
        "Then pull one key off the circle?",
        **_START | {"keys": CIRCLE, "values": CIRCLE, "q": [0.6, 1.1]},
    ),
    preset(
        "values of their own",
        "the query chooses by keys, the star goes by values: where must the query go to "
        "bring the star to value 3?",
        **_START | {"values": APART, "tied": False, "q": [0.3, 0.4]},
    ),
]


class Pulls(Shown):
    """Query, keys and values in the plane; `f` is a student's attention or None."""

    _esm = script("pulls.js")
    _css = (STATIC / "panel.css").read_text() + (STATIC / "pulls.css").read_text()

    kernels = traitlets.List([list(pair) for pair in KERNELS.items()]).tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    yours: traitlets.List = traitlets.List().tag(sync=True)  # [x, y], or empty
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, f: Callable[..., Any] | None = None) -> None:
        self._f = f
        start = 4 if f is not None and student.name_of(f) != "rbf_attention" else 0
        super().__init__(
            title="Attention as pulls", presets=PRESETS, state=dict(PRESETS[start]["state"])
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Places within the plane and a known kernel; TraitError where something is missing."""
        new = proposal["value"]
        try:
            state = {
                "q": _place(new["q"]),
                **{n: [_place(p) for p in new[n]] for n in ("keys", "values")},
                "seen": [bool(s) for s in new["seen"]],
                "kernel": new["kernel"],
                "theta": min(MOST, max(0.0, _number(new["theta"]))),
                "tied": bool(new["tied"]),
            }
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of this widget: {error}") from error
        if {len(state[n]) for n in ("keys", "values", "seen")} != {5}:
            raise traitlets.TraitError("needs five keys, five values and whether each is seen")
        if state["kernel"] not in KERNELS:
            raise traitlets.TraitError(f"needs one of the kernels {', '.join(KERNELS)}")
        return state

    def _follow(self, _change: Any = None) -> None:
        if self._f is None:
            return
        with one_thread():
            arrays = compute(self.state, self._f)
        got = arrays["yours"]
        with self.hold_sync():
            self.yours = [] if got is None or not bool(got.isfinite().all()) else got.tolist()
            self.note = arrays["note"]

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self.state, self._f)
        return Picture(draw, 2, Style()).png(arrays), caption(arrays)


def _place(point: Any) -> list[float]:
    x, y = (min(REACH, max(-REACH, _number(c))) for c in point)
    return [x, y]


def _number(value: Any) -> float:
    if math.isnan(number := float(value)):
        raise ValueError("not a number")
    return number
