"""How every picture of the course looks: sizes, fonts, and colours told apart by anyone.

Colours are Okabe and Ito's, "Color Universal Design" (2008); each meaning also has its own line
style or marker, so nothing is said by colour alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke

COLOURS = {  # on light paper, on dark paper
    "paper": ("#ffffff", "#111111"),
    "ink": ("#222222", "#e4e4e4"),
    "muted": ("#6a6a6a", "#9a9a9a"),
    "grid": ("#e3e3e3", "#333333"),
    "blue": ("#0072b2", "#56b4e9"),
    "orange": ("#d55e00", "#e69f00"),
    "green": ("#007d5c", "#2fc79a"),
}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DPI = 96  # pixels an inch, as CSS counts them, so font sizes match the page
WIDTH, HEIGHT, NARROW = 780, 310, 400


def number(value: float, digits: int = 2) -> str:
    """`value` as a reader writes it: 0.0142, 25, 1.4 × 10⁻⁵."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return minus(f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = str(int(exponent)).translate(SUPERSCRIPTS)
    return minus(f"{mantissa}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10{power}")


def minus(text: str) -> str:
    """`text` with a minus sign before negative numbers, in place of a hyphen."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


@dataclass(frozen=True)
class Style:
    """Colours and layout for one way of looking: theme, room, and pixels per CSS pixel."""

    dark: bool = False
    narrow: bool = False
    ratio: float = 1.0

    def __getattr__(self, name: str) -> str:
        """The colour of that name in this theme: paper, ink, muted, grid, blue, orange, green."""
        if name not in COLOURS:
            raise AttributeError(name)
        return COLOURS[name][self.dark]

    def line(self, role: str) -> dict[str, Any]:
        """Keywords of `Axes.plot` for what a line means: `curve`, `truth`, `tangent` or `guide`."""
        return {
            "curve": {"color": self.blue, "lw": 2.4, "ls": "-"},
            "truth": {"color": self.ink, "lw": 1.3, "ls": (0, (5, 3))},
            "tangent": {"color": self.orange, "lw": 1.8, "ls": "-"},
            "guide": {"color": self.muted, "lw": 1.0, "ls": ":"},
        }[role]

    def point(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` for the point that the hand moves."""
        return {
            "marker": "o",
            "ms": 9,
            "ls": "",
            "color": self.orange,
            "mec": self.paper,
            "mew": 1.5,
        }

    def halo(self) -> list[AbstractPathEffect]:
        """Path effects of a text in ink that has to be read on any ground."""
        return [withStroke(linewidth=2.5, foreground=self.paper)]

    def figure(self, views: int) -> Figure:
        """An empty figure with room for `views` pictures side by side (or stacked when narrow)."""
        width, height = (NARROW, 250 * views) if self.narrow else (WIDTH, HEIGHT)
        return Figure(
            figsize=(width / DPI, height / DPI),
            dpi=DPI * self.ratio,
            facecolor=self.paper,
            layout="constrained",
        )

    def axes(
        self, figure: Figure, titles: Sequence[str], widths: Sequence[float] = ()
    ) -> list[Axes]:
        """One plain pair of axes a title, in a row, or in a column when narrow."""
        widths = widths or [1.0] * len(titles)
        shape: dict[str, Any] = {"nrows": 1, "ncols": len(titles), "width_ratios": widths}
        if self.narrow:
            shape = {"nrows": len(titles), "ncols": 1}
        axes = list(figure.subplots(squeeze=False, **shape).flat)
        for ax, title in zip(axes, titles, strict=True):
            ax.set_title(title, fontsize=9.5, color=self.ink, loc="left")
            ax.set_facecolor(self.paper)
            ax.grid(color=self.grid, lw=0.8)
            ax.set_axisbelow(True)
            ax.tick_params(labelsize=8, colors=self.muted, labelcolor=self.ink, length=3)
            ax.xaxis.label.set(color=self.ink, size=8.5)
            ax.yaxis.label.set(color=self.ink, size=8.5)
            for side, spine in ax.spines.items():
                spine.set_color(self.muted)
                spine.set_visible(side in ("left", "bottom"))
        return axes

    def legend(self, ax: Axes, **where: Any) -> None:
        """A small legend that lets the picture through."""
        ax.legend(
            fontsize=8,
            labelcolor=self.ink,
            facecolor=self.paper,
            edgecolor=self.grid,
            framealpha=0.8,
            **where,
        )

    def defaults(self) -> Any:
        """Matplotlib's own defaults while drawing, whatever the notebook has set."""
        return matplotlib.rc_context(matplotlib.rcParamsDefault)
