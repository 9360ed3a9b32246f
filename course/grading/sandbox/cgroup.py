"""A control group for one kernel, where Linux lets us have one (cgroup v2)."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from course.grading.sandbox.limits import Limits

_ROOT = Path("/sys/fs/cgroup")


def make(name: str, limits: Limits) -> Path | None:
    """A group with these limits, beside our own; None where it can't be had."""
    own = _own()
    if own is None:
        return None
    group = (own.parent if own != _ROOT else own) / name
    with suppress(OSError):
        group.mkdir()
    try:
        (group / "memory.max").write_text(str(limits.memory_mb * 2**20))
        (group / "pids.max").write_text(str(limits.most_processes()))
        with suppress(OSError):  # no swap on this machine
            (group / "memory.swap.max").write_text("0")
    except OSError:
        with suppress(OSError):
            group.rmdir()
        return None
    return group


def enter(group: Path, pid: int) -> bool:
    """Put a process there; whether that was allowed."""
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return True


def remove(group: Path) -> None:
    """Remove a group whose processes have ended, or are about to."""
    for _ in range(100):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return


def _own() -> Path | None:
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, _, path = line.split(":", 2)
            if number == "0" and (_ROOT / "cgroup.controllers").exists():
                return Path(os.path.normpath(f"{_ROOT}/{path}"))
    return None
