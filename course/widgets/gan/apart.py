"""Two heaps of samples: how far apart by earth mover's distance, and by MMD.

What a student's function is held against is SciPy's and scikit-learn's. Source: Minhas,
"Performance Assessment of Generative Models"; Gretton et al. (2012).
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance
from sklearn.metrics.pairwise import rbf_kernel
from torch import Tensor

from .. import student
from ..panel import Panel, State, choice, preset, said, seed, slider
from ..picture import Arrays, Update, trace
from ..style import Style, number

N, BINS, LOW, HIGH = 100, 36, -6.0, 6.0
SHIFTS = np.linspace(-4, 4, 33)
KINDS = {
    "alike": "alike",
    "lost": "one mode lost",
    "narrow": "all near the mean",
}


def heaps(kind: str, number_: int) -> tuple[Tensor, Tensor]:
    """Real and made samples, (100,) each: one cluster of both, or two of the real ones."""
    generator = torch.Generator().manual_seed(number_)
    noise = torch.randn(2, N, generator=generator, dtype=torch.float64)
    if kind == "alike":
        return 0.5 * noise[0], 0.5 * noise[1]
    real = 0.5 * noise[0] + torch.where(torch.arange(N) < N // 2, -1.5, 1.5).double()
    made = 0.5 * noise[1] + 1.5 if kind == "lost" else 0.2 * noise[1]
    return real, made


def emd(a: Tensor, b: Tensor) -> float:
    """Earth mover's distance of (n,) and (n,), by SciPy."""
    return float(wasserstein_distance(a.numpy(), b.numpy()))


def likenesses(a: Tensor, b: Tensor, sigma: float) -> np.ndarray:
    """The Gaussian kernel of all pairs, by scikit-learn."""
    return rbf_kernel(a.numpy()[:, None], b.numpy()[:, None], 1 / (2 * sigma**2))


@lru_cache(maxsize=64)
def over_shifts(kind: str, sigma: float, number_: int) -> tuple[np.ndarray, np.ndarray]:
    """EMD and squared MMD with the made samples moved by each of SHIFTS."""
    real, made = heaps(kind, number_)
    upper = np.triu_indices(N, 1)  # each pair of two once
    own = likenesses(real, real, sigma)[upper].mean() + likenesses(made, made, sigma)[upper].mean()
    across = [likenesses(real, made + s, sigma).mean() for s in SHIFTS]
    return np.array([emd(real, made + s) for s in SHIFTS]), own - 2 * np.array(across)


def compute(
    state: State,
    emd_1d: Callable[..., Any] | None = None,
    mmd_rbf: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """state: kind, shift, sigma, seed.

    real, made (36,) histograms; ways, squares (33,) over SHIFTS; here, yours: both distances.
    """
    kind, sigma, n = state["kind"], float(state["sigma"]), int(state["seed"])
    real, made = heaps(kind, n)
    made = made + float(state["shift"])
    ways, squares = over_shifts(kind, sigma, n)
    here = [float(np.interp(float(state["shift"]), SHIFTS, curve)) for curve in (ways, squares)]
    here[0] = emd(real, made)
    asked = [
        _asked(emd_1d, (real, made), here[0]),
        _asked(mmd_rbf, (real[:, None], made[:, None], sigma), here[1]),
    ]
    return {
        "real": torch.histc(real, BINS, LOW, HIGH),
        "made": torch.histc(made, BINS, LOW, HIGH),
        "ways": ways,
        "squares": squares,
        "here": here,
        "yours": [value for value, _ in asked],
        "shift": float(state["shift"]),
        "note": said(*(note for _, note in asked)),
    }


def _asked(f: Callable[..., Any] | None, args: tuple, want: float) -> tuple[float, str]:
    """What the student's `f` says (nan for nothing that can be drawn), and a sentence on it."""
    if f is None:
        return float("nan"), ""
    got, note = student.call(f, *args, shape=())
    if got is None or note:
        return float("nan"), note.replace("it should do", "the library's does")
    value = float(got)
    right = abs(value - want) < 0.02 * max(1.0, want)
    told = f"Your `{student.name_of(f)}` says {value:.3f}"
    return value, told + ("." if right else f", the library's {want:.3f}.")


def draw(figure: Figure, style: Style, with_yours: bool = False) -> Update:
    """The two heaps (cause); both distances by how far the made one is moved (effect)."""
    left, mid, right = style.axes(
        figure, ["100 real and 100 made samples", "earth mover's distance", "MMD²"]
    )
    left.set(xlim=(LOW, HIGH), ylim=(0, 66), xlabel="value")
    for ax in (mid, right):
        ax.set(xlim=(-4, 4), xlabel="made samples moved by")
    mid.set_ylim(0, 6)
    right.set_ylim(-0.05, 1.8)
    middle = np.linspace(LOW, HIGH, 2 * BINS + 1)[1::2]
    real = left.plot([], [], drawstyle="steps-mid", animated=True, **style.line("truth"))[0]
    made = left.plot([], [], drawstyle="steps-mid", lw=1.9, color=style.orange, animated=True)[0]
    style.legend(left, handles=[real, made], labels=["real", "made"], loc="upper right")
    lines = [ax.plot([], [], animated=True, **style.line("curve"))[0] for ax in (mid, right)]
    points = [ax.plot([], [], animated=True, **style.point())[0] for ax in (mid, right)]
    crosses = [
        ax.plot([], [], "x", ms=11, mew=2.2, color=style.ink, animated=True)[0]
        for ax in (mid, right)
    ]
    if with_yours:
        style.legend(right, handles=crosses[1:], labels=["yours"], loc="upper right")

    def update(a: Arrays) -> None:
        trace(real, middle, a["real"])
        trace(made, middle, a["made"])
        for k, name in enumerate(("ways", "squares")):
            lines[k].set_data(SHIFTS, a[name])
            points[k].set_data([a["shift"]], [a["here"][k]])
            crosses[k].set_data([a["shift"]], [a["yours"][k]])

    return update


def caption(state: State, a: Arrays) -> str:
    """Both distances here."""
    return said(
        a["note"],
        f"Moved by {a['shift']:.2f}: earth mover's distance {number(a['here'][0])}, "
        f"MMD² {number(a['here'][1])} with σ = {float(state['sigma']):.1f}.",
    )


PRESETS = [
    preset(
        "sliding past",
        "far apart: which of the two still tells how far?",
        kind="alike",
        shift=3.0,
        sigma=0.5,
        seed=0,
    ),
    preset(
        "in place",
        "the same distribution, other samples: is either distance 0?",
        kind="alike",
        shift=0.0,
        sigma=0.5,
    ),
    preset(
        "one mode lost",
        "half of the real samples is missing: which shift makes up for it?",
        kind="lost",
        shift=0.0,
        sigma=0.5,
    ),
    preset(
        "all near the mean",
        "equal means: do the distances notice what is wrong?",
        kind="narrow",
        shift=0.0,
        sigma=0.5,
    ),
    preset(
        "a wide kernel",
        "σ = 3: what of the two clusters does MMD still see?",
        kind="narrow",
        shift=0.0,
        sigma=3.0,
    ),
]


def panel(emd_1d: Callable[..., Any] | None, mmd_rbf: Callable[..., Any] | None) -> Panel:
    """The distances; see `widgets.gan.distances`."""
    return Panel(
        "How far apart are two heaps?",
        compute,
        partial(draw, with_yours=emd_1d is not None or mmd_rbf is not None),
        caption,
        [
            choice("kind", "made samples", "alike", KINDS),
            slider("shift", "moved by", 3.0, -4, 4, 0.25),
            slider("sigma", "σ of the kernel", 0.5, 0.1, 3.0, 0.1),
            seed(),
        ],
        PRESETS,
        given=(emd_1d, mmd_rbf),
        views=3,
        drag=[{"axes": 1, "x": "shift"}, {"axes": 2, "x": "shift"}],
    )
