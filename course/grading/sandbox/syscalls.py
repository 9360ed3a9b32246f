"""The calls to Linux that Python has no name for (`os.unshare` came with 3.12)."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NAMESPACES = {
    "user": CLONE_NEWUSER,
    "mount": CLONE_NEWNS,
    "PID": CLONE_NEWPID,
    "IPC": CLONE_NEWIPC,
    "network": CLONE_NEWNET,
    "UTS": CLONE_NEWUTS,
    "cgroup": CLONE_NEWCGROUP,
}

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 2, 4, 8, 32
MS_RDONLY, MS_BIND, MS_REC, MS_SLAVE = 1, 4096, 16384, 1 << 19
MNT_DETACH = 2
MNT_NOEXEC_NODEV_NOSUID = MS_NOSUID | MS_NODEV | MS_NOEXEC

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_CAP_AMBIENT = 23, 24, 28, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
# No special treatment of user 0, for good; and capabilities that stay when the user changes.
SECBITS_LOCKED = 0b101111
SECBIT_NO_SETUID_FIXUP = 1 << 2

# The same on every kind of machine; the C library has no name for it before glibc 2.36.
_MOUNT_SETATTR = 442
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_CAP_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_long = ctypes.c_long


def mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, data: str = ""
) -> None:
    """Mount something."""
    done = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(done, target)


def bind(source: str, target: str) -> None:
    """Show `source`, and all that is mounted in it, at `target` as well."""
    mount(source, target, None, MS_BIND | MS_REC)


def make_read_only(target: str, devices: bool = False, inside: bool = True) -> None:
    """Make a mount read-only, its set-uid bits void and its devices dead; and all mounts in it."""
    attributes = _ATTR_RDONLY | _ATTR_NOSUID | (0 if devices else _ATTR_NODEV)
    argument = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    done = _libc.syscall(
        _long(_MOUNT_SETATTR),
        _long(_AT_FDCWD),
        target.encode(),
        _long(_AT_RECURSIVE if inside else 0),
        argument,
        _long(ctypes.sizeof(argument)),
    )
    _check(done, target)


def unmount(target: str) -> None:
    """Unmount, as soon as nobody uses it."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), target)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of all files, and find the old one at `old`."""
    _check(_libc.pivot_root(new.encode(), old.encode()), new)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _check(_libc.unshare(flags), "unshare")


def prctl(option: int, value: int = 0, more: int = 0) -> int:
    """Set, or ask for, a property of this process."""
    done = _libc.prctl(option, _long(value), _long(more), _long(0), _long(0))
    _check(done, "prctl")
    return done


def drop_capabilities() -> None:
    """Give up every capability, and every way to get one back."""
    for number in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, _long(number), _long(0), _long(0), _long(0)) < 0:
            break  # Linux knows no capability of this number
    prctl(PR_SET_SECUREBITS, SECBITS_LOCKED)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(header, nothing), "capset")


def _check(done: int, what: str) -> None:
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
