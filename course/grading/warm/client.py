"""A manager and a client for kernels that are ready soon: waiting without sleeping."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from course.grading.warm.provisioner import WarmProvisioner

_KERNELSPEC = Path(__file__).parent / "kernelspec"
_LOOK = 0.5  # how long to wait until the kernel's death would be noticed, in seconds


class WarmClient(AsyncKernelClient):
    """Waits for the kernel's first answer and the first message of its outputs, and no longer."""

    def start_channels(self, *args: Any, **kwargs: Any) -> None:
        """Without the heartbeat, which costs a thread: the kernel's process is watched instead."""
        super().start_channels(*args, **{**kwargs, "hb": False})

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        self.kernel_info()
        reply = await self._first(self.shell_channel, until)
        # It greets whoever listens to its outputs: from now on none is missed.
        await self._first(self.iopub_channel, until)
        self._handle_kernel_info_reply(reply)

    wait_for_ready = _async_wait_for_ready

    async def _first(self, channel: Any, until: float) -> dict[str, Any]:
        while time.monotonic() < until:
            try:
                return await channel.get_msg(timeout=_LOOK)
            except Empty:
                if not await self._async_is_alive():
                    raise RuntimeError("The kernel died before it was ready.") from None
        raise RuntimeError("The kernel was not ready in time.")


class WarmManager(AsyncKernelManager):
    """An asynchronous manager of our kernels, whether or not Jupyter knows them by name."""

    client_class = "course.grading.warm.client.WarmClient"
    client_factory = Type(WarmClient, klass=WarmClient)

    @property
    def pid(self) -> int:
        """The kernel's process, as this machine numbers it."""
        return self.provisioner.pid if isinstance(self.provisioner, WarmProvisioner) else 0

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one that comes with the package."""
        return KernelSpec.from_resource_dir(str(_KERNELSPEC))

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = WarmProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**kw)

    def _reconcile_connection_info(self, info: KernelConnectionInfo) -> None:
        """Write no file: the provisioner took this manager's own ports and key."""

    async def _async_wait(self, pollinterval: float = 0.1) -> None:  # noqa: ARG002
        """Wait until the kernel has ended, without asking again and again."""
        if self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.wait()
