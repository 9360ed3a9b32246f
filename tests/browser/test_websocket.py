"""Does a kernel's message leave Jupyter's server at once?"""

import ctypes
import json
import os
import socket
import urllib.request

import psutil
import pytest
import websocket
from labserver import Server

pytestmark = pytest.mark.xdist_group("browser-widgets")
PIDFD_GETFD = 438  # the system call, on all machines


def served(port: int, client: int) -> socket.socket:
    """A copy of the server's end of the connection from port `client`."""
    (found,) = (
        there
        for there in psutil.net_connections("tcp")
        if there.raddr and (there.laddr.port, there.raddr.port) == (port, client)
    )
    process = os.pidfd_open(found.pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, found.fd, 0)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    os.close(process)
    return socket.socket(fileno=fd)


def test_a_message_does_not_wait_for_the_one_before_it(server: Server) -> None:
    ask = urllib.request.Request(server.url("api/kernels"), data=b"{}", method="POST")
    with urllib.request.urlopen(ask) as answer:
        kernel = json.load(answer)["id"]
    address = server.url(f"api/kernels/{kernel}/channels").replace("http", "ws", 1)
    line = websocket.create_connection(address)
    line.recv()  # the kernel is connected
    port, client = line.sock.getpeername()[1], line.sock.getsockname()[1]
    with served(port, client) as end:
        assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    line.close()
    server.end_kernels()
