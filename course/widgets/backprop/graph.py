"""The computational-graph stepper: the flagship, drawn in the browser.

`static/stepper.js` steps and animates; Python runs the program, with a student's engine where there
is one, and says which edge it goes wrong on.
"""

from collections.abc import Mapping
from typing import Any

import traitlets
from matplotlib.figure import Figure

from .. import student
from ..panel import STATIC, Shown, State, preset, said, script
from ..picture import Arrays, Picture, Update
from ..style import Style, number
from . import program as programs
from .program import PROGRAMS, Program, same

FIXED = ("one", "minus")
LIMIT = 20.0  # inputs stay within [-20, 20]
LABELS = {"y_hat": "ŷ", "minus_y": "−y", "one": "1", "minus": "−1", "sigma": "σ"}
_SMALL = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def label(name: str) -> str:
    """A number's name as a reader writes it."""
    return LABELS.get(name, name.translate(_SMALL))


def spoken(name: str) -> str:
    """A number's name within a sentence."""
    return f"the constant {label(name)}" if name in FIXED else label(name)


def compute(state: State, node: Any = None) -> dict[str, Any]:
    """The graph of `state` (program, inputs) with all that is to be shown.

    nodes: name, label, formula, x, y, value, grad, wrong, given (an input?); edges: source, target,
    slope, message (what comes back over it), wrong; in the order of the way back. note: what to say
    of the student's class; moves: by how much the output moves when an input rises by 0.01.
    """
    plan, inputs = PROGRAMS[state["program"]], state["inputs"]
    true = programs.truth(plan, inputs)
    values, grads, slopes = true
    note, yours = "", node is not None
    if yours:
        try:
            values, grads, slopes = programs.engine(node, plan, inputs)
        except NotImplementedError as missing:
            what, _, _ = str(missing).partition(":")
            note = f"`{what or 'a method'}` of your `{student.name_of(node)}` is not written yet: "
            note += "drawn is what it should do."
            yours = False
        except Exception as error:
            first = next(iter(str(error).splitlines()), "")[:120]
            note = f"Your `{student.name_of(node)}` stopped with {type(error).__name__}: {first}"
            yours = False
    edges = _edges(plan, grads, slopes)
    faults = _faults(plan, edges, (values, grads, slopes), true) if yours else []
    if yours:
        note = faults[0][1] if faults else f"Your `{student.name_of(node)}` does it right."
    wrong = {place for place, _ in faults}
    for edge in edges:
        edge["wrong"] = (edge["target"], edge["slot"]) in wrong
    formulas = {line.name: line.sign for line in plan.lines}
    columns = max(x for x, _ in plan.place.values())
    rows = max(y for _, y in plan.place.values())
    nodes = [
        {
            "name": name, "label": label(name), "sign": formulas.get(name, ""),
            "x": plan.place[name][0] / columns, "y": plan.place[name][1] / rows,
            "value": values[name], "grad": grads[name], "wrong": name in wrong,
            "given": name in plan.inputs, "fixed": name in FIXED,
        }
        for name in [*plan.inputs, *formulas]
    ]  # fmt: skip
    moves = {name: programs.nudged(plan, inputs, name) for name in plan.inputs}
    return {
        "nodes": nodes,
        "edges": edges,
        "note": note,
        "moves": moves,
        "output": plan.output,
        "yours": yours,
    }


def _edges(
    plan: Program, grads: Mapping[str, float], slopes: Mapping[tuple[str, int], float]
) -> list[dict[str, Any]]:
    """Every use of a number, in the order of the way back: the last line first."""
    return [
        {
            "source": name, "target": line.name, "slot": slot, "slope": slopes[line.name, slot],
            "message": grads[line.name] * slopes[line.name, slot], "wrong": False,
            "twin": line.operands.count(name) > 1,
        }
        for line in reversed(plan.lines)
        for slot, name in enumerate(line.operands)
    ]  # fmt: skip


Fault = tuple[Any, str]  # what glows (a name, or an edge's target and slot), and what to say


def _faults(plan: Program, edges: list[dict[str, Any]], yours: Any, true: Any) -> list[Fault]:
    """Where the student's engine departs from its own inputs: values, slopes, start, then sums."""
    values, grads, slopes = yours
    faults: list[Fault] = []
    for name in [*plan.inputs, *(line.name for line in plan.lines)]:
        if not same(values[name], true[0][name]):
            faults.append(
                (
                    name,
                    f"The value of {spoken(name)} is {number(values[name], 4)}, and "
                    f"should be {number(true[0][name], 4)}.",
                )
            )
            return faults
    for (target, slot), slope in slopes.items():
        if not same(slope, true[2][target, slot]):
            line = next(line for line in plan.lines if line.name == target)
            faults.append(
                (
                    (target, slot),
                    f"The local slope from {spoken(target)} to "
                    f"{spoken(line.operands[slot])} is {number(slope, 4)}: when "
                    f"{spoken(line.operands[slot])} moves by a little, by how much does "
                    f"{spoken(target)} move?",
                )
            )
    if not same(grads[plan.output], 1.0):
        faults.append(
            (
                plan.output,
                f"{spoken(plan.output)} has the gradient "
                f"{number(grads[plan.output], 4)}: how fast does it move with itself?",
            )
        )
    for name in reversed(list(values)):
        uses = [edge for edge in edges if edge["source"] == name]
        messages = [edge["message"] for edge in uses]
        if name == plan.output or same(sum(messages), grads[name]):
            continue
        count = programs.lost(messages, grads[name])
        said = f"{' + '.join(number(m, 4) for m in messages)} came back to {spoken(name)}"
        for i, edge in enumerate(uses):
            if count is not None and count[i] == 1:
                continue
            what = (
                "and it has"
                if count is None
                else f"what came over {spoken(edge['target'])} was "
                f"{'lost' if count[i] == 0 else 'counted twice'}: it has"
            )
            faults.append(
                ((edge["target"], edge["slot"]), f"{said}; {what} {number(grads[name], 4)}.")
            )
        if not uses:
            faults.append((name, f"Nothing uses {spoken(name)}, so its gradient is 0."))
    return faults


def caption(a: Arrays) -> str:
    """The gradients of the inputs, in a sentence."""
    nodes = {node["name"]: node for node in a["nodes"]}
    out = nodes[a["output"]]
    found = ", ".join(
        f"{node['label']} {number(node['grad'], 4)}"
        for node in a["nodes"]
        if node["given"] and not node["fixed"]
    )
    sentence = f"{out['label']} = {number(out['value'], 4)}; its gradients: {found}."
    return said(a["note"], sentence)


def draw(figure: Figure, style: Style) -> Update:
    """The graph after the way back: values in the discs, gradients above, slopes on arrows."""
    (ax,) = style.axes(figure, ["forward: values in the discs · backward: gradients above"])
    ax.set(xlim=(-0.09, 1.05), ylim=(1.22, -0.25), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.grid(False)

    def update(a: Arrays) -> None:
        at = {node["name"]: (node["x"], node["y"]) for node in a["nodes"]}
        for edge in a["edges"]:
            start, end = at[edge["source"]], at[edge["target"]]
            bend = (0.25 if edge["slot"] else -0.25) if edge["twin"] else 0.0
            colour = style.orange if edge["wrong"] else style.muted
            ax.annotate(
                "",
                end,
                start,
                arrowprops={
                    "arrowstyle": "->",
                    "color": colour,
                    "lw": 3 if edge["wrong"] else 1.2,
                    "shrinkA": 15,
                    "shrinkB": 15,
                    "connectionstyle": f"arc3,rad={bend}",
                },
            )
            middle = [(s + e) / 2 for s, e in zip(start, end, strict=True)]
            ax.text(
                middle[0],
                middle[1] + 0.5 * bend,
                number(edge["slope"], 3),
                size=7,
                color=style.ink,
                ha="center",
                va="bottom",
            )
        for node in a["nodes"]:
            x, y = at[node["name"]]
            ax.plot(
                x,
                y,
                marker="s" if node["given"] else "o",
                ms=24,
                mfc=style.paper,
                mec=style.orange if node["wrong"] else style.blue,
                mew=1.6,
            )
            ax.text(
                x, y, number(node["value"], 3), size=7.5, color=style.ink, ha="center", va="center"
            )
            first = x == 0  # its neighbours are above and below
            ax.text(
                x - 0.03 if first else x,
                y if first else y + 0.13,
                f"{node['label']} {node['sign']}",
                size=8,
                color=style.ink,
                ha="right" if first else "center",
                va="center" if first else "top",
            )
            ax.text(
                x,
                y - 0.11,
                number(node["grad"], 3),
                size=8,
                color=style.orange,
                ha="center",
                va="bottom",
                weight="bold",
            )

    return update


def _start(key: str, **changed: float) -> dict[str, Any]:
    return {"program": key, "inputs": {**PROGRAMS[key].inputs, **changed}}


PRESETS = [
    preset(
        "two paths",
        "b goes up by 0.01: does e move by 0.02, 0.03, 0.05 or 0.06?",
        **_start("paths"),
    ),
    preset(
        "learning loop",
        "which two gradients of weights are the largest, and which sign has that of w₂?",
        **_start("loop"),
    ),
    preset(
        "off", "b₁ is −3 now, so z is negative: which gradients survive?", **_start("loop", b1=-3.0)
    ),
    preset(
        "a square", "a is used three times: how many paths lead from a to e?", **_start("square")
    ),
    preset(
        "a sigmoid",
        "σ made of four operations: what is the gradient of z at 2, and at 0?",
        **_start("sigmoid"),
    ),
]


class Stepper(Shown):
    """The graph, step by step; `node` is a student's class `Node` or None."""

    _esm = script("stepper.js")
    _css = (STATIC / "panel.css").read_text() + (STATIC / "stepper.css").read_text()

    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    graph = traitlets.Dict().tag(sync=True)

    def __init__(self, node: Any = None) -> None:
        self._node = node
        super().__init__(
            title="A graph, forward and back", presets=PRESETS, state=PRESETS[0]["state"]
        )
        self.observe(self._follow, "state")
        self._follow()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """A known program and a number for each of its inputs; TraitError otherwise."""
        new = proposal["value"]
        try:
            wanted = PROGRAMS[new["program"]].inputs
            given = {name: float(new["inputs"][name]) for name in wanted}
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"no state of a graph: {error}") from error
        if any(value != value for value in given.values()):
            raise traitlets.TraitError("an input must be a number")
        inputs = {name: max(-LIMIT, min(LIMIT, value)) for name, value in given.items()}
        return {"program": new["program"], "inputs": inputs}

    def _follow(self, _change: Any = None) -> None:
        # JSON has no nan or infinity: what a student's engine makes of them is shown as null.
        self.graph = _plain(compute(self.state, self._node)) | {"state": self.state}

    def still(self) -> tuple[bytes, str]:
        """The present state, drawn by matplotlib."""
        arrays = compute(self.state, self._node)
        return Picture(draw, 1, Style()).png(arrays), caption(arrays)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < 1e300 else None
    if isinstance(value, dict):
        return {key: _plain(inside) for key, inside in value.items()}
    return [_plain(inside) for inside in value] if isinstance(value, list) else value
