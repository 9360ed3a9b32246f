"""The kernel itself: an ipykernel in a forked process, on sockets that were bound before."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from typing import Any, NoReturn

import numpy as np
import torch
import zmq
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from traitlets import Dict
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from course.grading.warm import PORTS


class _Heart(Heartbeat):
    """A heartbeat on a socket that is bound already."""

    fd = -1

    def _try_bind_socket(self) -> None:
        self.socket.setsockopt(zmq.USE_FD, self.fd)
        self.socket.bind(f"ipc://{self.ip}-{self.port}")


class _Outputs(IOPubThread):
    """Sends the outputs, and takes those of forked processes by a pipe that needs no network."""

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = os.urandom(16)
        self._pipe_address = f"ipc://@course-{uuid.uuid4()}"  # of no file
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(self._pipe_address)
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[zmq.Context, zmq.Socket]:
        context = zmq.Context()
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self._pipe_address)
        return context, pipe


class ForkedApp(IPKernelApp):
    """An ipykernel that writes no files: its sockets (`bound`, by port) and key are given to it."""

    bound: Any = Dict()

    def parse_command_line(self, argv: Any = None) -> None:
        """There is none."""

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """There is none: what is set is set by `serve`."""

    def init_connection_file(self) -> None:
        """See `IPKernelApp`."""

    def write_connection_file(self, **_: Any) -> None:
        """See `IPKernelApp`."""

    def _try_bind_socket(self, s: Any, port: int) -> int:
        s.setsockopt(zmq.USE_FD, self.bound[port])
        s.bind(f"ipc://{self.ip}-{port}")
        return port

    def init_iopub(self, context: zmq.Context) -> None:
        """See `IPKernelApp`."""
        socket = context.socket(zmq.XPUB)
        socket.linger = 1000
        self._bind_socket(socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = _Outputs(socket, pipe=True, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_heartbeat(self) -> None:
        """See `IPKernelApp`."""
        self.heartbeat = _Heart(zmq.Context(), (self.transport, self.ip, self.hb_port))
        self.heartbeat.fd = self.bound[self.hb_port]
        self.heartbeat.start()


def tidy(request: dict[str, Any], kept: list[int]) -> None:
    """Make this process a fresh one: its environment, random numbers, and files but `kept`."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    low = 3
    for fd in sorted(kept):
        os.set_inheritable(fd, False)
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 2**20)
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None  # the parent's may not be there
    np.random.seed()
    torch.default_generator.seed()  # `random` sees to itself
    sys.argv[:] = ["ipykernel"]


def serve(request: dict[str, Any], fds: list[int]) -> NoReturn:
    """Run the kernel to its end."""
    ports = {f"{name}_port": number for number, name in enumerate(PORTS, 1)}
    config = Config({"HistoryManager": {"enabled": False}})
    config.Session.key = request["key"].encode()
    config.Session.signature_scheme = request["signature_scheme"]
    bound = dict(zip(ports.values(), fds, strict=True))
    app = ForkedApp.instance(config=config, transport="ipc", ip="kernel", bound=bound, **ports)
    try:
        app.initialize([])
        app.start()
    finally:
        os._exit(0)
