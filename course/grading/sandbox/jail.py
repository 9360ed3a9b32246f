"""Shutting a process in: what its guard does outside, and what it does itself, within.

A jailed process is the first of its own PID namespace, so that all it starts ends with it. As an
ordinary user it begins with a user namespace, where it may do the rest; root needs none for that,
and goes on as a user that owns nothing on this machine, in a user namespace all the same.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field

from course.grading.sandbox import limits, mounts, seccomp, syscalls
from course.grading.sandbox.limits import Limits
from course.grading.sandbox.view import View

USER = 1000  # what the inmate is to itself
# Users that no system gives to anyone: one for each kernel of root's, in turn.
_FREE_USERS = range(60_600, 61_100)
_INNER = ("mount", "IPC", "network", "UTS", "cgroup")


@dataclass(frozen=True)
class Jail:
    """What is particular about one jail."""

    number: int = 0
    work: str = ""  # the folder whose files are copied in
    gpu: bool = False
    limits: Limits = field(default_factory=Limits)
    view: View = field(default_factory=list)
    links: View = field(default_factory=list)


def leave_user() -> None:
    """Before the inmate is forked: namespaces that only its children are in, or must be made first.

    The guard stays outside the inmate's PID namespace: there, nobody can touch it.
    """
    if os.geteuid() == 0:
        syscalls.unshare(syscalls.CLONE_NEWPID)
        return
    outside = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWPID)
    _map_user(*outside)


def enter(jail: Jail) -> None:
    """Shut this process in, for good. Raises OSError where a part of it can't be had."""
    is_root = os.geteuid() == 0
    owner = _FREE_USERS[jail.number % len(_FREE_USERS)] if is_root else USER
    flags = 0
    for name in _INNER:
        flags |= syscalls.NAMESPACES[name]
    syscalls.unshare(flags)
    socket.sethostname("course")
    view = [("/sys", "/sys"), *jail.view] if jail.gpu else jail.view
    mounts.build(view, jail.links, jail.work, jail.limits.disk_mb, owner, USER, jail.gpu)
    if is_root:
        _become(owner)
    limits.apply(jail.limits, jail.gpu)
    syscalls.drop_capabilities()
    os.umask(0o022)
    os.chdir(mounts.WORK)


def lock() -> None:
    """The last step: from now on, only the system calls that notebooks need."""
    seccomp.load()


def _become(user: int) -> None:
    """From root to a user that owns nothing, in a user namespace in which there is no other."""
    # Capabilities are kept for the moment, since some systems let only root make user namespaces.
    syscalls.prctl(syscalls.PR_SET_SECUREBITS, syscalls.SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # else its own /proc is root's
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    _map_user(user, user)


def _map_user(user: int, group: int) -> None:
    for name, line in (
        ("setgroups", "deny"), ("uid_map", f"{USER} {user} 1"), ("gid_map", f"{USER} {group} 1")
    ):  # fmt: skip
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(line)
