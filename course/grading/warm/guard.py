"""A kernel's guard: forks it, waits for it, and sees to it that it ends.

It stays outside the kernel's sandbox, where the kernel can't reach it. It ends the kernel when the
grader lets go of the leash, when the parent is gone, and when the kernel takes too much memory.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from course.grading.sandbox import cgroup, jail, memory, syscalls, view
from course.grading.sandbox.jail import Jail
from course.grading.sandbox.limits import Limits
from course.grading.sandbox.view import View

_BYTES = 200_000  # of a request
_LOOK_MS = 100  # how often the memory is looked at
STANDS = b"stands"  # what a kernel says when it is shut in


def run(fds: list[int], parent: int, number: int, shown: View) -> NoReturn:
    """Do it all, in a process just forked for it. `fds`: the leash, then the kernel's sockets."""
    status = 1
    leash = socket.socket(fileno=fds[0])
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        request = json.loads(leash.recv(_BYTES))
        limits = Limits(**request["limits"])
        room = None
        if request["sandbox"]:
            room = Jail(number, request["work"], request["gpu"], limits, shown, view.links())
        _guard(request, leash, fds[1:], parent, room)
        status = 0
    except BaseException:
        with suppress(OSError):
            leash.send(json.dumps({"error": traceback.format_exc(limit=-3)}).encode())
    finally:
        os._exit(status)


def _guard(
    request: dict[str, Any], leash: socket.socket, fds: list[int], parent: int, room: Jail | None
) -> None:
    alive = os.pidfd_open(parent)
    group = cgroup.make(f"course-{parent}-{room.number}", room.limits) if room else None
    here, there = socket.socketpair()
    if room:
        jail.leave_user()
    pid = os.fork()
    if pid == 0:
        for fd in (leash.fileno(), here.fileno(), alive):
            os.close(fd)
        _become_kernel(request, fds, there, room)
    there.close()
    for fd in fds:
        os.close(fd)
    ended = os.pidfd_open(pid)
    in_group = group is not None and cgroup.enter(group, pid)
    here.send(b"go")
    poll = select.poll()
    for fd in (leash.fileno(), alive, ended):
        poll.register(fd, select.POLLIN)
    _await_sandbox(here, poll)
    socket.send_fds(leash, [json.dumps({"pid": pid}).encode()], [ended])
    gauge = None if room is None or in_group else memory.Gauge(pid)
    why = _wait(poll, ended, gauge, room)
    if why:
        signal.pidfd_send_signal(ended, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if room is None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what it started; in a sandbox that has ended with it
    if group is not None:
        cgroup.remove(group)
    with suppress(OSError):
        code = os.waitstatus_to_exitcode(status)
        leash.send(json.dumps({"ended": code, "why": why}).encode())


def _become_kernel(
    request: dict[str, Any], fds: list[int], line: socket.socket, room: Jail | None
) -> NoReturn:
    from course.grading.warm import kernel

    try:
        _end_with_guard()
        if line.recv(2) != b"go":  # which comes when it is in its group
            os._exit(1)
        if room:
            jail.enter(room)
        else:
            os.setsid()
            os.chdir(request["work"] or "/")
        kernel.tidy(request, [line.fileno(), *fds])
        _end_with_guard()  # again: Linux forgets it when a process becomes another user's
        if room:
            jail.lock()
        line.send(STANDS)  # which fails where the guard is gone already
    except BaseException:
        with suppress(OSError):
            line.send(traceback.format_exc(limit=-3).encode()[-10_000:])
        os._exit(1)
    line.close()
    kernel.serve(request, fds)


def _end_with_guard() -> None:
    """Have Linux end this process when its guard ends: were that killed, nobody else would."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def _await_sandbox(line: socket.socket, poll: select.poll) -> None:
    """Wait until the kernel is shut in. RuntimeError where it is not, or nobody waits for it."""
    poll.register(line, select.POLLIN)
    poll.poll()
    poll.unregister(line)
    line.setblocking(False)
    said = b""
    with suppress(OSError):
        said = line.recv(_BYTES)
    if said != STANDS:
        raise RuntimeError(said.decode() or "the kernel ended before it was shut in")


def _wait(poll: select.poll, ended: int, gauge: memory.Gauge | None, room: Jail | None) -> str:
    """Wait for the kernel's end; why it has to be brought about, or nothing."""
    while True:
        ready = {fd for fd, _ in poll.poll(_LOOK_MS if gauge else None)}
        if ended in ready:
            return ""
        if ready:
            return "asked"
        if gauge and room and gauge.exceeds(room.limits.memory_mb * 2**20):
            return "memory"
