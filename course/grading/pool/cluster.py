"""The Dask cluster that grades: one of this machine's cores, or one that is there already."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Future, LocalCluster, Worker, WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker
from distributed.security import Security

from course.build import BuildError
from course.grading.pool import bundle as bundles
from course.grading.pool.bundle import Bundle, Result
from course.grading.sandbox import probe

# How much is under way at once: no worker is to wait, and no memory to fill.
_MOST_BUNDLES = 256
_MOST_BYTES = 256 * 2**20
_GATEWAY = "gateway:"  # before the name of a cluster that Dask Gateway keeps
_STARTS = 3  # Dask gives up all workers where one dies before it is up


class ClusterLostError(Exception):
    """The scheduler went away."""


@contextmanager
def local(workers: int, scratch: Path) -> Iterator[Client]:
    """A cluster of `workers` processes that ends with the block, or with this process."""
    settings = {
        "temporary-directory": str(scratch),
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.comm.timeouts.connect": "60s",
        # What nobody looks at here, many times a second.
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.scheduler.active-memory-manager.start": False,
    }
    with dask.config.set(settings):
        cluster = _started(workers)
        try:
            with Client(cluster) as client:
                client.register_plugin(_Ready(quiet=True))
                yield client
        except BaseException:
            _kill(cluster)
            raise
        finally:
            with suppress(TimeoutError):  # what still runs then ends with this process
                cluster.close(timeout=10)


def _started(workers: int) -> LocalCluster:
    for _ in range(_STARTS):
        with suppress(RuntimeError):
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=None,
                security=_own_key(),
                silence_logs=50,
            )
    raise BuildError(
        "The processes that grade end while they start: if memory is short, give `--workers 1`."
    )


@contextmanager
def remote(address: str, sandbox: bool) -> Iterator[Client]:
    """The cluster whose scheduler has this address, or `gateway:NAME` for one of Dask Gateway's.

    Keys for TLS, and where the gateway is, are set in Dask's own settings. Raises BuildError where
    the cluster isn't there, or one of its workers can't shut kernels in.
    """
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # we say ourselves what went wrong
    with ExitStack() as stack:
        try:
            client = stack.enter_context(
                _of_gateway(address.removeprefix(_GATEWAY))
                if address.startswith(_GATEWAY)
                else Client(address, timeout="10s")
            )
        except (OSError, ValueError, ImportError) as problem:
            raise BuildError(f"There is no scheduler at {address}: {problem}.") from None
        client.register_plugin(_Ready(quiet=False))
        for worker, missing in client.run(probe.what_is_missing).items() if sandbox else ():
            if missing:
                raise BuildError(f"On the worker {worker}: {missing}")
        yield client


@contextmanager
def _of_gateway(name: str) -> Iterator[Client]:
    """Connected to a cluster that goes on afterwards."""
    from dask_gateway import Gateway

    with Gateway().connect(name) as cluster, cluster.get_client() as client:
        yield client


class _Ready(WorkerPlugin):
    """Imports what grading needs once for each worker, before its first submission."""

    name = "course-autograde"

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def setup(self, worker: Worker) -> None:
        """Runs on a worker; `quiet` keeps what kernels print to stderr out of the terminal."""
        if self._quiet:
            with Path(worker.local_directory, "stderr.log").open("w") as log:
                os.dup2(log.fileno(), 2)
        importlib.import_module("course.grading.pool.bench")


def _kill(cluster: LocalCluster) -> None:
    """End the workers at once, in the middle of whatever they do."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)


def graded(
    client: Client, take: Callable[[], tuple[Any, Bundle] | None]
) -> Iterator[tuple[Any, Bundle, Result | str]]:
    """Have bundles graded; gives each with its result as it comes, or why there is none.

    `take` gives the next bundle and what it is for, or None while there is none. Raises
    ClusterLostError where the scheduler goes away.
    """
    flying: dict[Future, tuple[Any, Bundle, int]] = {}
    coming = as_completed()
    while True:
        while len(flying) < _MOST_BUNDLES and sum(f[2] for f in flying.values()) < _MOST_BYTES:
            taken = take()
            if taken is None:
                break
            bundle = taken[1]
            future = client.submit(_grade, bundle, pure=False)
            flying[future] = (*taken, bundles.size(bundle.files))
            coming.add(future)
        if not flying:
            return
        future = next(coming)
        ticket, bundle, _ = flying.pop(future)
        yield ticket, bundle, _outcome(future)


def _outcome(future: Future) -> Result | str:
    if future.status == "finished":
        return future.result()
    if future.cancelled() or future.status == "lost":
        raise ClusterLostError
    problem = future.exception()
    if isinstance(problem, KilledWorker):
        return "Each worker that graded it died: it may have used up the memory."
    return bundles.sentence(problem)


def _grade(bundle: Bundle) -> Result:
    """Runs on a worker."""
    from course.grading.pool import bench

    return bench.grade(bundle, Path(get_worker().local_directory))


def _own_key() -> Security:
    """A key that only this cluster has: whoever else is on this machine must not give it orders."""
    try:
        return Security.temporary()
    except ImportError:
        pass  # the `cryptography` package is not here
    openssl = shutil.which("openssl")
    if openssl is None:
        raise BuildError(
            "The workers of `course autograde` talk over TLS, so that nobody else on this machine "
            "can: install `openssl` (on Debian: sudo apt-get install openssl)."
        )
    made = subprocess.run(
        [
            openssl, "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-days", "365", "-subj", "/CN=dask-internal",
            "-addext", "subjectAltName=DNS:dask-internal", "-keyout", "-", "-out", "-",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    at = made.index("-----BEGIN CERTIFICATE-----")
    key, certificate = made[:at], made[at:]
    roles = ("client", "scheduler", "worker")
    keys = {f"tls_{role}_key": key for role in roles}
    certificates = {f"tls_{role}_cert": certificate for role in roles}
    return Security(require_encryption=True, tls_ca_file=certificate, **keys, **certificates)
