"""The warm parent: imports what kernels need, then forks one for each request.

It has one thread, no event loop, no ZeroMQ context, no CUDA and no data of anyone's, so that a fork
is whole. It ends with the process that started it, and where that was killed it removes the FOLDER
of its kernels' sockets: `python -m course.grading.warm.parent FD FOLDER`.
"""

from __future__ import annotations

import gc
import hmac
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import sys
from contextlib import suppress

from course.grading.sandbox import seccomp, view
from course.grading.warm import END

_BYTES, _FDS = 200_000, 16  # of a request

_IMPORTS = (
    "numpy", "matplotlib.pyplot", "torch", "torch.nn.functional", "torch_geometric", "ipywidgets",
    "ipykernel.ipkernel", "ipykernel.kernelapp", "tornado.platform.asyncio", "pdb",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "course.grading.warm.guard", "course.grading.warm.kernel",
)  # fmt: skip
# Bound to a notebook's shell when they are imported, or quickly done: each kernel does it anew.
_NOT_OURS = ("check", "data", "device", "widgets")


def warm_up() -> None:
    """Import what notebooks import, and what a kernel is made of."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    importlib.import_module("ipykernel.debugger")  # finds that there is none, and kernels do too
    del sys.modules["debugpy"]
    for name in _IMPORTS:
        importlib.import_module(name)
    import course

    for module in pkgutil.walk_packages(course.__path__, "course."):
        if module.name.split(".")[1] in _NOT_OURS:
            importlib.import_module(module.name)
    for name in list(sys.modules):
        # Our own modules are left to the kernel, for some attach themselves to its shell.
        if name.startswith("course.") and not name.startswith("course.grading"):
            del sys.modules[name]
            head, _, tail = name.rpartition(".")
            if head == "course":
                with suppress(AttributeError):
                    delattr(course, tail)
    hmac.new(b"", digestmod="sha256")  # OpenSSL reads its settings
    with suppress(ImportError):
        seccomp.rules()
    if os.fork() == 0:
        os._exit(0)  # before a fork, OpenBLAS ends its threads for good
    os.wait()
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("an imported package has started threads: kernels can't be forked")
    gc.collect()
    gc.freeze()  # what is here stays shared: collecting would touch, and so copy, every page


def serve(line: socket.socket) -> bool:
    """Fork a guard for each request, until told to end; False where the grader was gone before."""
    from course.grading.warm import guard

    grader = os.pidfd_open(os.getppid())
    poll = select.poll()
    for fd in (line.fileno(), grader):
        poll.register(fd, select.POLLIN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a guard that ends is forgotten
    number = 0
    while not any(fd == grader for fd, _ in poll.poll()):
        asked, fds, _, _ = socket.recv_fds(line, _BYTES, _FDS)
        if asked in (b"", END):
            return bool(asked)
        number += 1
        own = os.getpid()
        # Worked out once, for all guards. It is all that is told here: what is a kernel's own, its
        # guard reads from the leash, so that no later kernel finds it in its memory.
        shown = view.shown(tuple(json.loads(asked)["hidden"]))
        if os.fork() == 0:
            line.close()
            guard.run(fds, own, number, shown)
        for fd in fds:
            os.close(fd)
    return False


if __name__ == "__main__":
    warm_up()
    if not serve(socket.socket(fileno=int(sys.argv[1]))):
        shutil.rmtree(sys.argv[2], ignore_errors=True)
