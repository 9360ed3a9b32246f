"""What the hub and the servers it starts see of the machine's files: nothing that has answers.

The course folder holds the solutions, and may lie, like Python itself, in a home that is closed to
all others. Here, for the hub and what it starts alone, such a folder becomes an empty one that has
only those parts in it that students need. Everything else on the machine stays as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import course
from course.build import BuildError
from course.grading.sandbox import syscalls

_SCRATCH = {"/tmp": "size=1g", "/var/tmp": "size=64m", "/dev/shm": "size=1g"}


def shown(root: Path) -> list[str]:
    """The parts of the machine that students need, and that may lie where they can't go."""
    package = os.path.realpath(course.__path__[0])
    settings = str(root / "nbgrader_config.py")  # the course's; nothing in it is secret
    wanted = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, package, settings)}
    return sorted(path for path in wanted if not path.startswith("/usr"))


def enter(root: Path, classroom: Path) -> None:
    """Have this process, and all that it starts from now on, see no more than they may.

    Raises BuildError where Linux doesn't let us.
    """
    read_only, package = shown(root), Path(os.path.realpath(course.__path__[0]))
    hidden = {str(root)}
    if package.parent.name != "site-packages":
        hidden.add(str(package.parent))
    for path in (*read_only, str(classroom)):
        hidden |= {str(folder) for folder in _closed(Path(path))}
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_SLAVE)
        for folder in _outermost(hidden):
            replace(folder, [*read_only, str(classroom)], "mode=755,size=1m")
        for path in read_only:
            if any(path.startswith(f"{folder}/") for folder in hidden):
                syscalls.make_read_only(path)
    except OSError as problem:
        raise BuildError(
            "The classroom can't close the course folder to students here: Linux allows no mounts "
            f"({problem.strerror}). In a container, it needs CAP_SYS_ADMIN."
        ) from problem


def leave_scratch(root: Path, classroom: Path) -> None:
    """Give this process, which is to become a student's server, empty /tmp folders of its own."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_SLAVE)
    for folder, size in _SCRATCH.items():
        if os.path.isdir(folder):
            replace(folder, [*shown(root), str(classroom)], f"mode=1777,{size}")


def hide_processes() -> None:
    """Let this process see no other user's processes; needs a mount namespace of its own."""
    inert = syscalls.MNT_NOEXEC_NODEV_NOSUID
    syscalls.mount("proc", "/proc", "proc", inert, "hidepid=2")


def replace(folder: str, kept: Iterable[str], options: str) -> None:
    """Put an empty folder in place of `folder`, with what is `kept` of it where it was."""
    inside = [path for path in kept if path.startswith(f"{folder}/") and os.path.exists(path)]
    held = {path: os.open(path, os.O_PATH) for path in _outermost(inside)}
    syscalls.mount("course", folder, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, options)
    before = os.umask(0o022)
    for path, handle in held.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mkdir(path) if os.path.isdir(f"/proc/self/fd/{handle}") else Path(path).touch()
        syscalls.bind(f"/proc/self/fd/{handle}", path)
        os.close(handle)
    os.umask(before)


def try_as(uid: int, gid: int) -> None:
    """See that a student could run the course's Python. Raises BuildError where not."""
    done = subprocess.run(
        [sys.executable, "-c", "import course, jupyterhub"],
        user=uid,
        group=gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise BuildError(
            f"Students could not run {sys.executable} ({last[0]}). Was it installed with a umask "
            "that closes its files to others? Then `chmod -R go+rX` its folder and course/."
        )


def _closed(path: Path) -> list[Path]:
    """The outermost folder on the way to `path` that others can't go through, if there is one."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return [folder]
    return []


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that lie in no other."""
    found: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(f"{outer}/") for outer in found):
            found.append(path)
    return found
