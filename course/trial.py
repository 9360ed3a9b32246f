"""Trying a student's function: the calls that checks make, here or in another process.

`Subject` is how a check sees a function that runs elsewhere (the grader's). A function of one's own
notebook is called directly, by the functions below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from course import pretend, syntax


class Subject(ABC):
    """A student's function that runs in another process; called like the function itself."""

    __name__: str

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, by value."""

    @abstractmethod
    def call_and_look(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """What the function returns, and `(args, kwargs)` as they are after the call."""

    @abstractmethod
    def call_on_gpu(self, args: tuple, kwargs: dict) -> tuple[Any, Any]:
        """See `call_on_gpu` below."""

    @abstractmethod
    def work(self, args: tuple, kwargs: dict) -> int:
        """See `work` below."""

    @abstractmethod
    def uses(self, names: set[str]) -> tuple[str, int] | None:
        """See `course.syntax.uses`."""


def call_and_look(f: Callable, args: tuple, kwargs: dict) -> tuple[Any, Any]:
    """What `f` returns, and `(args, kwargs)` as they are after the call."""
    if isinstance(f, Subject):
        return f.call_and_look(args, kwargs)
    result = f(*args, **kwargs)
    return result, (args, kwargs)


def call_on_gpu(f: Callable, args: tuple, kwargs: dict) -> tuple[Any, Any]:
    """What `f` returns on the pretended GPU: the values, and whether each stayed there.

    The second result has True, False or (for what is no tensor) None in place of each value.
    Raises `pretend.MixedDevices` where `f` mixes devices.
    """
    if isinstance(f, Subject):
        return f.call_on_gpu(args, kwargs)
    with pretend.gpu():
        result = f(*pretend.to_gpu(args), **pretend.to_gpu(kwargs))
    stayed = tree_map(
        lambda t: pretend.is_on_gpu(t) if isinstance(t, torch.Tensor) else None, result
    )
    return pretend.to_cpu(result), stayed


class _Count(TorchDispatchMode):
    """Adds up how many numbers the operations within it read and write."""

    numbers = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:  # a view only says where the numbers are
            touched = tree_leaves((args, kwargs, out))
            self.numbers += sum(t.numel() for t in touched if isinstance(t, torch.Tensor))
        return out


def work(f: Callable, args: tuple, kwargs: dict) -> int:
    """How many numbers the tensor operations in a call of `f` read and write."""
    if isinstance(f, Subject):
        return f.work(args, kwargs)
    with _Count() as count:
        f(*args, **kwargs)
    return count.numbers


def uses(f: Callable, names: set[str]) -> tuple[str, int] | None:
    """The first of `names` that `f` uses from a library, and the line, or None."""
    return f.uses(names) if isinstance(f, Subject) else syntax.uses(f, names)


def snapshot(values: Any) -> Any:
    """`values` with tensors of their own."""
    return tree_map(
        lambda t: (
            t.detach().clone().requires_grad_(t.requires_grad) if isinstance(t, torch.Tensor) else t
        ),
        values,
    )
