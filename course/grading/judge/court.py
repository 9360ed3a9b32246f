"""One graded cell, run here against the student's functions; and what it comes to."""

from __future__ import annotations

import ast
import functools
import math
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course import check
from course.grading.judge import wire
from course.grading.judge.link import StudentError, Trouble
from course.grading.judge.record import Probe, Recorded
from course.grading.judge.subject import Kernel, RemoteFunction, free_names
from course.lesson import BEGIN_HIDDEN, END_HIDDEN

PRELUDE = {"math": math, "torch": torch, "np": np, "F": F, "check": check}
_CELL = "<graded cell>"


@dataclass(frozen=True)
class Verdict:
    """What a graded cell came to, in words for the student.

    `told` is what went wrong, `on` the input it went wrong on, `hint` what a recognised mistake's
    author is told and `mistake` its name. `lost` says that the kernel has to be replaced,
    `stopped` that it did not answer, `blank` that nothing was written yet, and `absent` that there
    is nothing of the name asked for. `points` is what a
    graded cell that passed gives by ending in a number; None for all there are. `print` is the
    same for students whose wrong answers are alike.
    """

    passed: bool
    told: str = ""
    on: str = ""
    mistake: str = ""
    hint: str = ""
    lost: bool = False
    stopped: bool = False
    blank: bool = False
    absent: bool = False
    points: float | None = None
    print: str = ""


@dataclass(frozen=True)
class Hearing:
    """A graded cell that was run, and the student's `functions` that it used.

    `line` is the statement it failed in, `last` what was asked last there, and `asked` how often
    each function was asked until then.
    """

    verdict: Verdict
    functions: dict[str, RemoteFunction]
    last: Probe | None = None
    line: str = ""
    asked: Mapping[str, int] = field(default_factory=dict)


def hear(source: str, kernel: Kernel, seed: int) -> Hearing:
    """Run the graded cell `source` on the student's functions in `kernel`."""
    probes: list[Probe] = []
    functions: dict[str, RemoteFunction] = {}
    check.seed(seed)
    try:
        names = dict(PRELUDE)
        for name in free_names(source, frozenset(PRELUDE)):
            found = kernel.look_up(name)
            if isinstance(found, RemoteFunction):
                functions[name] = found
                found = Recorded(found, name, probes)
            names[name] = found
        value = _run(source, names)
    except Exception as problem:
        number = _line(problem)
        last = probes[-1] if probes else None
        verdict = _verdict(problem, last, _is_hidden(source, number))
        asked = Counter(probe.name for probe in probes)
        return Hearing(verdict, functions, last, _statement(source, number), asked)
    return Hearing(_valued(value), functions)


def _valued(value: Any) -> Verdict:
    """The verdict on a cell that ran to its end, whose last line gave `value`."""
    if type(value) not in (int, float):
        return Verdict(passed=True)
    if not math.isfinite(value):
        return Verdict(False, "Your points could not be worked out.")
    return Verdict(passed=True, points=max(0.0, float(value)))


def _run(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; returns the value of its last line where that is an expression."""
    body, last = _compiled(source)
    exec(body, names)
    return eval(last, names)


@functools.lru_cache(maxsize=1000)
def _compiled(source: str) -> tuple[CodeType, CodeType]:
    """A cell without its last line, and that; None in its place where it is no expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value = last.value if isinstance(last, ast.Expr) else ast.Constant(None)
    ending = ast.fix_missing_locations(ast.Expression(value))
    return compile(tree, _CELL, "exec"), compile(ending, _CELL, "eval")


def _verdict(problem: Exception, last: Probe | None, hidden: bool) -> Verdict:
    name = f"`{last.name}`" if last else "Your function"
    on = last.described() if last and last.how != "uses" else ""
    if isinstance(problem, check.Failed):
        return Verdict(False, problem.discreet if hidden else str(problem), on)
    if isinstance(problem, Trouble):
        told = _sentence(f"while {name} was running: {problem}")
        return Verdict(False, told, on, lost=problem.lost, stopped=True)
    if isinstance(problem, StudentError):
        return _raised(problem, name, on)
    if isinstance(problem, wire.WireError):
        return _unusable(str(problem), name, on)
    if isinstance(problem, AssertionError):
        return Verdict(False, f"{name} does not give what it should.", on)
    return Verdict(
        False,
        f"What {name} returned could not be used ({type(problem).__name__}). Look at the type and "
        "the shape that its docstring asks for.",
        on,
    )


def _unusable(why: str, name: str, on: str) -> Verdict:
    return Verdict(False, f"{name} returned what can't be checked: {why[:200]}.", on)


def _raised(problem: StudentError, name: str, on: str) -> Verdict:
    if problem.name == "NotImplementedError":
        what = problem.text.split(":")[0] if ":" in problem.text else name.strip("`")
        return Verdict(False, f"`{what}` is not written yet.", blank=True)
    if problem.name == "WireError":
        return _unusable(problem.text, name, on)
    if problem.name == "NameError" and not problem.function:
        what = problem.text.split("'")[1] if "'" in problem.text else "a function"
        return Verdict(
            False,
            f"There is no `{what}`: the cell that defines it is missing, or stopped with an error.",
            absent=True,
        )
    where = f", in `{problem.line}`" if problem.line else ""
    said = f": {problem.text.splitlines()[0][:300]}" if problem.text.strip() else ""
    return Verdict(False, _sentence(f"{name} raised {problem.name}{where}{said}"), on)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def _line(problem: BaseException) -> int:
    """The line of the graded cell that the exception came through."""
    frames = traceback.extract_tb(problem.__traceback__)
    return next((f.lineno or 0 for f in reversed(frames) if f.filename == _CELL), 0)


def _statement(source: str, line: int) -> str:
    """The innermost statement of the graded cell that this line is part of."""
    inside = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    found = max(inside, key=lambda node: node.lineno, default=None)
    return ast.get_source_segment(source, found) or "" if found else ""


def _is_hidden(source: str, line: int) -> bool:
    inside = False
    for number, text in enumerate(source.splitlines(), 1):
        if BEGIN_HIDDEN in text:
            inside = True
        elif END_HIDDEN in text:
            inside = False
        if number == line:
            return inside
    return False
