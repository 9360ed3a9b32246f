"""Inverse transform sampling: evenly spread noise goes through a quantile function.

Source: Minhas, "Background: Generating samples".
"""

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Exponential, Normal

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

LINE, BINS, THREADS = 201, 40, 12
KINDS = {
    "normal": "normal",
    "exponential": "exponential",
    "coin": "a coin, P(1) = 0.3",
    "data": "60 data points",
}
EDGES = {
    "normal": (-3.2, 3.2),
    "exponential": (-0.3, 5.7),
    "coin": (-2.0, 3.0),
    "data": (-3.2, 3.2),
}


def table(kind: str, k: int) -> Tensor:
    """The quantile function of `kind` at k levels from 0 to 1, (k,); the ends cut at 1 in 1000."""
    levels = torch.linspace(0, 1, k, dtype=torch.float64)
    inside = levels.clamp(0.001, 0.999)
    if kind == "normal":
        return Normal(0.0, 1.0).icdf(inside)
    if kind == "exponential":
        return Exponential(1.0).icdf(inside)
    if kind == "coin":
        return (levels > 0.7).to(levels.dtype)
    return torch.quantile(examples(), levels)


def examples() -> Tensor:
    """Sixty points around −1.4 and 1.2, (60,)."""
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(60, generator=generator, dtype=torch.float64)
    return torch.where(torch.arange(60) < 24, 0.3 * noise - 1.4, 0.6 * noise + 1.2)


def compute(state: State, f: Callable[..., Any] | None = None) -> dict[str, Any]:
    """state: kind, knots, draws (its logarithm to base 10), seed.

    truth, yours (201,) over u; knots: (levels, values); u, samples (n,); heights (40,) and edges of
    the histogram; exact (40,) or None.
    """
    kind, k, n = state["kind"], int(state["knots"]), round(10 ** float(state["draws"]))
    listed = table(kind, k)
    line = torch.linspace(0, 1, LINE, dtype=torch.float64)
    truth = torch.quantile(listed, line)
    generator = torch.Generator().manual_seed(int(state["seed"]))
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    samples, yours, note = torch.quantile(listed, u), None, ""
    if f is not None:
        yours, note = student.against(truth, f, line, listed)
        if yours is not None:
            drawn, trouble = student.call(f, u, listed, shape=(n,))
            note = note if drawn is not None else trouble
            samples = samples if drawn is None else drawn[drawn.isfinite()]
    low, high = EDGES[kind]
    heights = torch.histc(samples, BINS, low, high)
    middle = torch.linspace(low, high, 2 * BINS + 1, dtype=torch.float64)[1::2]
    exact = None
    if kind in ("normal", "exponential"):
        law = Normal(0.0, 1.0) if kind == "normal" else Exponential(1.0, validate_args=False)
        exact = law.log_prob(middle).exp() * (middle >= 0 if kind == "exponential" else 1)
        exact = exact * (high - low) / BINS
    return {
        "line": line,
        "truth": truth,
        "yours": yours,
        "knots": (torch.linspace(0, 1, k), listed),
        "u": u[:THREADS],
        "samples": samples,
        "heights": heights / max(1, len(samples)),
        "middle": middle,
        "exact": exact,
        "range": EDGES[kind],
        "note": note,
    }


def draw(figure: Figure, style: Style) -> Update:
    """The quantile function with some noise on its way (cause); all samples (effect)."""
    left, right = style.axes(figure, ["from u, below, to a sample, at the side", "samples"])
    left.set(xlim=(0, 1), xlabel="u", ylabel="value")
    right.set(xlabel="value", ylim=(0, 0.3))
    ways = left.plot([], [], animated=True, lw=0.9, color=style.orange)[0]
    yours = left.plot([], [], animated=True, **style.line("curve"))[0]
    truth = left.plot([], [], animated=True, **style.line("truth"))[0]
    knots = left.plot([], [], ".", ms=5, color=style.ink, animated=True)[0]
    bars = right.plot([], [], animated=True, drawstyle="steps-mid", lw=1.8, color=style.orange)[0]
    exact = right.plot([], [], animated=True, **style.line("truth"))[0]
    style.legend(
        right, handles=[bars, exact], labels=["share of the samples", "exact"], loc="upper right"
    )

    def update(a: Arrays) -> None:
        low, high = a["range"]
        left.set_ylim(low, high)
        right.set_xlim(low, high)
        right.set_ylim(0, 1.35 * max(0.1, float(a["heights"].max())))
        reached = torch.quantile(a["knots"][1], a["u"])
        across = torch.stack(
            [a["u"], a["u"], torch.zeros_like(a["u"]), torch.full_like(a["u"], torch.nan)], 1
        )
        up = torch.stack([torch.full_like(reached, low), reached, reached, reached], 1)
        trace(ways, across.flatten(), up.flatten())
        trace(yours, a["line"], a["yours"])
        trace(truth, a["line"], a["truth"])
        few = len(a["knots"][0]) <= 30
        trace(knots, a["knots"][0], a["knots"][1] if few else None)
        trace(bars, a["middle"], a["heights"])
        trace(exact, a["middle"], a["exact"])

    return update


def caption(state: State, a: Arrays) -> str:
    """How many samples, their mean, and what was listed."""
    s = a["samples"]
    mean = f"mean {number(float(s.mean()))}" if len(s) else "none finite"
    drawn = f"{len(s)} samples through a table of {int(state['knots'])} values: {mean}"
    if state["kind"] == "coin" and len(s):
        drawn += f", {float((s > 0.5).double().mean()):.0%} of them above 1/2"
    return said(a["note"], drawn + ".")


PRESETS = [
    preset(
        "normal",
        "where is the quantile function flat, and what do the samples do there?",
        kind="normal",
        knots=101,
        draws=3.0,
        seed=0,
    ),
    preset("exponential", "it starts flat: where are most samples?", kind="exponential", knots=101),
    preset("a coin", "what must the curve be to make 30 % ones?", kind="coin", knots=101),
    preset(
        "data for a table",
        "sixty points, sorted, are the table: do new samples lie on the old ones only?",
        kind="data",
        knots=60,
    ),
    preset(
        "six values",
        "how much of the shape is left with six listed values?",
        kind="normal",
        knots=6,
    ),
]


def panel(f: Callable[..., Any] | None) -> Panel:
    """Inverse transform sampling; see `widgets.gan.inverse`."""
    return Panel(
        "From noise to samples",
        compute,
        draw,
        caption,
        [
            choice("kind", "target", "normal", KINDS),
            slider("knots", "listed values", 101, 2, 101, 1),
            slider("draws", "samples, 10 to the power of", 3.0, 1.0, 4.0, 0.5),
            seed(),
        ],
        PRESETS,
        given=(f,),
    )
