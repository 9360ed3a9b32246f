"""Small programs of one `name = formula` a line: graphs to be walked, and the truth about them.

The truth is autograd's; an engine of a student's is run on the same lines and compared with it edge
by edge. Source: Minhas, "NN/Deep Learning Libraries"; Moerland, "Class example: One full learning
loop".
"""

import ast
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from ..style import SUPERSCRIPTS

Numbers = dict[str, float]
Slopes = dict[tuple[str, int], float]  # (line's name, number of the operand) -> local slope
SIGNS: dict[type, str] = {ast.Add: "+", ast.Mult: "×"}


@dataclass(frozen=True)
class Line:
    """One operation: `name = formula` on `operands`, drawn as `sign`.

    `alone` is the same formula with the operands called u0, u1, so that each use of a number can
    be looked at by itself, in a * a too.
    """

    name: str
    formula: str
    operands: tuple[str, ...]
    alone: str
    sign: str


@dataclass(frozen=True)
class Program:
    """Lines, the numbers that go in, and where each number is drawn (column, row)."""

    text: str
    inputs: Mapping[str, float]
    place: Mapping[str, tuple[float, float]]

    @cached_property
    def lines(self) -> list[Line]:
        """The operations in their order."""
        return [read(line) for line in self.text.splitlines()]

    @property
    def output(self) -> str:
        """The name of the last line."""
        return self.lines[-1].name


def read(line: str) -> Line:
    """A line with one operation: `c = a + b`, `c = a * b`, `c = a**2` or `c = a.tanh()`."""
    name, formula = line.split(" = ")
    tree: Any = ast.parse(formula, mode="eval").body
    if isinstance(tree, ast.Call):
        function: Any = tree.func
        return Line(name, formula, (function.value.id,), f"u0.{function.attr}()", function.attr)
    if isinstance(tree.op, ast.Pow):
        power = ast.unparse(tree.right)
        raised = power.translate(SUPERSCRIPTS)
        return Line(name, formula, (tree.left.id,), f"u0 ** {power}", raised)
    sign = SIGNS[type(tree.op)]
    alone = {"+": "u0 + u1", "×": "u0 * u1"}[sign]
    return Line(name, formula, (tree.left.id, tree.right.id), alone, sign)


def run(program: Program, inputs: Mapping[str, float], make: Callable[[float], Any]) -> dict:
    """Every number of the program by name, made by `make` and the operations of what it makes."""
    made = {name: make(inputs[name]) for name in program.inputs}
    for line in program.lines:
        made[line.name] = eval(line.formula, {"__builtins__": {}}, made)
    return made


def _leaf(value: float) -> torch.Tensor:
    return torch.tensor(float(value), dtype=torch.float64, requires_grad=True)


def truth(program: Program, inputs: Mapping[str, float]) -> tuple[Numbers, Numbers, Slopes]:
    """Values, gradients of the output and local slopes, by autograd in float64."""
    tensors = run(program, inputs, _leaf)
    found = torch.autograd.grad(tensors[program.output], list(tensors.values()), allow_unused=True)
    values = {name: t.item() for name, t in tensors.items()}
    grads = {name: 0.0 if g is None else g.item() for name, g in zip(tensors, found, strict=True)}
    slopes: Slopes = {}
    for line in program.lines:
        leaves = [_leaf(values[name]) for name in line.operands]
        out = eval(line.alone, {}, {f"u{i}": leaf for i, leaf in enumerate(leaves)})
        for i, slope in enumerate(torch.autograd.grad(out, leaves)):
            slopes[line.name, i] = slope.item()
    return values, grads, slopes


def nudged(program: Program, inputs: Mapping[str, float], name: str, by: float = 0.01) -> float:
    """How much the output moves when the input `name` rises by `by`."""
    with torch.no_grad():
        ends = [
            run(program, {**inputs, name: value}, _leaf)[program.output].item()
            for value in (inputs[name], inputs[name] + by)
        ]
    return ends[1] - ends[0]


def engine(
    node: Any, program: Program, inputs: Mapping[str, float]
) -> tuple[Numbers, Numbers, Slopes]:
    """As `truth`, by a student's class. What it raises passes through.

    A local slope is what its engine says of the operation alone; where the operation's own
    gradient isn't 1 there, it is taken per unit of that, and the true one where that is 0.
    """
    nodes = run(program, inputs, node)
    nodes[program.output].backward()
    values = {name: float(n.value) for name, n in nodes.items()}
    grads = {name: float(n.grad) for name, n in nodes.items()}
    known = truth(program, inputs)[2]
    slopes: Slopes = {}
    for line in program.lines:
        leaves = [node(values[name]) for name in line.operands]
        out = eval(line.alone, {}, {f"u{i}": leaf for i, leaf in enumerate(leaves)})
        out.backward()
        for i, leaf in enumerate(leaves):
            start = float(out.grad)
            slopes[line.name, i] = float(leaf.grad) / start if start else known[line.name, i]
    return values, grads, slopes


def same(one: float, other: float) -> bool:
    """Equal up to rounding; nan equals nothing."""
    return abs(one - other) <= 1e-6 * max(1.0, abs(one), abs(other))


def lost(messages: list[float], got: float) -> list[int] | None:
    """How often each message must have been counted to add up to `got`: 0, 1 or 2 times each.

    None where no such count explains it. Fewest departures from once each come first.
    """
    counts = itertools.product((1, 0, 2), repeat=len(messages))
    for count in sorted(counts, key=lambda c: sum(n != 1 for n in c)):
        if same(sum(n * m for n, m in zip(count, messages, strict=True)), got):
            return list(count)
    return None


# The example of the slide, the class example, a unit that is off, a number used three times, and a
# sigmoid made of four operations.
_LOOP = (
    "u = w1 * x1\nv = w2 * x2\nr = u + v\nz = r + b1\nh = z.relu()\nm = w3 * h\ny_hat = m + b2\n"
)
_LOOP_PLACE = {
    "w1": (0, 0), "x1": (0, 1), "w2": (0, 2), "x2": (0, 3), "u": (1, 0.5), "v": (1, 2.5),
    "b1": (2, 2.6), "r": (2, 1.5), "z": (3, 1.5), "w3": (4, 0.2), "h": (4, 1.5), "b2": (5, 2.6),
    "m": (5, 1.1), "y_hat": (6, 1.5), "minus_y": (6, 2.8), "d": (7, 1.5), "L": (8, 1.5),
}  # fmt: skip
_LOOP_INPUTS = {
    "w1": 1.5,
    "x1": 2.0,
    "w2": 2.0,
    "x2": -1.0,
    "b1": 3.0,
    "w3": 2.5,
    "b2": -2.0,
    "minus_y": -6.0,
}
PROGRAMS = {
    "paths": Program(
        "c = a + b\nd = b + one\ne = c * d",
        {"a": 2.0, "b": 1.0, "one": 1.0},
        {"a": (0, 0), "b": (0, 1.5), "one": (0, 3), "c": (1, 0.6), "d": (1, 2.4), "e": (2, 1.5)},
    ),
    "loop": Program(_LOOP + "d = y_hat + minus_y\nL = d**2", _LOOP_INPUTS, _LOOP_PLACE),
    "square": Program(
        "c = a * a\nd = c + a\nt = d.tanh()\ne = c * t",
        {"a": 0.5},
        {"a": (0, 1.5), "c": (1, 0.5), "d": (2, 2.3), "t": (3, 2.3), "e": (4, 1.2)},
    ),
    "sigmoid": Program(
        "m = minus * z\nu = m.exp()\nv = u + one\nsigma = v**-1",
        {"z": 2.0, "minus": -1.0, "one": 1.0},
        {
            "z": (0, 0.9),
            "minus": (0, 2.4),
            "m": (1, 1.5),
            "u": (2, 1.5),
            "one": (2, 2.9),
            "v": (3, 1.5),
            "sigma": (4, 1.5),
        },
    ),
}
