"""Commands under way, which tests watch and kill."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from small_course import SMALL, Course

STUDENTS = [f"student-{n}" for n in range(6)]
SECONDS = 120  # how long anything may take on a laden machine


class Running:
    """A command under way, in a process group of its own as in a terminal."""

    def __init__(self, course: Course, *arguments: str) -> None:
        self._course = course
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=course.root, env=course.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._seen: dict[int, psutil.Process] = {}

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, while the command runs."""
        end = time.monotonic() + SECONDS
        while not holds():
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < end
            self._look()
            time.sleep(0.02)
        self._look()

    def workers(self) -> list[psutil.Process]:
        """The worker processes, which are those that were spawned."""
        children = psutil.Process(self._process.pid).children()
        found = []
        for child in children:
            with suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def grading(self) -> list[psutil.Process]:
        """The workers that have a kernel."""
        found = []
        for worker in self.workers():
            with suppress(psutil.NoSuchProcess):
                for child in worker.children():
                    if "course.grading.warm" in " ".join(child.cmdline()) and child.children():
                        found.append(worker)
        return found

    def send(self, number: int) -> tuple[int, str]:
        """Signal the command (its whole group on Ctrl-C); its exit status and what it said."""
        if number == signal.SIGINT:
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Wait for the end of the command, and of all that it started."""
        said = self._process.communicate(timeout=SECONDS)[0]
        _, alive = psutil.wait_procs(list(self._seen.values()), timeout=30)
        assert not alive
        return self._process.returncode, said

    def _look(self) -> None:
        for child in psutil.Process(self._process.pid).children(recursive=True):
            self._seen.setdefault(child.pid, child)


def copies(course: Course) -> dict[str, int]:
    """When each graded copy that is there was made."""
    return {
        path.parent.parent.name: path.stat().st_mtime_ns
        for path in course.root.glob(f"autograded/*/{SMALL}/{SMALL}.ipynb")
    }


def more_than(course: Course, count: int) -> Callable[[], bool]:
    return lambda: len(copies(course)) > count


class Leftovers:
    """Finds what commands whose $TMPDIR is `folder` leave outside the course folder.

    That is processes, files, shared memory and control groups.
    """

    def __init__(self) -> None:
        # Not pytest's own, whose path is too long for sockets.
        self._temporary = tempfile.TemporaryDirectory(prefix="left-", ignore_cleanup_errors=True)
        self.folder = self._temporary.name
        self._shared = _shared_memory()

    def __enter__(self) -> "Leftovers":
        return self

    def __exit__(self, *problem: object) -> None:
        self._temporary.cleanup()

    def forget(self) -> None:
        """Remove files that are there: they are another program's."""
        for path in Path(self.folder).iterdir():
            shutil.rmtree(path)

    def found(self) -> list[str]:
        """What is left, given some seconds to end."""
        end = time.monotonic() + 20
        while (left := self._look()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def _look(self) -> list[str]:
        left = [str(path) for path in Path(self.folder).iterdir()]
        left += sorted(_shared_memory() - self._shared)
        for group in Path("/sys/fs/cgroup").glob("**/course-*"):
            if not psutil.pid_exists(int(group.name.split("-")[1])):
                left.append(str(group))
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("TMPDIR") == self.folder:
                    left.append(str(process))
        return left


def _shared_memory() -> set[str]:
    """What nobody has a hold of any more: other programs on this machine share memory as well."""
    paths = [path for path in Path("/dev/shm").glob("*") if not path.name.startswith(".")]
    held: set[str] = set()
    for process in psutil.process_iter() if paths else ():
        with suppress(OSError):
            lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
            held |= {line.split()[4] for line in lines if "/dev/shm/" in line}
    left = set()
    for path in paths:
        with suppress(OSError):
            if str(path.stat().st_ino) not in held:  # its name there is an older one
                left.add(str(path))
    return left
