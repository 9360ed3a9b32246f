"""Jupyter's way to our kernels: the provisioner that the kernelspec `course-graded` names."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
from contextlib import suppress
from dataclasses import fields
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool, Integer, List, Unicode

from course.grading.sandbox import mounts
from course.grading.sandbox.limits import Limits
from course.grading.warm import PORTS, nursery

_START_SECONDS = 120  # for a parent that is not warm yet, on a machine with other work
_END_SECONDS = 5
_MESSAGE = 20_000
_LIMITS = [limit.name for limit in fields(Limits)]


class WarmProvisioner(KernelProvisionerBase):
    """Kernels that are forked from a warm parent, each in a sandbox of its own.

    A kernel is known by a descriptor (pidfd), not by a number that could be another's by now. It
    ends when this object lets go of its leash, or is gone.
    """

    sandbox = Bool(True, help="Whether kernels are shut in.").tag(config=True)
    gpu = Bool(
        bool(os.environ.get("COURSE_GPU")),
        help="Whether kernels see the machine's GPUs; $COURSE_GPU sets it too.",
    ).tag(config=True)
    hidden = List(Unicode(), help="Folders that no kernel sees, wherever they lie.").tag(
        config=True
    )
    memory_mb = Integer(Limits.memory_mb, help="Memory of its own, in MB.").tag(config=True)
    disk_mb = Integer(Limits.disk_mb, help="Room for its files, in MB.").tag(config=True)
    file_mb = Integer(Limits.file_mb, help="Size of one file, in MB.").tag(config=True)
    processes = Integer(Limits.processes, help="Processes and threads; 0: by cores.").tag(
        config=True
    )
    open_files = Integer(Limits.open_files, help="Open files of a process.").tag(config=True)
    cpu_seconds = Integer(Limits.cpu_seconds, help="Seconds of a processor, in all.").tag(
        config=True
    )

    why_ended = ""  # "memory" where it took too much, "asked" where it was ended by the grader

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._leash: socket.socket | None = None
        self._process = -1  # a pidfd
        self._code: int | None = None
        self._place = ""
        self.pid = 0

    @property
    def has_process(self) -> bool:
        """See `KernelProvisionerBase`, as with what follows."""
        return self._process >= 0

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the sockets, by which the kernel can be reached and its clients know it."""
        manager: Any = self.parent
        self._place = self._place or nursery.shared.place()
        manager.transport, manager.ip = "ipc", self._place
        for number, name in enumerate(PORTS, 1):
            setattr(manager, f"{name}_port", number)
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(
        self,
        cmd: list[str],  # noqa: ARG002  (it is forked, and runs no command)
        **kwargs: Any,
    ) -> KernelConnectionInfo:
        """Have a kernel forked. Returns when it is shut in; RuntimeError says why it could not."""
        manager: Any = self.parent
        bound = [_bound(f"{self._place}-{number}") for number in range(1, len(PORTS) + 1)]
        self._leash, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = {
            "sandbox": self.sandbox,
            "gpu": self.gpu,
            "work": os.path.abspath(kwargs["cwd"]) if kwargs.get("cwd") else "",
            "limits": {name: getattr(self, name) for name in _LIMITS},
            "env": nursery.environment(kwargs["env"]) | mounts.ENVIRONMENT
            if self.sandbox
            else kwargs["env"],
            "key": manager.session.key.decode(),
            "signature_scheme": manager.session.signature_scheme,
        }
        self._leash.send(json.dumps(asked).encode())
        with theirs:
            nursery.shared.request(
                list(self.hidden), [theirs.fileno(), *(s.fileno() for s in bound)]
            )
        for one in bound:
            one.close()
        said, fds = b'{"error": "it took too long"}', list[int]()
        if await _readable(self._leash.fileno(), _START_SECONDS):
            said, fds, _, _ = socket.recv_fds(self._leash, _MESSAGE, 1)
        told = json.loads(said or "{}")
        if not fds:
            await self.cleanup()
            why = told.get("error") or nursery.shared.trouble()
            raise RuntimeError(f"No kernel could be started: {why}")
        self._process, self.pid, self._code = fds[0], told["pid"], None
        return self.connection_info

    async def poll(self) -> int | None:
        """None while it runs."""
        if not self.has_process:
            return self._code or 0
        return self._code or 1 if _is_ready(self._process) else None

    async def wait(self) -> int | None:
        """Wait until it, and all that it started, has ended."""
        if self.has_process and self._leash is not None:
            await _readable(self._process, None)
            if await _readable(self._leash.fileno(), _END_SECONDS):
                told = json.loads(self._leash.recv(_MESSAGE) or "{}")
                self._code, self.why_ended = told.get("ended"), told.get("why", "")
            os.close(self._process)
            self._process = -1
        return self._code

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel alone, not what it started."""
        if self.has_process:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002
        """End it, and with it all that it started."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """As `kill`: the first process of a namespace is deaf to other signals."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: ARG002
        """Let go of the leash: what is left ends now."""
        if self._leash is not None:
            self._leash.close()
            self._leash = None


def _bound(path: str) -> socket.socket:
    """A socket that takes connections already: whoever connects to it waits for the kernel."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # of the kernel that this one replaces
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    made.listen(16)
    made.setblocking(False)
    return made


def _is_ready(fd: int) -> bool:
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    return bool(waiting.poll(0))


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _readable(fd: int, seconds: float | None) -> bool:
    """Wait until there is something to read, or that time is over; whether there is."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, _settle, ready)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(ready, seconds)
        return ready.done() and not ready.cancelled()
    finally:
        loop.remove_reader(fd)
