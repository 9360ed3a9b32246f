"""Where the grader's process gets its kernels: one warm parent, started when first asked for."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from course.grading.warm import END

# What a kernel and its parent get of the grader's environment: no names of files, no secrets.
_KEPT = ("LANG", "LC_", "TZ", "OMP_", "MKL_", "OPENBLAS_", "CUDA_", "NVIDIA_", "HIP_", "NBGRADER_")
_KEPT_WHOLE = ("PATH", "COURSE_GRADING", "COURSE_SEED")
_PARENTS = ("HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "MPLCONFIGDIR")
_LONGEST = 80  # of a path for sockets, of which Linux takes 107 bytes


def environment(given: dict[str, str]) -> dict[str, str]:
    """What of an environment a kernel gets."""
    return {k: v for k, v in given.items() if k.startswith(_KEPT) or k in _KEPT_WHOLE}


class Nursery:
    """A warm parent, and the folder of the sockets of its kernels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen | None = None
        self._said: IO[bytes] | None = None
        self._folder: Path | None = None
        self._number = 0

    def start(self) -> None:
        """Have the parent start to import, where there is none; returns at once."""
        with self._lock:
            self._start()

    def request(self, hidden: list[str], fds: list[int]) -> None:
        """Have a kernel forked. The first of `fds` is where its guard reads the rest, and answers.

        `hidden` are folders that it is not to see, wherever they lie.
        """
        message = json.dumps({"hidden": hidden}).encode()
        with self._lock:
            for last in (False, True):
                line = self._start()
                try:
                    socket.send_fds(line, [message], fds)
                except OSError:
                    if last:
                        raise
                    self._end()  # the parent is gone: once more with a new one
                else:
                    return

    def place(self) -> str:
        """A new path for the sockets of a kernel, to which their numbers are added."""
        with self._lock:
            self._start()
            self._number += 1
            return f"{self._folder}/{self._number}"

    def folder(self) -> Path:
        """A private folder that goes when this process ends, in whatever way."""
        with self._lock:
            self._start()
            assert self._folder is not None
            return self._folder

    def trouble(self) -> str:
        """What the parent said when it ended."""
        if self._said is None:
            return ""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")[-2000:]

    def close(self) -> None:
        """End the parent, and with it all kernels."""
        with self._lock:
            if self._line is not None:
                with suppress(OSError):
                    self._line.send(END)
            self._end()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def forget(self) -> None:
        """Leave the parent to the process that this one was forked from."""
        self.__init__()  # type: ignore[misc]

    def _start(self) -> socket.socket:
        if self._line is not None:
            return self._line
        self._folder = self._folder or _folder()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        env = environment(dict(os.environ))
        env |= {k: os.environ[k] for k in _PARENTS if k in os.environ}
        env |= {
            "PYTHONSAFEPATH": "1",
            "OMP_NUM_THREADS": "1",  # a class is graded side by side: one core for each kernel
            "TORCHINDUCTOR_CACHE_DIR": f"{self._folder}/torch",  # made when torch is imported
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            # Ask the driver, not the runtime: CUDA would not survive the fork.
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        }
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "course.grading.warm.parent", str(there.fileno()),
                 str(self._folder)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said,
                pass_fds=[there.fileno()], env=env, cwd="/", start_new_session=True,
            )  # fmt: skip
        self._line = here
        return here

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.wait()
            self._process = None


def _folder() -> Path:
    """A private folder whose path is short enough for sockets in it."""
    for place in (tempfile.gettempdir(), "/tmp"):
        if len(place) < _LONGEST and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="course-", dir=place))
    raise OSError("There is no folder with a short name for the kernels' sockets: set TMPDIR=/tmp.")


shared = Nursery()  # one a process
atexit.register(shared.close)
os.register_at_fork(after_in_child=shared.forget)
