"""How much a jailed kernel may use, and the part of it that Linux sees to by itself."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

_MB = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits of one kernel and all that it starts. Sizes in megabytes; 0 processes: by cores."""

    memory_mb: int = 2048
    disk_mb: int = 512  # its own files, in memory: home, /tmp and /dev/shm together
    file_mb: int = 256
    processes: int = 0  # threads count as processes
    open_files: int = 1024
    cpu_seconds: int = 3600

    def most_processes(self) -> int:
        """Enough for the threads of several libraries on each core."""
        return self.processes or 160 + 6 * len(os.sched_getaffinity(0))


def apply(limits: Limits, gpu: bool) -> None:
    """Set the limits of this process, which those it starts inherit."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 8 * _MB,
        resource.RLIMIT_FSIZE: limits.file_mb * _MB,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_NPROC: limits.most_processes(),
        resource.RLIMIT_CPU: limits.cpu_seconds,
    }
    if not gpu:  # a GPU's driver takes far more than it uses
        # Asked for at once it fails at once; what grows is seen to by the guard. Room for what is
        # there already, and for stacks.
        wanted[resource.RLIMIT_DATA] = _data() + (limits.memory_mb + 1024) * _MB
    with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
        file.write("1000")  # should the machine run out of memory, this goes first
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def _data() -> int:
    with open("/proc/self/statm", encoding="utf-8") as file:
        return int(file.read().split()[5]) * resource.getpagesize()
