"""The root of a jailed kernel: built anew for each, and gone with it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from course.grading.sandbox.syscalls import (
    MNT_NOEXEC_NODEV_NOSUID as INERT,
)
from course.grading.sandbox.syscalls import (
    MS_NODEV,
    MS_NOSUID,
    MS_REC,
    MS_SLAVE,
    bind,
    make_read_only,
    mount,
    pivot_root,
    unmount,
)
from course.grading.sandbox.view import View

HOME = "/home/student"
WORK = f"{HOME}/work"
# What of a process's environment goes with this root.
ENVIRONMENT = {
    "HOME": HOME, "USER": "student", "LOGNAME": "student", "SHELL": "/bin/sh",
    "IPYTHONDIR": "/tmp/ipython",
}  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom")
_GPU = ("nvidia*", "nvidia-caps", "dri", "kfd")
_PASSWD = "root:x:0:0::/:/bin/false\nstudent:x:{uid}:{uid}::/home/student:/bin/bash\n"
_GROUP = "root:x:0:\nstudent:x:{uid}:\n"


def build(
    view: View, links: View, work: str, disk_mb: int, owner: int, seen_as: int, gpu: bool
) -> None:
    """Build the root that `view` describes and make it this process's; the old one is gone then.

    `work` is a folder whose files are copied in. What the kernel writes belongs to `owner`, who
    sees the user number `seen_as`. Needs a mount namespace of one's own.
    """
    mount("none", "/", None, MS_REC | MS_SLAVE)
    mount("base", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for name in ("old", "new", "scratch"):
        os.mkdir(f"/tmp/{name}")
    mount("root", "/tmp/new", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=4m")
    room = f"mode=755,size={disk_mb}m,nr_inodes={64 * disk_mb}"
    mount("scratch", "/tmp/scratch", "tmpfs", MS_NOSUID | MS_NODEV, room)
    pivot_root("/tmp", "/tmp/old")
    os.chdir("/")
    _devices(gpu)
    os.mkdir("/new/proc")
    mount("proc", "/new/proc", "proc", INERT)
    _scratch(f"/old{work}" if work else "", owner)  # before what may be shown in /tmp or /home
    usual = os.umask(0o222)  # where nothing is written any more, even where it may be owned
    own = _show(view, links)
    os.umask(usual)
    _settings(seen_as)
    for place in ("/new", *own):
        make_read_only(place, inside=False)
    os.chdir("/new")
    pivot_root(".", ".")
    unmount(".")
    os.chdir("/")


def _show(view: View, links: View) -> list[str]:
    """Put `view` into the new root; where something is hidden, which is not read-only yet."""
    own = []
    for path, leads in links:
        os.symlink(leads, f"/new{path}")
    for target, source in view:
        place, lies = f"/new{target}", f"/old{source}"
        if source:
            if not os.path.exists(place):
                # Only ever in a tmpfs of ours: `view` shows nothing new within what it shows.
                os.makedirs(os.path.dirname(place), exist_ok=True)
                os.mkdir(place) if os.path.isdir(lies) else Path(place).touch()
            bind(lies, place)
            make_read_only(place)
        elif os.path.isdir(place):
            mount("hidden", place, "tmpfs", INERT, "mode=755,size=1m")
            own.append(place)
        else:
            bind("/old/dev/null", place)
    return own


def _settings(uid: int) -> None:
    etc = Path("/new/etc")
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(_PASSWD.format(uid=uid), encoding="utf-8")
    (etc / "group").write_text(_GROUP.format(uid=uid), encoding="utf-8")
    (etc / "hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")


def _devices(gpu: bool) -> None:
    os.mkdir("/new/dev")
    mount("dev", "/new/dev", "tmpfs", MS_NOSUID, "mode=755,size=1m")
    wanted = [Path("/old/dev", name) for name in _DEVICES]
    if gpu:
        wanted += [path for name in _GPU for path in Path("/old/dev").glob(name)]
    for path in wanted:
        place = Path("/new/dev", path.name)
        place.mkdir() if path.is_dir() else place.touch()
        bind(str(path), str(place))
    for name, leads in {
        "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
    }.items():  # fmt: skip
        os.symlink(leads, f"/new/dev/{name}")
    os.mkdir("/new/dev/shm")
    os.mkdir("/new/dev/pts")
    make_read_only("/new/dev", devices=True)
    mount("devpts", "/new/dev/pts", "devpts", MS_NOSUID, "newinstance,ptmxmode=0666,mode=620")


def _scratch(work: str, owner: int) -> None:
    """The folders that can be written to: parts of one tmpfs, whose size bounds them together."""
    for name, place, mode in (
        ("home", HOME, 0o700),
        ("tmp", "/tmp", 0o1777),
        ("shm", "/dev/shm", 0o1777),
    ):
        folder = f"/scratch/{name}"
        os.mkdir(folder)
        os.chmod(folder, mode)
        os.chown(folder, owner, owner)
        os.makedirs(f"/new{place}", exist_ok=True)
        bind(folder, f"/new{place}")
    folder = f"/new{WORK}"
    if work:
        _check_size(work)
        shutil.copytree(work, folder, ignore=_no_file)
    os.makedirs(folder, exist_ok=True)
    for path, _, names in os.walk(folder):
        for name in ("", *names):
            os.chown(os.path.join(path, name), owner, owner)


def _check_size(folder: str) -> None:
    """OSError where a folder is no student's work: larger than all that a kernel may write."""
    room = os.statvfs("/scratch")
    left, device = room.f_bavail * room.f_frsize, os.stat(folder).st_dev
    for path, _, names in os.walk(folder):
        left -= sum(os.lstat(os.path.join(path, name)).st_size for name in names)
        if left < 0 or os.stat(path).st_dev != device:
            raise OSError(errno.EFBIG, "More files than a kernel has room for", folder)


def _no_file(folder: str, names: list[str]) -> list[str]:
    """Links, which may lead anywhere, and what is neither a file nor a folder."""
    paths = {name: Path(folder, name) for name in names}
    return [n for n, p in paths.items() if p.is_symlink() or not (p.is_file() or p.is_dir())]
