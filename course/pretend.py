"""A pretended GPU: tensors that say `cuda:0`, hold real values, and refuse to mix with the CPU's.

PyTorch's own `FakeTensorMode` says the same about devices, but knows no values, so code that looks
at one (`if z.max() > 0`, `float(v)`, a loop over elements) stops there although it would run on a
GPU. Here each tensor carries its values on the CPU, so such code runs on, and what it leaves on the
CPU is still caught. It needs no GPU and no CUDA build of PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)

# Calls that a real GPU allows between devices: copying over, and indexing by indices on the CPU.
_MAY_MIX = {"copy_", "_copy_from", "index", "index_put", "index_put_", "_index_put_impl_"}
# Calls in which even a single number on the CPU is refused (elsewhere PyTorch lets it pass).
_STRICT = {"cat", "stack"}


class MixedDevices(RuntimeError):
    """One operation was given tensors of the pretended GPU and of the CPU."""


class _PretendTensor(torch.Tensor):
    """A tensor that reports `cuda:0`; its values are the CPU tensor `held`."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Self:
        with torch._C.DisableTorchFunction():
            outside = torch.empty_strided(
                held.shape, held.stride(), dtype=held.dtype, device="meta"
            )
        return torch.Tensor._make_subclass(
            cls, outside, held.requires_grad, dispatch_device=True, device_for_backend_keys=CUDA
        )

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held.detach()

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return CUDA

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        return True

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"{self.held!r} (pretended to be on {CUDA})"

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        name = func.overloadpacket.__name__
        strangers = [
            t for t in tensors if not isinstance(t, cls) and (t.dim() > 0 or name in _STRICT)
        ]
        if strangers and name not in _MAY_MIX:
            raise MixedDevices(
                "Expected all tensors to be on the same device, "
                f"but found at least two devices, cuda:0 and cpu (in {name})"
            )
        if kwargs.get("device") is not None:
            kwargs["device"] = torch.device("cpu")
        held_args, held_kwargs = tree_map(
            lambda t: t.held if isinstance(t, cls) else t, (args, kwargs)
        )
        out = func(*held_args, **held_kwargs)

        def seat(result: Any) -> Any:
            if not isinstance(result, torch.Tensor):
                return result
            for t in tensors:  # an in-place call returns the very tensor it was given
                if t is result or (isinstance(t, cls) and t.held is result):
                    return t
            return cls(result)

        return tree_map(seat, out)


class _ToGpu(torch.autograd.Function):
    """CPU to pretended GPU, so that gradients find their way back."""

    @staticmethod
    def forward(_: Any, t: torch.Tensor) -> torch.Tensor:
        return _PretendTensor(t)

    @staticmethod
    def backward(_: Any, grad: torch.Tensor) -> torch.Tensor:
        return _held(grad)


class _ToCpu(torch.autograd.Function):
    """Pretended GPU to CPU."""

    @staticmethod
    def forward(_: Any, t: torch.Tensor) -> torch.Tensor:
        return _held(t).clone()

    @staticmethod
    def backward(_: Any, grad: torch.Tensor) -> torch.Tensor:
        return _PretendTensor(grad)


def _held(t: torch.Tensor) -> torch.Tensor:
    return t.held if isinstance(t, _PretendTensor) else t


def _on_gpu(t: Any) -> Any:
    if not isinstance(t, torch.Tensor) or isinstance(t, _PretendTensor):
        return t
    if t.requires_grad and torch.is_grad_enabled():
        return _ToGpu.apply(t)
    return _PretendTensor(t)


def _is_cuda(device: Any) -> bool:
    if device is None or isinstance(device, bool):
        return False
    return isinstance(device, int) or torch.device(device).type == "cuda"


class _PretendMode(TorchFunctionMode):
    """Sends what asks for `device="cuda"` to the pretended GPU, before PyTorch looks for one."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        tensor = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if tensor is not None and name in ("to", "cuda", "cpu"):
            return self._move(name, tensor, args[1:], kwargs)
        if isinstance(tensor, _PretendTensor):
            if name == "one_hot":  # for a subclass it makes its classes on the CPU, and compares
                return _PretendTensor(func(tensor.held, *args[1:], **kwargs))
            if name == "tolist":
                return tensor.held.tolist()
            if name == "numpy":
                raise TypeError(
                    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first."
                )
        if "device" in kwargs and _is_cuda(kwargs["device"]):
            if not isinstance(tensor, _PretendTensor):  # new_zeros and the like know already
                wants_grad = kwargs.pop("requires_grad", False)
                made = _on_gpu(func(*args, **{**kwargs, "device": "cpu"}))
                return made.requires_grad_(True) if wants_grad else made
            del kwargs["device"]
        return func(*args, **kwargs)

    @staticmethod
    def _move(name: str, tensor: torch.Tensor, args: tuple, kwargs: dict) -> torch.Tensor:
        if name == "to":
            other = args[0] if args else kwargs.get("other")
            if isinstance(other, torch.Tensor):
                device, dtype = other.device, other.dtype
            else:
                device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        else:
            device, dtype = torch.device(name), None
        if dtype is not None and dtype != tensor.dtype:
            tensor = tensor.type(dtype)
        if device is None:
            return tensor
        if _is_cuda(device):
            return _on_gpu(tensor)
        return _ToCpu.apply(tensor) if isinstance(tensor, _PretendTensor) else tensor


@contextmanager
def gpu() -> Iterator[None]:
    """Within this block `device="cuda"` means the pretended GPU.

    Move tensors in with `to_gpu`, and take results out with `to_cpu`.
    """
    torch._C._ensureCUDADeviceGuardSet()
    with _PretendMode():
        yield


def to_gpu(values: Any) -> Any:
    """`values` (tensors in any nesting of lists, tuples and dicts) on the pretended GPU."""
    return tree_map(
        lambda t: (
            _PretendTensor(t.detach().clone()).requires_grad_(t.requires_grad)
            if isinstance(t, torch.Tensor)
            else t
        ),
        values,
    )


def to_cpu(values: Any) -> Any:
    """`values` as ordinary CPU tensors."""
    return tree_map(lambda t: _held(t) if isinstance(t, torch.Tensor) else t, values)


def is_on_gpu(value: Any) -> bool:
    """Whether `value` is a tensor on the pretended GPU."""
    return isinstance(value, _PretendTensor)
