"""What of the sandbox can be had on this machine, tried for real: one layer after another.

`what_is_missing` is what graders ask before they start; `course doctor` shows all of it.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from course.grading.sandbox import cgroup, jail, memory, mounts, seccomp, syscalls, view
from course.grading.sandbox.jail import Jail
from course.grading.sandbox.limits import Limits

_OLDEST = (5, 14)  # Linux: mounts made read-only with all in them, and limits by user namespace
_SYSCTL = {  # what forbids user namespaces, by the value that does
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
    "user/max_user_namespaces": "0",
}
_LIBSECCOMP = "apt install libseccomp2 (Debian, Ubuntu), dnf install libseccomp (Fedora, RHEL)"


@dataclass(frozen=True)
class Layer:
    """One layer: whether it holds (None: it can't be had, and can be done without), what it is."""

    name: str
    holds: bool | None
    means: str
    remedy: str = ""


@functools.cache
def layers() -> tuple[Layer, ...]:
    """Try all of them, in a process of its own."""
    if sys.platform != "linux":
        why = f"needs Linux, and this is {platform.system()}"
        return (Layer("Linux", False, why, "grade on a Linux machine, or in a Linux container"),)
    done = subprocess.run(
        [sys.executable, "-m", "course.grading.sandbox.probe"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        return (Layer("the probe", False, f"could not be run: {said}", "reinstall the course"),)
    return tuple(Layer(**told) for told in json.loads(done.stdout))


def what_is_missing() -> str:
    """Why kernels can't be shut in here, and what to do, in a sentence; "" where they can be."""
    lacking = [layer for layer in layers() if layer.holds is False]
    if not lacking:
        return ""
    first = lacking[0]
    return (
        f"Nothing was graded, for submissions are strangers' code and can't be shut in here "
        f"({first.name}: {first.means}); to have it, {first.remedy}. `course doctor` says more; to "
        "grade without a sandbox all the same, add --no-sandbox (for nbgrader "
        "--Judge.sandbox=False, for formgrader COURSE_NO_SANDBOX=1 in its environment)."
    )


# Tried in a process of its own --------------------------------------------------------------------


def _try() -> Iterator[Layer]:
    numbers = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    said = f"{platform.release()} is too old"
    yield Layer(
        "Linux", numbers >= _OLDEST, "runs here" if numbers >= _OLDEST else said,
        "Linux {}.{} or newer".format(*_OLDEST),
    )  # fmt: skip
    yield from _namespaces()
    yield _libseccomp()
    yield _limits()
    whole = _attempt(_whole)
    yield Layer(
        "the sandbox as a whole", not whole,
        whole or "a process was shut in, and saw nothing but what it should",
        "see what is missing above; in a container, run it with `--security-opt "
        "systempaths=unconfined`, or with more rights",
    )  # fmt: skip
    yield _memory()


def _namespaces() -> Iterator[Layer]:
    root = os.geteuid() == 0
    for name, means in {
        "user": "a user that is nobody outside",
        "mount": "a root of its own, with nothing of the course in it",
        "PID": "sees no other process, and ends with all that it started",
        "IPC": "shares no memory with others",
        "network": "there is none",
        "UTS": "a host name of its own",
        "cgroup": "doesn't see how the machine is divided",
    }.items():
        flags = syscalls.NAMESPACES[name] | (0 if root else syscalls.CLONE_NEWUSER)
        why = _attempt(functools.partial(syscalls.unshare, flags))
        yield Layer(f"{name} namespace", not why, why or means, _how_to_have_namespaces())


def _how_to_have_namespaces() -> str:
    """What to change for namespaces: the setting that forbids them, where one does."""
    for name, forbids in _SYSCTL.items():
        path = Path("/proc/sys", name)
        if path.is_file() and path.read_text().strip() == forbids:
            key = name.replace("/", ".")
            value = {"0": "1", "1": "0"}[forbids] if "max" not in name else "10000"
            return f"sudo sysctl -w {key}={value} (for good: a line in /etc/sysctl.d)"
    if os.geteuid() == 0:
        return "run the container with --cap-add SYS_ADMIN, or grade as an ordinary user"
    return "have the container's seccomp and AppArmor profiles allow `unshare` and `mount`"


def _libseccomp() -> Layer:
    try:
        seccomp.rules()
    except (ImportError, OSError) as problem:
        return Layer("seccomp", False, str(problem), _LIBSECCOMP)
    why = _attempt(seccomp.load)
    means = why or "system calls that no notebook needs are refused"
    return Layer("seccomp", not why, means, "run a Linux that was built with seccomp")


def _limits() -> Layer:
    limits = Limits()
    means = (
        f"{limits.memory_mb} MB of memory, {limits.most_processes()} processes, "
        f"{limits.disk_mb} MB of files, {limits.cpu_seconds} s of a processor"
    )
    return Layer("limits", True, means)


def _memory() -> Layer:
    """A cgroup, or the guard's own look: only how exact the limit is depends on it."""
    group = cgroup.make(f"course-probe-{os.getpid()}", Limits())
    if group is not None:
        cgroup.remove(group)
        return Layer("memory by cgroup v2", True, "exact, and for all of a kernel's processes")
    sees = memory.Gauge(os.getpid()).exceeds(0)
    return Layer(
        "memory by cgroup v2", None if sees else False,
        "not here: each kernel's guard looks ten times a second instead",
        "delegate a cgroup: systemd-run --user --scope -p Delegate=yes ..., or grade as root",
    )  # fmt: skip


def _attempt(trial: Callable[[], object]) -> str:
    """Do it in a child; what went wrong, or nothing."""
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = b""
        try:
            trial()
        except BaseException as problem:
            said = str(problem).encode() or type(problem).__name__.encode()
        os.write(there, said)
        os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as file:
        told = file.read().decode()
    _, status = os.waitpid(pid, 0)
    return told or ("" if status == 0 else "the process was killed")


def _whole() -> None:
    """Shut a process in as a kernel is, and look around from there."""
    room = Jail(limits=Limits(), view=view.shown(), links=view.links())
    jail.leave_user()
    why = _attempt(functools.partial(_inside, room))
    if why:
        raise RuntimeError(why)


def _inside(room: Jail) -> None:
    jail.enter(room)
    jail.lock()
    seen = {
        "it is not its own first process": os.getpid() == 1,
        "it is root": os.getuid() != 0,
        "it has capabilities": "CapEff:\t0000000000000000" in Path("/proc/self/status").read_text(),
        "it sees other processes": [p for p in os.listdir("/proc") if p.isdigit()] == ["1"],
        "it has a network": len(Path("/proc/net/dev").read_text().splitlines()) <= 3,
        "it can write outside": not any(os.access(p, os.W_OK) for p in ("/", "/usr", sys.prefix)),
        "it can't write at home": os.access(mounts.WORK, os.W_OK),
    }
    if wrong := [name for name, right in seen.items() if not right]:
        raise RuntimeError(wrong[0])


if __name__ == "__main__":
    print(json.dumps([asdict(layer) for layer in _try()]))
