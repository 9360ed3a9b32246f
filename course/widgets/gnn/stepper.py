"""The message-passing stepper: the flagship, drawn in the browser.

`static/hops.js` steps, plays and animates; Python computes all layers at once, by a student's
function where there is one, and says which nodes it gets wrong.
"""

import base64
from collections.abc import Callable
from typing import Any

import anywidget
import torch
import traitlets
from matplotlib.figure import Figure

from course.threads import one_thread

from .. import student
from ..panel import STATIC, State, preset, script
from ..picture import Arrays, Picture, Update
from ..style import Style
from . import rounds
from .rounds import HOWS, LAYERS

GRAPHS = ("club", "chain", "street", "hermit", "hub")


def compute(state: State, message_passing: Callable[..., Any] | None = None) -> dict[str, Any]:
    """All layers of one graph, for the browser: plain lists.

    state: graph, how. at (n, 2); edges [[from, to]]; values (LAYERS + 1, n), and as written; wrong
    (LAYERS + 1, n): where a student's differ from the truth; far (n, n): hops from column to row,
    -1 for no way; shares (LAYERS + 1, n, hops): how much of a node's number comes from how far;
    told (LAYERS + 1, n): sentences; note: what to say of the student's function.
    """
    name, how = state["graph"], state["how"]
    p, far = rounds.place(name), rounds.hops(name)
    values, reach = rounds.truth(name, how)
    wrong, note, shown = torch.zeros_like(values, dtype=torch.bool), "", values
    if message_passing is not None:
        got, note = rounds.yours(name, how, message_passing)
        if got is not None:
            wrong = ~torch.isclose(got, values, rtol=1e-4, atol=1e-6)
            shown, called = got, student.name_of(message_passing)
            count = int(wrong[-1].sum())
            note = note or (
                f"Your `{called}` departs at {count} of {len(p.x)} nodes (crossed out)."
                if wrong.any()
                else f"Your `{called}` has every node right."
            )
    parts = torch.stack([(reach * (far == h)).sum(-1) for h in range(LAYERS + 1)], -1)
    shares = parts / parts.sum(-1, keepdim=True).clamp(min=1e-12)
    return {
        "graph": name,
        "how": how,
        "at": p.at.tolist(),
        "edges": p.edges.T.tolist(),
        "values": [[v if abs(v) < 1e300 else None for v in row] for row in shown.tolist()],
        "written": [[rounds.short(v) for v in row] for row in shown.tolist()],
        "wrong": wrong.tolist(),
        "far": far.tolist(),
        "shares": shares.tolist(),
        "told": rounds.told(name, how, shown),
        "note": note,
    }


def caption(state: State, a: Arrays) -> str:
    """The sentence after all layers."""
    return " ".join(filter(None, [a["note"], a["told"][int(state["layers"])][int(state["node"])]]))


def draw(figure: Figure, style: Style) -> Update:
    """The graph after all layers, and how much of the chosen node's number came from how far."""
    graph, bars = style.axes(figure, ["after all layers", "how much came from how far"], (3, 2))
    graph.set(xlim=(-0.06, 1.06), ylim=(-0.1, 1.1), xticks=[], yticks=[])
    bars.set(ylim=(LAYERS + 0.6, -0.6), xlim=(0, 1), yticks=range(LAYERS + 1), ylabel="hops")

    def update(a: Arrays) -> None:
        t, chosen, at = int(a["layers"]), int(a["node"]), a["at"]
        for s, e in a["edges"]:
            ends = {"shrinkA": 9, "shrinkB": 9, "color": style.muted, "lw": 0.8}
            twin = [e, s] in a["edges"]
            ends |= {"arrowstyle": "-" if twin else "->"}
            graph.annotate("", at[e], at[s], arrowprops=ends)
        largest = max([abs(v or 0) for v in a["values"][t]]) or 1.0
        for i, (x, y) in enumerate(at):
            v = a["values"][t][i] or 0.0
            graph.plot(x, y, "s" if v < 0 else "o", ms=15, mfc=style.paper, mec=style.ink,
                       mew=3 if i == chosen else 1)  # fmt: skip
            graph.plot(x, y, "s" if v < 0 else "o", ms=15, alpha=(abs(v) / largest) ** 0.5,
                       color=style.orange if v < 0 else style.blue, mec="none")  # fmt: skip
            mark = "\N{MULTIPLICATION X}" if a["wrong"][t][i] else str(i)
            graph.text(x, y, mark, size=7.5, color=style.ink, ha="center", va="center")
        bars.barh(range(LAYERS + 1), a["shares"][t][chosen], color=style.blue)

    return update


PRESETS = [
    preset(
        "the club",
        "how many layers until member 24 has heard of both leaders? Will the signs be right?",
        graph="club",
        how="gcn",
        layers=3,
        node=24,
    ),
    preset(
        "a chain",
        "only node 0 has anything to say: can node 6 hear of it with three layers? With six?",
        graph="chain",
        how="mean",
        layers=3,
        node=6,
    ),
    preset(
        "one way",
        "node 1 says 1, and edges go one way: which node will never hear of it?",
        graph="street",
        how="mean",
        layers=4,
        node=0,
    ),
    preset(
        "a hermit",
        "all numbers are below 0 and nobody sends to node 4: what becomes of it?",
        graph="hermit",
        how="max",
        layers=2,
        node=4,
    ),
    preset(
        "a hub",
        "everybody says 1: what does the hub have after two layers of sums? And of means?",
        graph="hub",
        how="sum",
        layers=2,
        node=0,
    ),
]


class Stepper(anywidget.AnyWidget):
    """The graph, layer by layer; `message_passing` is a student's function or None."""

    _esm = script("hops.js")
    _css = (STATIC / "panel.css").read_text() + (STATIC / "hops.css").read_text()

    title = traitlets.Unicode("Messages, hop by hop").tag(sync=True)
    presets = traitlets.List(PRESETS).tag(sync=True)
    hows = traitlets.List([[key, text] for key, text in HOWS.items()]).tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    scene = traitlets.Dict().tag(sync=True)

    def __init__(self, message_passing: Callable[..., Any] | None = None) -> None:
        self._f = message_passing
        super().__init__(state=PRESETS[0]["state"])
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """A graph there is, one of its nodes, and as many layers as there are."""
        new = {**PRESETS[0]["state"], **proposal["value"]}
        if new["graph"] not in GRAPHS or new["how"] not in HOWS:
            raise traitlets.TraitError(f"no graph or no aggregator of that name: {new}")
        last = len(rounds.place(new["graph"]).x) - 1
        new["node"] = max(0, min(last, int(new["node"])))
        new["layers"] = max(1, min(LAYERS, int(new["layers"])))
        return new

    def _follow(self, _change: Any = None) -> None:
        if [self.scene.get(k) for k in ("graph", "how")] != [
            self.state["graph"],
            self.state["how"],
        ]:
            with one_thread():
                self.scene = compute(self.state, self._f)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget; where no kernel runs, the last layer drawn by matplotlib."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        arrays = {**self.scene, "layers": self.state["layers"], "node": self.state["node"]}
        data["image/png"] = base64.b64encode(Picture(draw, 1, Style()).png(arrays)).decode()
        data["text/plain"] = f"{self.title}. {caption(self.state, arrays)}"
        return data, metadata


def panel(message_passing: Callable[..., Any] | None) -> Stepper:
    """The stepper; see `widgets.gnn.hops`."""
    return Stepper(message_passing)
