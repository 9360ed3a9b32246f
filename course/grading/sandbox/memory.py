"""How much memory of their own the processes of a jail use, asked from outside of it."""

from __future__ import annotations

import os
import re

_OWN = re.compile(r"^(?:RssAnon|RssShmem|VmPTE):\s+(\d+) kB$", re.MULTILINE)
_PSS = re.compile(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)


class Gauge:
    """Measures the jail whose first process is `pid`: a fork, that shares memory it didn't fill."""

    def __init__(self, pid: int) -> None:
        self._proc = f"/proc/{pid}/root/proc"  # as it is seen in there: its own processes only
        self._shared = _sum(_OWN, f"/proc/{pid}/status")

    def exceeds(self, limit: int) -> bool:
        """Whether they use more than so many bytes."""
        pids = self._pids()
        if self._most(pids) <= limit:
            return False
        # Forks that share their memory were counted several times: now exactly, which takes longer.
        sums = [_sum(_PSS, f"{self._proc}/{pid}/smaps_rollup") for pid in pids]
        return not all(sums) or sum(sums) > limit

    def _most(self, pids: list[str]) -> int:
        own = [_sum(_OWN, f"{self._proc}/{pid}/status") - self._shared for pid in pids]
        return sum(max(0, size) for size in own)

    def _pids(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._proc) if name.isdigit()]
        except OSError:
            return []


def _sum(pattern: re.Pattern[str], path: str) -> int:
    """The bytes that lines of a file in /proc add up to; 0 where it is gone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return 1024 * sum(map(int, pattern.findall(file.read())))
    except OSError:
        return 0
