"""System users of the classroom: made, found and removed with the system's own programs."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.build import BuildError

STUDENTS = "course-students"  # a group of their own, by which we know who is ours
INSTRUCTORS = "course-instructors"
_GROUPS = {"student": STUDENTS, "instructor": INSTRUCTORS}


def make(account: str, role: str, home: Path) -> pwd.struct_passwd:
    """The system user of an account, made where it is missing; `home` is closed to all others.

    Raises BuildError where the name is a user's who is not of the classroom.
    """
    group = _group(_GROUPS[role])
    try:
        user = pwd.getpwnam(account)
    except KeyError:
        # No password and no shell: the hub is the only way in.
        _run(
            "useradd", "--gid", group, "--home-dir", str(home), "--no-create-home",
            "--shell", "/usr/sbin/nologin", "--comment", "course", account,
        )  # fmt: skip
        user = pwd.getpwnam(account)
    if grp.getgrgid(user.pw_gid).gr_name != group or user.pw_uid == 0:
        raise BuildError(
            f"This machine has a user {account} who is not of the classroom: give that person "
            "another id in the roster."
        )
    if user.pw_dir != str(home):
        if os.path.exists(user.pw_dir):
            raise BuildError(
                f"{account} belongs to another classroom, whose home is {user.pw_dir}. (`course "
                "classroom clear` removes a classroom with its users.)"
            )
        _run("usermod", "--home", str(home), account)
        user = pwd.getpwnam(account)
    home.mkdir(exist_ok=True)
    os.chown(home, user.pw_uid, user.pw_gid)
    home.chmod(0o700)
    return user


def remove(account: str, home: Path) -> None:
    """Remove a system user of the classroom, and the home."""
    try:
        user = pwd.getpwnam(account)
    except KeyError:
        return
    if grp.getgrgid(user.pw_gid).gr_name not in _GROUPS.values() or user.pw_dir != str(home):
        raise BuildError(f"The system user {account} is not of this classroom.")
    _run("userdel", account)
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def acting_as(user: pwd.struct_passwd | None) -> Iterator[None]:
    """Write and read files with no more rights than `user` has; as oneself for None."""
    if user is None:
        yield
        return
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _group(name: str) -> str:
    try:
        grp.getgrnam(name)
    except KeyError:
        _run("groupadd", "--system", name)
    return name


def _run(*command: str) -> None:
    if not shutil.which(command[0]):
        raise BuildError(f"`{command[0]}` is missing: on Debian, `apt-get install passwd`.")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
