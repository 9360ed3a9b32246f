"""The outlier: a line fitted under four regression losses while one point moves away.

Source: Karatzas, "Loss functions for regression", "Regression vs Classification".
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update, trace
from ..style import Style

POINTS, REACH, STEPS = 14, 9.0, 40
R = torch.linspace(-REACH, REACH, 161, dtype=torch.float64)
ENDS = (-6.0, 6.0)  # of the lines, in x
COIN = 0.6931471805599453  # log 2
NAMES = {"mse": "MSE", "mae": "MAE", "huber": "Huber", "log_cosh": "log-cosh"}

# Torch's own, one loss a residual; log-cosh by way of a coin that may fall either way.
LOSSES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "mse": lambda r, d: F.mse_loss(r, torch.zeros_like(r), reduction="none"),
    "mae": lambda r, d: F.l1_loss(r, torch.zeros_like(r), reduction="none"),
    "huber": lambda r, d: F.huber_loss(r, torch.zeros_like(r), reduction="none", delta=d),
    "log_cosh": lambda r, d: F.binary_cross_entropy_with_logits(
        2 * r, torch.full_like(r, 0.5), reduction="none"
    ).sub(COIN),
}


def slope(kind: str, r: Tensor, delta: float) -> Tensor:
    """Slope of a loss at the residuals r (n,), by autograd."""
    leaf = r.detach().clone().requires_grad_()
    return torch.autograd.grad(LOSSES[kind](leaf, delta).sum(), leaf)[0]


@lru_cache(maxsize=1)
def points() -> tuple[Tensor, Tensor]:
    """x, y (14,) near the line y = x / 2, the same every time."""
    generator = torch.Generator().manual_seed(4)
    x = torch.linspace(-4, 4, POINTS, dtype=torch.float64)
    return x, 0.5 * x + 0.35 * torch.randn(POINTS, generator=generator, dtype=torch.float64)


def fit(kind: str, x: Tensor, y: Tensor, delta: float) -> Tensor:
    """Intercept and slope (2,) of the line with the least loss.

    By weighted least squares, again and again: each residual r counts with loss'(r) / r.
    """
    design = torch.stack([torch.ones_like(x), x], 1)
    line = torch.linalg.lstsq(design, y[:, None]).solution[:, 0]
    if kind == "mse":
        return line
    for _ in range(STEPS):
        r = design @ line - y
        r = torch.where(r.abs() < 1e-4, torch.full_like(r, 1e-4), r)
        weight = slope(kind, r, delta) / r
        last = line
        line = torch.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (weight * y))
        if torch.allclose(line, last, rtol=0, atol=1e-9):
            break
    return line


def compute(state: State, losses: Sequence[Callable[..., Any]] = ()) -> dict[str, Any]:
    """Points, fitted lines and loss curves.

    state: kind, x, y (the outlier), delta. Returns x, y (15,), the outlier last; lines {"mse" and
    kind: (2,)}; clean (2,): the line without the outlier; curve, slope (161,) of the loss over R;
    r, pull: the outlier's residual and how hard it pulls; share: its part of all pulls;
    yours (161,) or None, notes.
    """
    kind, delta = state["kind"], float(state["delta"])
    x, y = points()
    x = torch.cat([x, torch.tensor([float(state["x"])], dtype=x.dtype)])
    y = torch.cat([y, torch.tensor([float(state["y"])], dtype=y.dtype)])
    lines = {name: fit(name, x, y, delta) for name in dict.fromkeys(["mse", kind])}
    r = lines[kind][0] + lines[kind][1] * x - y
    pulls = slope(kind, r, delta).abs()
    arrays: dict[str, Any] = {
        "kind": kind,
        "x": x,
        "y": y,
        "lines": lines,
        "curve": LOSSES[kind](R, delta),
        "slope": slope(kind, R, delta),
        "r": float(r[-1]),
        "pull": float(pulls[-1]),
        "share": float(pulls[-1] / pulls.sum()),
        "clean": fit("mse", *points(), delta),
        "yours": None,
        "notes": [],
    }
    for f in losses:
        if student.name_of(f) == kind:
            arrays["yours"], note = _curve(f, *([delta] if kind == "huber" else []))
            if arrays["yours"] is not None and not note:
                note = student.compared(f, arrays["yours"], arrays["curve"])
            arrays["notes"].append(note)
    return arrays


@lru_cache(maxsize=8)  # moving the outlier does not change it
def _curve(f: Callable[..., Any], *extra: float) -> student.Outcome:
    """The student's loss of each residual in R, or None and why not."""
    values, said = [], ""
    for r in R:
        got, note = student.call(f, r[None], torch.zeros(1, dtype=R.dtype), *extra, shape=())
        said = said or note
        if got is None:
            return None, note
        values.append(got)
    return torch.stack(values), said


def draw(figure: Figure, style: Style) -> Update:
    """Points and fitted lines (effect of the outlier); the loss and its slope over the residual."""
    plane, curve, pull = style.axes(
        figure,
        ["points, and the line of least loss", "loss of a residual r", "its slope"],
        (3, 2, 2),
    )
    plane.set(xlim=(-6.2, 6.2), ylim=(-8.2, 8.2), xlabel="x")
    for ax in (curve, pull):
        ax.set(xlim=(-REACH, REACH), xlabel="r = ŷ − y")
        ax.axhline(0, color=style.muted, lw=0.8)
    dots = plane.plot([], [], "o", ms=5, color=style.ink, animated=True)[0]
    far = plane.plot([], [], animated=True, **style.point())[0]
    before = plane.plot([], [], animated=True, **style.line("guide"))[0]
    others = plane.plot([], [], animated=True, color=style.green, lw=1.4, ls="-.")[0]
    line = plane.plot([], [], animated=True, **style.line("curve"))[0]
    stick = plane.plot([], [], animated=True, **style.line("tangent"))[0]
    yours = curve.plot([], [], animated=True, **style.line("curve"))[0]
    truth = curve.plot([], [], animated=True, **style.line("truth"))[0]
    steep = pull.plot([], [], animated=True, **style.line("curve"))[0]
    heres = [
        ax.plot([], [], animated=True, clip_on=False, in_layout=False, **style.point())[0]
        for ax in (curve, pull)
    ]
    style.legend(
        plane,
        handles=[line, others, before],
        labels=["this loss", "MSE", "without the outlier"],
        loc="upper left",
    )

    def update(a: Arrays) -> None:
        close = bool(a["notes"]) and a["kind"] != "mse"
        curve.set_ylim(*((-0.6, 10) if close else (-2, 50)))
        pull.set_ylim(*((-4.5, 4.5) if close else (-15, 15)))
        at, y = float(a["x"][-1]), float(a["y"][-1])
        trace(dots, a["x"][:-1], a["y"][:-1])
        far.set_data([at], [y])
        for artist, (b, w) in (
            (line, a["lines"][a["kind"]]),
            (others, a["lines"]["mse"]),
            (before, a["clean"]),
        ):
            artist.set_data(ENDS, [float(b + w * end) for end in ENDS])
        stick.set_data([at, at], [y, y + a["r"]])
        alone = not a["notes"]
        trace(yours, R, a["curve"] if alone else a["yours"])
        trace(truth, R, a["curve"])
        truth.set_visible(not alone)
        trace(steep, R, a["slope"])
        r = max(-REACH, min(REACH, a["r"]))
        nearest = int((R - r).abs().min(0).indices)
        for here, key in zip(heres, ("curve", "slope"), strict=True):
            here.set_data([r], [float(a[key][nearest])])

    return update


def caption(_state: State, a: Arrays) -> str:
    """How far the line turned, and how large the outlier's share of all pulls is."""
    steep = float(a["lines"][a["kind"]][1])
    turned = round(steep - float(a["clean"][1]), 2) + 0.0  # no minus before a zero
    sentence = (
        f"the outlier's residual is {a['r']:.1f} and pulls with {a['pull']:.2f}, "
        f"{a['share']:.0%} of all pulls; the line's slope is {steep:.2f} "
        f"({turned:+.2f} by the outlier)"
    )
    if a["kind"] != "mse":
        sentence += f", under MSE {float(a['lines']['mse'][1]):.2f}"
    return said(*a["notes"], f"{NAMES[a['kind']]}: {sentence}.")


PRESETS = [
    preset(
        "MSE",
        "one of 15 points is off: what share of all pulls is its own?",
        kind="mse",
        x=4.0,
        y=-6.0,
        delta=1.0,
    ),
    preset(
        "MAE",
        "same points. Does it matter to MAE whether the outlier lies 5 away or 8?",
        kind="mae",
        x=4.0,
        y=-6.0,
        delta=1.0,
    ),
    preset(
        "Huber",
        "for which δ is Huber like MSE here, and for which like MAE?",
        kind="huber",
        x=4.0,
        y=-6.0,
        delta=1.0,
    ),
    preset(
        "in the middle",
        "the outlier moves to x = 0: what can it still do to the line?",
        kind="mse",
        x=0.0,
        y=-7.0,
        delta=1.0,
    ),
    preset(
        "a long lever",
        "at x = 6 a point has more leverage: does MAE hold there, and does MSE?",
        kind="mae",
        x=6.0,
        y=-7.0,
        delta=1.0,
    ),
]


def panel(losses: Sequence[Callable[..., Any]]) -> Panel:
    """The outlier; see `widgets.softmax.outlier`."""
    names = [student.name_of(f) for f in losses]
    for name in names:
        if name not in NAMES:
            raise ValueError(f"no loss here is named {name!r}; there are: {', '.join(NAMES)}")
    first = names[0] if names else "mse"
    kinds = {name: NAMES[name] for name in names or NAMES}
    presets = PRESETS
    if names:
        presets = [
            preset(f"{text}, {where}", ask, kind=name, x=4.0, y=y, delta=1.0)
            for name, text in kinds.items()
            for where, y, ask in (
                ("outlier", -6.0, "what does your loss give for the outlier's residual?"),
                ("no outlier", 2.0, "do the losses still differ when no point is off?"),
            )
        ]
    return Panel(
        "One point moves away",
        compute,
        draw,
        caption,
        [
            choice("kind", "loss", first, kinds),
            slider("x", "outlier x", 4.0, -6, 6, 0.1),
            slider("y", "outlier y", -6.0, -8, 8, 0.1),
            slider("delta", "δ", 1.0, 0.2, 4, 0.1, when=("kind", ("huber",))),
        ],
        presets,
        given=(losses,),
        views=3,
        drag=[{"axes": 0, "x": "x", "y": "y"}],
    )
