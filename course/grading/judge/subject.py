"""The student's names as a graded cell sees them: functions to call, objects to hold, values."""

from __future__ import annotations

import ast
import builtins
import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from course import pretend, trial
from course.grading.judge import sources, wire
from course.grading.judge.link import Answer, Link, StudentError, value_of


class Kernel:
    """The student's namespace behind a `Link`. `cells` are the student's, in order."""

    def __init__(self, cells: list[sources.Cell]) -> None:
        self.link: Link | None = None
        self.cells = cells
        self._callbacks: dict[int, Any] = {}

    def look_up(self, name: str) -> Any:
        """What the student calls `name`: a function, or a value. Raises StudentError."""
        answer = self._request({"op": "kind", "name": name})
        if answer[0].get("kind") == "callable":
            return RemoteFunction(self, name)
        if answer[0].get("kind") == "value":
            return value_of(answer, self.find)
        raise StudentError({"name": "NameError", "text": f"name '{name}' is not defined"})

    def call(self, op: dict[str, Any], args: tuple, kwargs: dict) -> Any:
        """Have something called over there; returns the value. Raises as `Link.request`."""
        encoder = wire.Encoder(self._keep)
        op = {**op, "op": "call", "args": encoder.encode(args), "kwargs": encoder.encode(kwargs)}
        return value_of(self._request(op, encoder.buffers), self.find)

    def ask(self, op: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Any other request; returns the answer and the value in it."""
        answer = self._request(op)
        return answer[0], value_of(answer, self.find)

    def _request(self, op: dict[str, Any], buffers: list[bytes] | None = None) -> Answer:
        assert self.link is not None
        return self.link.request(op, buffers)

    def _keep(self, value: Any) -> dict[str, Any]:
        """How something of the judge's is named to the agent: never by its code."""
        if isinstance(value, RemoteObject):
            return {"handle": value._number}
        if isinstance(value, trial.Subject):
            return {"import": ["__main__", value.__name__]}
        for module in (torch, torch.nn.functional, math, np):
            name = getattr(value, "__name__", "")
            if name and getattr(module, name, None) is value:
                return {"import": [module.__name__, name]}
        if callable(value):
            self._callbacks[id(value)] = value
            return {"callback": id(value)}
        raise wire.WireError(f"a {type(value).__name__} can't be sent")

    def find(self, described: dict[str, Any]) -> Any:
        """The student's object that stayed behind."""
        return RemoteObject(self, described)

    def answer_callback(self, question: dict[str, Any], buffers: list[Any]) -> Answer:
        """Run a function of the judge's that the student's code was given."""
        try:
            f = self._callbacks[question["callback"]]
            args = wire.Decoder(buffers, self.find).decode(question["args"])
            value = f(*args) if question["what"] == "call" else _vjp(f, args)
            encoder = wire.Encoder(self._keep)
            return {"value": encoder.encode(value)}, encoder.buffers
        except Exception as problem:
            return {"error": type(problem).__name__}, []


def _vjp(f: Any, args: tuple) -> list[Any]:
    *inputs, grad = args
    inputs = [a.detach().requires_grad_() if _is_real(a) else a for a in inputs]
    wanted = [a for a in inputs if _is_real(a)]
    out = f(*inputs)
    if not out.requires_grad:  # it doesn't depend on what it was given
        return [None for _ in inputs]
    got = iter(torch.autograd.grad(out, wanted, grad, allow_unused=True))
    return [next(got) if _is_real(a) else None for a in inputs]


def _is_real(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


class RemoteFunction(trial.Subject):
    """A function of the student's, called in the kernel; its results come by value."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        self._kernel, self.__name__ = kernel, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `Subject`."""
        return self._call("plain", args, kwargs)

    def call_and_look(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """See `Subject`."""
        result, after = self._call("look", args, kwargs)
        return result, after

    def call_on_gpu(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """See `Subject`."""
        try:
            result, stayed = self._call("gpu", args, kwargs)
        except StudentError as problem:
            if problem.mixed:
                raise pretend.MixedDevices(problem.text) from None
            raise
        return result, stayed

    def work(self, args: tuple, kwargs: dict) -> int:
        """See `Subject`."""
        return int(self._call("work", args, kwargs))

    def uses(self, names: set[str]) -> tuple[str, int] | None:
        """See `Subject`."""
        return sources.uses(self._kernel.cells, self.__name__, names)

    def _call(self, how: str, args: tuple, kwargs: dict) -> Any:
        return self._kernel.call({"target": self.__name__, "how": how}, args, kwargs)


# What a tensor has and an object of a lesson has not. Were these asked of a student's object, a
# graded cell that says `got.allclose(want)` would leave the verdict, and the expected value, to it.
_TENSORS_OWN = set(dir(torch.Tensor)) - set(dir(torch.nn.Module)) - {"data", "grad", "backward"}


class RemoteObject:
    """An object of the student's that stays in the kernel: a module, an iterator, a function.

    It has no truth value and equals nothing: what it is can't be decided by the student.
    """

    def __init__(self, kernel: Kernel, described: dict[str, Any]) -> None:
        self._kernel = kernel
        self._number = int(described["handle"])
        self._kind = str(described.get("kind", "object"))
        said = str(described.get("type", "object"))[:100]
        self._type = said if said.isidentifier() else "object"

    def __repr__(self) -> str:
        return f"<the student's {self._type}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the object returns, by value or as another that stays behind."""
        return self._kernel.call({"handle": self._number, "how": "plain"}, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _TENSORS_OWN:
            raise self._no_value()
        return self._kernel.ask({"op": "get", "handle": self._number, "name": name})[1]

    def __bool__(self) -> bool:
        raise self._no_value()

    def __eq__(self, other: object) -> bool:
        raise self._no_value()

    __hash__ = object.__hash__

    def _no_value(self) -> wire.WireError:
        return wire.WireError(f"an object of type {self._type} in place of a value")

    def __iter__(self) -> Iterator[Any]:
        while True:
            answer, value = self._kernel.ask({"op": "next", "handle": self._number})
            if not answer.get("more"):
                return
            yield value


@functools.lru_cache(maxsize=1000)
def free_names(source: str, known: frozenset[str]) -> tuple[str, ...]:
    """The names that a graded cell uses and neither it, nor `known`, nor Python defines."""
    tree = ast.parse(source)
    named = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    made = {n.id for n in named if not isinstance(n.ctx, ast.Load)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    used = dict.fromkeys(n.id for n in named if isinstance(n.ctx, ast.Load))
    return tuple(n for n in used if n not in made | known and not hasattr(builtins, n))
