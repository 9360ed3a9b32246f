"""Values between the kernel and the judge: a JSON structure, and the raw bytes of arrays.

What arrives from a kernel is a stranger's. Nothing here runs code for it: only numbers, strings,
lists, dictionaries, arrays of known dtypes, and names of objects that stay where they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

DEPTH, NODES, BYTES = 20, 20_000, 64 * 2**20

_DTYPES = {
    str(d).removeprefix("torch."): d
    for d in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64,
        torch.complex64, torch.complex128,
        torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool,
    )
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


class WireError(Exception):
    """A value that can't be sent or was not sent properly; the text says why."""


class Encoder:
    """Makes a structure of a value, and collects the bytes of its arrays in `buffers`.

    `keep(value)` is called for an object that can't go by value, and returns what to know of it.
    """

    def __init__(self, keep: Callable[[Any], dict[str, Any]]) -> None:
        self.buffers: list[bytes] = []
        self._keep, self._nodes, self._bytes = keep, 0, 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The structure of `value`. Raises WireError where it is too large or too deep."""
        self._nodes += 1
        if depth > DEPTH or self._nodes > NODES:
            raise WireError("the value is nested too deeply or has too many parts")
        if value is None or isinstance(value, bool) or type(value) is str:
            return value
        if isinstance(value, int):
            return {"int": str(int(value))}
        if isinstance(value, float):
            return {"float": float(value).hex()}
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.kind not in "biufc":
                raise WireError(f"a NumPy array of dtype {value.dtype}")
            return {"numpy": self._tensor(torch.from_numpy(np.array(value)))}
        if isinstance(value, (list, tuple)):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.encode(v, depth + 1) for v in value]}
        if isinstance(value, dict):
            pairs = [
                [self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in value.items()
            ]
            return {"dict": pairs}
        if isinstance(value, torch.dtype):
            return {"dtype": _NAMES.get(value, "float32")}
        if isinstance(value, torch.device):
            return {"device": value.type}
        return {"kept": self._keep(value)}

    def _tensor(self, value: torch.Tensor) -> dict[str, Any]:
        if value.dtype not in _NAMES or value.layout is not torch.strided:
            raise WireError(f"a tensor of {value.dtype} and layout {value.layout}")
        self._bytes += value.numel() * value.element_size()
        if self._bytes > BYTES:
            raise WireError(f"more than {BYTES // 2**20} MB")
        plain = value.detach().cpu().contiguous().resolve_conj().resolve_neg()
        raw = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        self.buffers.append(raw)
        return {
            "tensor": _NAMES[value.dtype],
            "shape": list(value.shape),
            "buffer": len(self.buffers) - 1,
            "device": value.device.type,
            "grad": bool(value.requires_grad),
        }


class Decoder:
    """Makes values of a structure and its buffers.

    `find(description)` is called for an object that was kept on the other side.
    """

    def __init__(self, buffers: list[Any], find: Callable[[dict[str, Any]], Any]) -> None:
        self._buffers, self._find, self._nodes = buffers, find, 0

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of a structure. Raises WireError for anything that `Encoder` would not make."""
        self._nodes += 1
        if depth > DEPTH or self._nodes > NODES:
            raise WireError("nested too deeply or too many parts")
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, str):
            # Half of a surrogate pair can't be written to a file.
            return node.encode("utf-8", "replace").decode()
        if not isinstance(node, dict) or not node:
            raise WireError("not a value")
        kind, inside = next(iter(node.items()))
        try:
            return self._make(kind, inside, node, depth)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, RuntimeError) as why:
            raise WireError(f"a broken {str(kind)[:20]}") from why

    def _make(self, kind: str, inside: Any, node: dict[str, Any], depth: int) -> Any:
        if kind == "int":
            if len(inside) > 4000:
                raise WireError("a number too long")
            return int(inside)
        if kind == "float":
            return float.fromhex(inside)
        if kind == "tensor":
            return self._tensor(node)
        if kind == "numpy":
            return self._tensor(inside).numpy()
        if kind in ("list", "tuple"):
            values = [self.decode(v, depth + 1) for v in inside]
            return values if kind == "list" else tuple(values)
        if kind == "dict":
            return {self.decode(k, depth + 1): self.decode(v, depth + 1) for k, v in inside}
        if kind == "dtype":
            return _DTYPES[inside]
        if kind == "device":
            return torch.device(inside if inside == "cpu" or torch.cuda.is_available() else "cpu")
        if kind == "kept":
            return self._find(inside)
        raise WireError(f"an unknown kind {kind[:20]}")

    def _tensor(self, node: dict[str, Any]) -> torch.Tensor:
        dtype, shape = _DTYPES[node["tensor"]], [int(n) for n in node["shape"]]
        raw = bytes(self._buffers[int(node["buffer"])])
        size = torch.empty(0, dtype=dtype).element_size()
        if min(shape, default=0) < 0 or math.prod(shape) * size != len(raw):
            raise WireError("a tensor whose bytes don't fit its shape")
        flat = (
            torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(dtype)
            if raw
            else (torch.empty(0, dtype=dtype))
        )
        if dtype is torch.bool:
            flat = flat.view(torch.uint8) != 0  # a byte that is neither 0 nor 1 is undefined
        # In memory of torch's own: how sums are rounded depends on where numbers lie.
        tensor = flat.reshape(shape).clone()
        if node.get("device") == "cuda" and torch.cuda.is_available():
            tensor = tensor.cuda()
        return tensor.requires_grad_(bool(node.get("grad")) and tensor.is_floating_point())
