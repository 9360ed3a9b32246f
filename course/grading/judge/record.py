"""Calls of a student's functions, written down: what was asked, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from course import pretend, trial
from course.grading.judge.link import StudentError


@dataclass(frozen=True)
class Probe:
    """One thing asked of a function; `how` is call, look, gpu, work or uses."""

    name: str
    how: str
    args: tuple
    kwargs: dict

    def put_to(self, f: Callable) -> Any:
        """What comes of it: a value, or `Raised`. Trouble with the kernel passes through."""
        args, kwargs = trial.snapshot((self.args, self.kwargs))
        try:
            if self.how == "uses":
                found = trial.uses(f, set(self.args))
                return found and found[0]
            if self.how == "look":
                return trial.snapshot(trial.call_and_look(f, args, kwargs))
            if self.how == "gpu":
                return trial.snapshot(trial.call_on_gpu(f, args, kwargs))
            if self.how == "work":
                return trial.work(f, args, kwargs)
            return trial.snapshot(f(*args, **kwargs))
        except pretend.MixedDevices:
            return Raised("MixedDevices")
        except StudentError as problem:
            return Raised("MixedDevices" if problem.mixed else problem.name)

    def described(self) -> str:
        """The inputs in words: kinds, shapes and ranges, no values of arrays."""
        return " and ".join(_described(a) for a in (*self.args, *self.kwargs.values()))


@dataclass(frozen=True)
class Raised:
    """A call that ended in an exception of this name."""

    name: str


class Recorded(trial.Subject):
    """A function of the student's whose calls are written into `probes`."""

    def __init__(self, f: Callable, name: str, probes: list[Probe]) -> None:
        self._f, self.__name__, self._probes = f, name, probes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `Subject`."""
        self._note("call", args, kwargs)
        return self._f(*args, **kwargs)

    def call_and_look(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """See `Subject`."""
        self._note("look", args, kwargs)
        return trial.call_and_look(self._f, args, kwargs)

    def call_on_gpu(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """See `Subject`."""
        self._note("gpu", args, kwargs)
        return trial.call_on_gpu(self._f, args, kwargs)

    def work(self, args: tuple, kwargs: dict) -> int:
        """See `Subject`."""
        self._note("work", args, kwargs)
        return trial.work(self._f, args, kwargs)

    def uses(self, names: set[str]) -> tuple[str, int] | None:
        """See `Subject`."""
        self._note("uses", tuple(sorted(names)), {})
        return trial.uses(self._f, names)

    def _note(self, how: str, args: tuple, kwargs: dict) -> None:
        self._probes.append(Probe(self.__name__, how, *trial.snapshot((args, kwargs))))


class RecordedClass(Recorded):
    """A class of the student's: what it uses is written down, but not that an object is made of it.

    An object is no value to compare; what comes of its calls is asked through functions.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `Subject`."""
        return self._f(*args, **kwargs)


def alike(one: Any, other: Any) -> bool:
    """Whether two outcomes are the same: shapes, dtypes, and values up to rounding.

    Values are compared by their ratio, for some mistakes show only in very small numbers; but what
    is rounding beside a tensor's largest number (a little more, after a training) is no difference.
    """
    if isinstance(one, Raised) or isinstance(other, Raised):
        return one == other
    left, right = tree_leaves(one), tree_leaves(other)
    return len(left) == len(right) and all(map(_alike, left, right))


def print_of(outcomes: list[Any]) -> str:
    """A short text that is the same for outcomes that are alike: what groups equal answers.

    Numbers count by their first four digits; two that are rounded apart there fall asunder.
    """
    said = [leaf for outcome in outcomes for leaf in ("/", *map(_said, tree_leaves(outcome)))]
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:12]


def _said(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        kind = f"{value.dtype}{tuple(value.shape)}"
        return " ".join([kind, *(f"{v:.3e}" for v in value.detach().double().flatten().tolist())])
    if isinstance(value, float):
        return f"{value:.3e}"
    return type(value).__name__ if callable(value) else f"{type(value).__name__} {value!r}"


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        a, b = one.detach().cpu(), other.detach().cpu()
        if not a.is_floating_point():
            return torch.equal(a, b)
        finite = b[b.isfinite()].double().abs()
        scale = float(finite.max()) if finite.numel() else 0.0
        noise = scale * (1e-12 if b.dtype == torch.float64 else 1e-5)
        return torch.allclose(a.double(), b.double(), rtol=1e-3, atol=noise, equal_nan=True)
    if isinstance(one, float) and isinstance(other, float):
        return _alike(torch.tensor(one), torch.tensor(other))
    if callable(one) and callable(other):
        return True  # an argument that is a function comes back as it went
    return type(one) is type(other) and bool(one == other)


def _described(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        if value.dim() == 0:
            return f"the {kind} number {value.item():g}"
        return f"a {kind} tensor of shape {tuple(value.shape)}{_range(value)}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    if callable(value):
        return f"the function {getattr(value, '__name__', 'given')}".replace("<lambda>", "given")
    return repr(value)[:40]


def _range(value: torch.Tensor) -> str:
    if not value.is_floating_point() or not value.numel():
        return ""
    low, high = value.min().item(), value.max().item()
    return f" with values from {low:.3g} to {high:.3g}" if low < high else f", all {low:.3g}"
