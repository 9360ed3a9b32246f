"""Runs a program as an ordinary user: `python as_user.py UID PROGRAM ...`, by root.

Where the Python installation lies in a folder that is closed to others, as root's home is, it is
opened for this program alone, in a mount namespace of its own.
"""

import os
import sys
from pathlib import Path

from course.grading.sandbox import syscalls


def closed(path: str) -> Path | None:
    """The outermost folder on the way to `path` that others can't go through."""
    for folder in reversed(Path(path).parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def open_way(paths: set[str]) -> None:
    """Let everybody reach these folders, as far as this process and its children are concerned."""
    wanted = {path: closed(path) for path in paths}
    if not any(wanted.values()):
        return
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_SLAVE)
    held = {path: os.open(path, os.O_PATH) for path, folder in wanted.items() if folder}
    for folder in {folder for folder in wanted.values() if folder}:
        syscalls.mount("open", str(folder), "tmpfs", 0, "mode=755")
    for path, fd in held.items():
        os.makedirs(path, exist_ok=True)
        syscalls.bind(f"/proc/self/fd/{fd}", path)


if __name__ == "__main__":
    user, program = int(sys.argv[1]), sys.argv[2:]
    root = str(Path(__file__).resolve().parents[3])
    open_way({os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, root)})
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.execv(program[0], program)
