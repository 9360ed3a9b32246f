"""Each one's server: a process of a system user of their own."""

from __future__ import annotations

import os
import pwd
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner
from traitlets import Unicode

from course.classroom import view
from course.classroom.accounts import Accounts
from course.classroom.folders import Folders
from course.grading.sandbox import syscalls

# Of a student, threads included: some ten notebooks with PyTorch; not all that the machine has.
_MOST_PROCESSES = 1000


class _Room(LocalProcessSpawner):
    """What the servers of a classroom have in common, whoever runs them."""

    classroom = Unicode(help="The classroom's folder.").tag(config=True)
    course_root = Unicode(help="The folder of the course.").tag(config=True)

    @property
    def folders(self) -> Folders:
        return Folders(Path(self.classroom))

    def role(self) -> str:
        """`student` or `instructor`."""
        return Accounts(self.folders.accounts).role(self.user.name) or "student"

    def home(self) -> Path:
        """Where this one's files are; the instructor's are the course."""
        teaches = self.role() == "instructor"
        return self.folders.course if teaches else self.folders.homes / self.user.name

    def get_env(self) -> dict[str, str]:
        """The environment of the server: Jupyter's settings for the role, and where things are."""
        env = super().get_env()
        programs = os.path.join(sys.prefix, "bin")
        return env | {
            "SHELL": "/bin/bash",
            "PATH": os.pathsep.join([programs, "/usr/local/bin", "/usr/bin", "/bin"]),
            "JUPYTER_CONFIG_PATH": str(self.folders.settings / self.role()),
            "COURSE_EXCHANGE": str(self.folders.exchange),
        }


class RoomSpawner(_Room):
    """Servers as system users: with a /tmp of their own, and nobody else's processes in sight."""

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """What the environment says of the user, and where Jupyter's sockets are."""
        # In a /tmp of its own: a path short enough for sockets, which only the owner reaches.
        return super().user_env(env) | {"JUPYTER_RUNTIME_DIR": "/tmp/jupyter"}

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """What the new process does before it becomes the server: it gives up being root."""
        become_user = super().make_preexec_fn(name)
        root, classroom, student = self.course_root, self.classroom, self.role() == "student"

        def shut_in() -> None:
            view.leave_scratch(Path(root), Path(classroom))
            if student:
                view.hide_processes()
                syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)  # no sudo
                resource.setrlimit(resource.RLIMIT_NPROC, (_MOST_PROCESSES, _MOST_PROCESSES))
                # Should the machine run out of memory, a student's kernel goes before the hub.
                Path("/proc/self/oom_score_adj").write_text("500")
            os.umask(0o077)
            become_user()

        return shut_in

    async def stop(self, now: bool = False) -> None:
        """Stop the server, and what its user left running in a terminal."""
        await super().stop(now)
        if self.role() == "student":
            end_processes(pwd.getpwnam(self.user.name).pw_uid)


class TrialSpawner(_Room, SimpleLocalProcessSpawner):
    """Servers as the one user who started the hub: they are kept from nothing."""

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """What the environment says of the user: a home apart, and no more than that."""
        home = str(self.home())
        return env | {"USER": self.user.name, "HOME": home, "SHELL": "/bin/bash"}

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Go home."""
        home = str(self.home())
        del name
        return lambda: os.chdir(home)


def end_processes(uid: int) -> None:
    """Kill all processes of a student."""
    for process in psutil.process_iter(["uids"]):
        uids: Any = process.info["uids"]
        if uids and uids.real == uid:
            with suppress(psutil.NoSuchProcess):
                process.kill()
