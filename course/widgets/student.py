"""Calling a student's function from a widget: whatever it does, the picture goes on.

A widget calls it at every move of the hand, so what goes wrong becomes one calm sentence.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Outcome = tuple[Tensor | None, str]  # what came back if it can be drawn, and what to say about it


def call(f: Callable[..., Any], *args: Any, shape: tuple[int, ...]) -> Outcome:
    """`f(*args)` as a detached CPU tensor of `shape`, or None and the reason in a sentence.

    `f` gets copies of tensor arguments, so that it can't change the widget's own.
    """
    name = name_of(f)
    mine = [a.clone() if isinstance(a, Tensor) else a for a in args]
    try:
        got = f(*mine)
    except NotImplementedError:
        return None, f"`{name}` is not written yet: the dashed line is what it should do."
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")[:120]
        return None, f"Your `{name}` stopped with {type(error).__name__}: {first}"
    if shape == () and isinstance(got, int | float):
        got = torch.tensor(got)
    if not isinstance(got, Tensor):
        return None, f"Your `{name}` returned {_a(got)}, expected {_what(shape)}."
    if tuple(got.shape) != shape:
        return None, f"Your `{name}` returned shape {tuple(got.shape)}, expected {shape}."
    if got.is_complex():
        return None, f"Your `{name}` returned complex numbers, expected real ones."
    got = got.detach().cpu().to(torch.float64)
    bad = int((~got.isfinite()).sum())
    if bad:
        return got, f"Your `{name}` is nan or infinite in {bad} of {got.numel()} places."
    return got, ""


def against(want: Tensor, f: Callable[..., Any], *args: Any, tol: float = 1e-4) -> Outcome:
    """`call(f, *args)` in the shape of `want`, with a sentence on how far it is from that."""
    got, note = call(f, *args, shape=tuple(want.shape))
    if got is not None and not note:
        note = compared(f, got, want, tol)
    return got, note


def compared(f: Callable[..., Any], got: Tensor, want: Tensor, tol: float = 1e-4) -> str:
    """One sentence on how far `got` is from `want` where both are finite."""
    name = name_of(f)
    gap = (got - want.to(got)).abs()
    gap = gap[gap.isfinite()]
    worst = float(gap.max()) if gap.numel() else 0.0
    scale = float(want[want.isfinite()].abs().max().clamp(min=1.0)) if want.numel() else 1.0
    if worst <= tol * scale:
        return f"Your `{name}` lies on the dashed line."
    return f"Your `{name}` is off the dashed line by up to {worst:.2g}."


def name_of(f: Callable[..., Any]) -> str:
    """The name the student gave to `f`."""
    return str(getattr(f, "__name__", type(f).__name__))


def _what(shape: tuple[int, ...]) -> str:
    return f"a tensor of shape {shape}" if shape else "a single number"


def _a(value: Any) -> str:
    if value is None:
        return "nothing (is there a `return`?)"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
