"""How soon a kernel is ready, and what it takes of memory: warm and shut in, warm, and cold.

    python benchmarks/kernels.py [--kernels 60]

Ready means: started, its channels open, its first request answered, and torch and torch-geometric
imported. Memory is what the kernel and its guard have of their own (USS) and their share of all
(PSS), with nothing run but these imports.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from course.grading.warm.client import WarmManager

IMPORTS = "import torch, torch_geometric"


@dataclass(frozen=True)
class Run:
    """One kernel: seconds until it answered and had its imports, megabytes, seconds to its end."""

    answered: float
    ready: float
    own: float
    share: float
    ended: float


async def _run(manager: AsyncKernelManager) -> Run:
    start = time.perf_counter()
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=120)
    answered = time.perf_counter() - start
    await client.execute_interactive(IMPORTS, output_hook=lambda _: None)
    ready = time.perf_counter() - start
    own, share = _memory(manager.provisioner.pid)
    client.stop_channels()
    between = time.perf_counter()
    await manager.shutdown_kernel(now=True)
    return Run(answered, ready, own, share, time.perf_counter() - between)


def _memory(pid: int) -> tuple[float, float]:
    """Of a kernel, and of its guard where it has one, in MB: their own, and their share."""
    pids = [pid]
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if int(stat[1]) != os.getpid():
        pids.append(int(stat[1]))
    own = share = 0
    for one in pids:
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            size = int(rest.split()[0]) if rest.endswith("kB") else 0
            own += size * name.startswith("Private_")
            share += size * (name == "Pss")
    return own / 1024, share / 1024


def _warm(sandbox: bool) -> WarmManager:
    return WarmManager(config=Config(WarmProvisioner={"sandbox": sandbox}))


async def _measure(count: int) -> dict[str, list[Run]]:
    made: dict[str, list[Run]] = {"warm, shut in": [], "warm": [], "cold": []}
    await _run(_warm(sandbox=True))  # the parent warms up
    for number in range(count):
        made["warm, shut in"].append(await _run(_warm(sandbox=True)))
        made["warm"].append(await _run(_warm(sandbox=False)))
        if number % 12 == 0:
            made["cold"].append(await _run(AsyncKernelManager(kernel_name="python3")))
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", type=int, default=60, metavar="N")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    runs = asyncio.run(_measure(options.kernels))
    print(
        f"{'kernels':18} {'answers':>18} {'with imports':>18} {'ends':>8} {'own':>9} {'share':>9}"
    )
    print(f"{'':18} {'p50':>9}{'p95':>9} {'p50':>9}{'p95':>9} {'p50':>8} {'MB':>9} {'MB':>9}")
    for name, of in runs.items():
        answered, ready = (_both([getattr(r, k) for r in of]) for k in ("answered", "ready"))
        ended = 1000 * statistics.median(r.ended for r in of)
        own, share = (statistics.median(getattr(r, k) for r in of) for k in ("own", "share"))
        print(
            f"{f'{len(of)} {name}':18} {answered} {ready} {ended:5.0f} ms {own:9.1f} {share:9.1f}"
        )
    jailed, warm = (
        statistics.median(r.answered for r in runs[name]) for name in ("warm, shut in", "warm")
    )
    print(f"the sandbox costs {1000 * (jailed - warm):.0f} ms of that (medians)")
    print(f"on {os.cpu_count()} cores, load {before:.1f} before and {os.getloadavg()[0]:.1f} after")


def _both(seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return f"{1000 * statistics.median(seconds):6.0f} ms{1000 * p95:6.0f} ms"


if __name__ == "__main__":
    main()
