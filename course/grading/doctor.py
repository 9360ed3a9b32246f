"""`course doctor`: whether this machine can grade, layer by layer, and how to get what it lacks."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course.grading import warm
from course.grading.sandbox import probe
from course.grading.sandbox.probe import Layer
from course.grading.warm.client import WarmManager

_MARKS = {True: "✓", False: "✗", None: "–"}
_KERNELS = 5
_LEAST_GB = 2


def main(root: Path) -> int:
    """Print a line for each thing that grading needs; 1 where it can't do without what lacks."""
    lacking = 0
    for title, found in {
        "The sandbox": probe.layers(),
        "Warm kernels": _warm_kernels(),
        "This machine": _machine(root),
    }.items():
        print(title)
        for layer in found:
            lacking += layer.holds is False
            print(f"  {_MARKS[layer.holds]} {layer.name:24} {layer.means}")
            if layer.holds is not True and layer.remedy:
                print(f"    {'':24} → {layer.remedy}")
    print("Ready to grade." if not lacking else "Not ready to grade: see the lines with ✗.")
    return 1 if lacking else 0


def _warm_kernels() -> Iterator[Layer]:
    if sys.platform != "linux":
        return
    shut_in = not probe.what_is_missing()
    try:
        first, later, megabytes = asyncio.run(_try_kernels(shut_in))
    except RuntimeError as problem:
        yield Layer("a kernel", False, str(problem).strip().splitlines()[-1])
        return
    yield Layer("the warm parent", True, f"has torch and the rest imported after {first:.1f} s")
    known = warm.is_known()
    yield Layer(
        "the kernel's name",
        known or None,
        f"Jupyter {'knows' if known else 'does not know'} {warm.KERNEL_NAME}: a notebook with that "
        "kernel runs as it is graded",
        "run `make setup` in the course folder; grading goes on without it",
    )
    how = "shut in" if shut_in else "not shut in"
    yield Layer(
        "a kernel",
        True,
        f"forked and {how}, answers after {1000 * later:.0f} ms (median of {_KERNELS}), and has "
        f"{megabytes:.0f} MB of its own",
    )


async def _try_kernels(shut_in: bool) -> tuple[float, float, float]:
    """Seconds to the first kernel and, as a median, to later ones; megabytes of a kernel's own."""
    times = []
    for _ in range(1 + _KERNELS):
        start = time.perf_counter()
        manager = WarmManager(config=Config(WarmProvisioner={"sandbox": shut_in}))
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        times.append(time.perf_counter() - start)
        own = _own_megabytes(manager.pid)
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
    return times[0], statistics.median(times[1:]), own


def _own_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _machine(root: Path) -> Iterator[Layer]:
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Layer(
        "cores", True, f"{cores}; torch computes with {torch.get_num_threads()} threads in a kernel"
    )
    free = shutil.disk_usage(root).free / 1e9
    yield Layer(
        "disk", free > _LEAST_GB, f"{free:.1f} GB free where the course lies", "make some room"
    )
    yield _gpu()
    yield _gradebook(root)


def _gpu() -> Layer:
    import torch

    from course import device

    if "cuda" not in device.available():
        build = "torch is built without CUDA" if torch.version.cuda is None else "torch sees none"
        return Layer("GPU", None, f"{build}; everything is graded on the CPU")
    wanted = bool(os.environ.get("COURSE_GPU"))
    return Layer(
        "GPU",
        True if wanted else None,
        "kernels are let to it" if wanted else "there is one, and kernels don't see it",
        "COURSE_GPU=1 in the grader's environment lets them",
    )


def _gradebook(root: Path) -> Layer:
    config = PyFileConfigLoader("nbgrader_config.py", str(root)).load_config()
    url = str(config.CourseDirectory.get("db_url", "sqlite:///gradebook.db"))
    kind = url.partition(":")[0]
    if not kind.startswith("postgresql"):
        return Layer("gradebook", True, f"{kind.partition('+')[0]}, in the course folder")
    driver = kind.partition("+")[2] or "psycopg2"
    return Layer(
        "gradebook",
        importlib.util.find_spec(driver) is not None,
        f"{kind}, by the driver {driver}",
        "write postgresql+psycopg://... for the driver that comes with the course",
    )
