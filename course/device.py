"""Where to compute: the GPU where there is one, the CPU elsewhere."""

from __future__ import annotations

import os

import torch

# Ask the driver, not the runtime: CUDA stays untouched, so that the process may still fork.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def available() -> list[str]:
    """The devices of this machine, the CPU first: `["cpu"]` or `["cpu", "cuda"]`."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def best() -> torch.device:
    """The fastest device of this machine, for `tensor.to(device.best())`."""
    return torch.device(available()[-1])
