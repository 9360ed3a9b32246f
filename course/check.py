"""The vocabulary of checks: what a student sees, and what a graded cell calls.

Each function stops at the first thing that is wrong and raises `Failed` with one sentence that says
what to do next. Values are checked in the order type, shape, dtype and device, finite, values.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch.utils._pytree import tree_leaves, tree_map

from course import device as _device
from course import passed, pretend, trial

__all__ = [
    "Failed", "by_hand", "close", "devices", "dtype", "dtypes", "equal", "finite", "integers",
    "keeps_dtype", "no_loop", "randn", "seed", "shape", "sizes", "stays_on_device", "true",
    "unchanged", "uniform", "work",
]  # fmt: skip

# Relative and absolute tolerance by dtype: room for another order of operations, none for another
# formula.
_TOLERANCE = {
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (3e-2, 3e-3),
    torch.float32: (1e-4, 1e-5),
    torch.float64: (1e-7, 1e-9),
}

passed.announce()

_generator = torch.Generator().manual_seed(int(os.environ.get("COURSE_SEED", "0")))


class Failed(AssertionError):
    """A check that did not pass; its text is for the student.

    `discreet` is the same without what was expected, for checks on inputs that stay hidden.
    """

    def __init__(self, text: str, discreet: str = "") -> None:
        super().__init__(text)
        self.discreet = discreet or text

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for its own picture: the message without our stack frames.
        return ["Not yet: " + str(self)]


def _fail(fact: str, why: str = "", numbers: str = "") -> NoReturn:
    """Stop with `fact`, the `numbers` behind it, and `why`: what to think about next."""
    raise Failed(_sentences(fact + numbers, why), _sentences(fact, why)) from None


def _sentences(*parts: str) -> str:
    said = [part.strip() for part in parts if part.strip()]
    text = " ".join(part if part[-1] in ".!?" else part + "." for part in said)
    return text[0].upper() + text[1:]


# Random inputs ------------------------------------------------------------------------------------


def seed(value: int) -> None:
    """Start the random inputs of the checks anew from `value`."""
    _generator.manual_seed(value)


def randn(*shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> torch.Tensor:
    """Standard normal numbers of the given shape, seeded."""
    return torch.randn(*shape, generator=_generator, dtype=dtype).to(device)


def uniform(
    low: float, high: float, *shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> torch.Tensor:
    """Numbers drawn evenly from [low, high), seeded."""
    unit = torch.rand(*shape, generator=_generator, dtype=dtype)
    return (low + (high - low) * unit).to(device)


def integers(low: int, high: int, *shape: int, device: str = "cpu") -> torch.Tensor:
    """Whole numbers from low up to, and without, high (int64), seeded."""
    return torch.randint(low, high, shape, generator=_generator).to(device)


def sizes(count: int, low: int = 2, high: int = 7) -> list[int]:
    """`count` different sizes from low to high, for the shape of an input, seeded."""
    order = torch.randperm(high - low + 1, generator=_generator)
    return [low + int(i) for i in order[:count]]


def devices() -> list[str]:
    """The devices of this machine: `cpu`, and `cuda` where there is one."""
    return _device.available()


def dtypes() -> tuple[torch.dtype, torch.dtype]:
    """The two precisions that every function of the course must keep."""
    return torch.float32, torch.float64


# Values -------------------------------------------------------------------------------------------


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (None): is a `return` missing?"
    if callable(value) and not isinstance(value, torch.nn.Module):
        return "a function: was it meant to be called?"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    return f"a {type(value).__name__}"


def _as_tensor(got: Any, want: torch.Tensor) -> torch.Tensor:
    """`got` as a tensor to compare with `want`; a plain number stands for a 0-dim tensor."""
    if isinstance(got, torch.Tensor):
        return got
    if want.dim() == 0 and isinstance(got, (int, float, bool, np.number, np.bool_)):
        return torch.as_tensor(got)
    _fail(f"expected a torch tensor of shape {tuple(want.shape)}, got {_kind(got)}")


def shape(x: Any, want: Sequence[int]) -> None:
    """`x` is a tensor of shape `want`."""
    if not isinstance(x, torch.Tensor):
        _fail(f"expected a torch tensor of shape {tuple(want)}, got {_kind(x)}")
    if tuple(x.shape) != tuple(want):
        _fail(f"expected shape {tuple(want)}, got {tuple(x.shape)}")


def dtype(x: Any, want: torch.dtype) -> None:
    """`x` is a tensor of dtype `want`."""
    if not isinstance(x, torch.Tensor):
        _fail(f"expected a torch tensor of {want}, got {_kind(x)}")
    if x.dtype != want:
        _fail(f"expected {want}, got {x.dtype}", "The result must keep the dtype of the input")


def finite(x: Any, why: str = "") -> None:
    """No entry of `x` is infinite or nan."""
    t = torch.as_tensor(x)
    bad = ~torch.isfinite(t)
    if bad.any():
        _fail(f"{_count(bad)} {_first(t, bad)}", why)


def true(condition: Any, why: str) -> None:
    """`condition` holds; `why` says what it means when it doesn't."""
    if not bool(condition):
        _fail(why)


def equal(got: Any, want: Any, why: str = "") -> None:
    """`got` is exactly `want`: whole numbers, booleans, strings, tuples, or tensors of these."""
    if isinstance(want, torch.Tensor):
        got = _as_tensor(got, want)
        shape(got, want.shape)
        if got.dtype != want.dtype:
            _fail(f"expected {want.dtype}, got {got.dtype}", why)
        wrong = got.cpu() != want.cpu()
        if wrong.any():
            _fail(f"{_count(wrong)} wrong, the first at index {_index(wrong)}", why)
    elif type(got) is not type(want) and not (
        isinstance(got, (int, float)) and isinstance(want, (int, float))
    ):
        _fail(f"expected a {type(want).__name__}, got {_kind(got)}", why)
    elif got != want:
        _fail(f"got {got!r}", why, f", expected {want!r}")


def close(got: Any, want: Any, why: str = "", tol: float | None = None) -> None:
    """`got` equals `want` up to rounding: a tensor, a number, or lists and tuples of them.

    `tol` replaces both the relative and the absolute tolerance of the dtype.
    """
    if isinstance(want, (list, tuple)):
        if not isinstance(got, (list, tuple)):
            _fail(f"expected {len(want)} results (a tuple), got {_kind(got)}", why)
        if len(got) != len(want):
            _fail(f"expected {len(want)} results, got {len(got)}", why)
        for one_got, one_want in zip(got, want, strict=True):
            close(one_got, one_want, why, tol)
        return
    is_number = not isinstance(want, torch.Tensor)
    target = torch.as_tensor(want)
    value = _as_tensor(got, target)
    shape(value, target.shape)
    if not is_number and isinstance(got, torch.Tensor):
        if value.dtype != target.dtype:
            dtype(value, target.dtype)
        if value.device.type != target.device.type:
            _fail(
                f"the result is on {value.device.type}, its input was on {target.device.type}",
                "New tensors must be made on the device of the input",
            )
    _compare(value, target, why, tol)


def _compare(value: torch.Tensor, target: torch.Tensor, why: str, tol: float | None) -> None:
    coarser = value.dtype if value.is_floating_point() else target.dtype
    relative, absolute = (tol, tol) if tol is not None else _TOLERANCE.get(coarser, (1e-6, 1e-6))
    a, b = value.detach().cpu().double(), target.detach().cpu().double()
    broken = torch.isfinite(b) & ~torch.isfinite(a)
    if broken.any():
        _fail(f"{_count(broken)} {_first(a, broken)}", why)
    wrong = ~torch.isclose(a, b, rtol=relative, atol=absolute, equal_nan=True)
    if wrong.any():
        i = _worst(a, b, wrong)
        at = f" at index {list(i)}" if i else ""
        _fail(
            f"{_count(wrong)} wrong",
            why,
            f"; the furthest off{at} is {a[i].item():.6g}, expected {b[i].item():.6g}",
        )


def _worst(a: torch.Tensor, b: torch.Tensor, wrong: torch.Tensor) -> tuple[int, ...]:
    distance = torch.where(wrong, (a - b).abs().nan_to_num(math.inf, math.inf), -1.0)
    return tuple(int(i) for i in np.unravel_index(int(distance.argmax()), a.shape))


def _count(mask: torch.Tensor) -> str:
    n, total = int(mask.sum()), mask.numel()
    return "the result is" if total == 1 else f"{n} of {total} values {'is' if n == 1 else 'are'}"


def _index(mask: torch.Tensor) -> list[int]:
    return mask.nonzero()[0].tolist()


def _first(t: torch.Tensor, mask: torch.Tensor) -> str:
    return f"{t[mask][0].item()}"


# How a function behaves ---------------------------------------------------------------------------


def unchanged(f: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call `f`; fail if it changed a tensor it was given, in values or in whether it needs
    gradients. Returns what `f` returned.
    """
    before = tree_leaves(trial.snapshot((args, kwargs)))
    result, after = trial.call_and_look(f, args, kwargs)
    for then, now in zip(before, tree_leaves(after), strict=True):
        if isinstance(then, torch.Tensor) and not _same(then, now):
            _fail(
                f"`{_name(f)}` changed the tensor it was given",
                "The caller still needs it: work on a new tensor instead of in place",
            )
        if isinstance(then, torch.Tensor) and then.requires_grad != now.requires_grad:
            _fail(
                f"`{_name(f)}` changed `requires_grad` of the tensor it was given",
                "What is switched on for the caller's tensor stays on: take a new tensor first",
            )
    return result


def _same(then: torch.Tensor, now: torch.Tensor) -> bool:
    return now.shape == then.shape and torch.equal(now.detach().nan_to_num(), then.nan_to_num())


def keeps_dtype(f: Callable, *args: Any, **kwargs: Any) -> None:
    """`f` returns float32 for float32 arguments, and float64 for float64 ones."""
    for want in dtypes():
        cast_args, cast_kwargs = _cast((args, kwargs), want)
        for t in tree_leaves(f(*cast_args, **cast_kwargs)):
            if isinstance(t, torch.Tensor) and t.is_floating_point() and t.dtype != want:
                _fail(
                    f"`{_name(f)}` was given {want} and returned {t.dtype}",
                    "The result must keep the dtype of the input",
                )


def _cast(values: Any, to: torch.dtype) -> Any:
    return tree_map(
        lambda t: t.to(to) if isinstance(t, torch.Tensor) and t.is_floating_point() else t, values
    )


def by_hand(f: Callable, *forbidden: str) -> None:
    """`f`, and the student's own functions that it calls, use none of the `forbidden` names.

    Looked for in the syntax tree: `torch.relu`, `z.relu()`, `from torch import relu`,
    `getattr(torch, "relu")`. A function of one's own that has such a name may be called.
    """
    found = trial.uses(f, set(forbidden))
    if found:
        name, line = found
        _fail(
            f"`{_name(f)}` is to be written by hand, and it uses `{name}` (line {line})",
            "Build it from simpler operations",
        )


# Ways to take things one by one in Python.
_LOOPS = {"for", "while", "map", "vmap", "reduce", "vectorize", "apply_along_axis"}


def no_loop(f: Callable) -> None:
    """`f`, and the student's own functions that it calls, do not take things one by one in Python.

    Looked for as in `by_hand`: `for`, `while`, comprehensions, `map` and the like.
    """
    found = trial.uses(f, _LOOPS)
    if found:
        name, line = found
        _fail(
            f"`{_name(f)}` loops in Python (`{name}`, line {line})",
            "One operation on whole tensors can take all of them at once",
        )


def stays_on_device(f: Callable, *args: Any, **kwargs: Any) -> None:
    """`f` works on a GPU: it mixes no devices, returns to the GPU, and gives the CPU's values.

    Run on a pretended GPU always, and on a real one where there is one.
    """
    want = f(*trial.snapshot(args), **trial.snapshot(kwargs))
    try:
        got, stayed = trial.call_on_gpu(f, args, kwargs)
    except pretend.MixedDevices:
        _fail(
            f"on a GPU `{_name(f)}` would stop: it mixes its input with a tensor made on the CPU",
            "A new tensor must be made where the input is: look at `device=` and at the `_like` "
            "functions",
        )
    if any(there is False for there in tree_leaves(stayed)):
        _fail(
            f"given a tensor on the GPU, `{_name(f)}` returns one on the CPU",
            "The result must stay on the device of the input",
        )
    close(got, want, "On a GPU the values differ from the CPU's")
    if "cuda" in devices():
        moved = tree_map(lambda t: t.cuda() if isinstance(t, torch.Tensor) else t, (args, kwargs))
        real = tree_map(
            lambda t: t.cpu() if isinstance(t, torch.Tensor) else t, f(*moved[0], **moved[1])
        )
        close(real, want, "On this GPU the values differ from the CPU's", tol=1e-3)


def work(f: Callable, *args: Any, **kwargs: Any) -> int:
    """How many numbers the tensor operations in a call of `f` read and write.

    It is the same each time and on every machine, so it tells how the cost grows with the input.
    """
    return trial.work(f, args, kwargs)


def _name(f: Callable) -> str:
    return getattr(f, "__name__", "your function")
