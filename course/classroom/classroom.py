"""Everything a classroom needs before its hub starts: folders, users, accounts, the course."""

from __future__ import annotations

import csv
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from course.build import BuildError
from course.classroom import coursefolder, hub, settings, users, view
from course.classroom.accounts import Accounts
from course.classroom.folders import COURSE_ID, Folders
from course.classroom.roster import INSTRUCTOR, Person


class Classroom:
    """A classroom on this machine: its folders, and the instructor it belongs to."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folders = Folders(folder)
        self.accounts = Accounts(self.folders.accounts)
        self.trial = os.geteuid() != 0  # without root there is one user, who may do everything
        self.instructor: pwd.struct_passwd | None = None
        self.closed = False

    def open(self) -> None:
        """Go on with a classroom that is there. Raises BuildError where there is none."""
        if not self.folders.config.exists():
            raise BuildError(
                f"There is no classroom in {self.folders.root}, or you may not see it."
            )
        if not self.trial:
            self.instructor = pwd.getpwnam(INSTRUCTOR)

    def prepare(self, address: str, domain: str) -> list[str]:
        """Make folders, secrets, settings, the instructor and their course folder.

        Returns files of the course that both the operator and the instructor changed.
        """
        os.umask(0o022)
        contents = coursefolder.read(self.root)
        self.folders.make()
        self.folders.state(
            folder=str(self.folders.root), course=str(self.root), address=address, domain=domain
        )
        if not self.folders.config.exists():
            self.folders.config.write_text(hub.CONFIG.format(folder=str(self.folders.root)))
        settings.write(self.folders, self.root, self.trial)
        if self.trial:
            self.folders.course.mkdir(exist_ok=True)
            self.folders.course.chmod(0o700)
            self.folders.make_exchange(os.getuid(), os.getgid())
        else:
            self.instructor = users.make(INSTRUCTOR, "instructor", self.folders.course)
            self.folders.make_exchange(self.instructor.pw_uid, self.instructor.pw_gid)
        self.close()
        if self.instructor:
            view.try_as(self.instructor.pw_uid, self.instructor.pw_gid)
        return coursefolder.bring(contents, self.folders.course, self.instructor)

    def enrol(self, people: Iterable[Person], role: str = "student") -> dict[str, str]:
        """Make accounts and system users where they are missing; returns the new passwords."""
        made = {}
        for person in people:
            home = self.home(person.account)
            home.mkdir(exist_ok=True) if self.trial else users.make(person.account, role, home)
            if password := self.accounts.put(person, role):
                made[person.account] = password
        return made

    def home(self, account: str) -> Path:
        """Somebody's home; the instructor's is the course."""
        return self.folders.course if account == INSTRUCTOR else self.folders.homes / account

    def close(self) -> None:
        """From now on see no more than servers may."""
        if self.trial or self.closed:
            return
        self.closed = True
        view.enter(self.root, self.folders.root)

    def register(self, people: list[Person]) -> None:
        """Put people into the gradebook."""
        told = json.dumps([asdict(person) for person in people])
        self.as_instructor([sys.executable, "-m", "course.classroom.gradebook"], told)

    def release(self, assignments: Iterable[str]) -> None:
        """Make and release assignments that aren't out yet."""
        for name in assignments:
            if (self.folders.exchange / COURSE_ID / "outbound" / name).is_dir():
                continue
            for step in ("generate_assignment", "release_assignment"):
                self.as_instructor([sys.executable, "-m", "nbgrader", step, name, "--force"])

    def as_instructor(self, command: list[str], told: str = "") -> str:
        """Run a command as the instructor in the course folder; returns what it printed.

        Raises BuildError with its last words where it fails. From then on root sees what the hub
        does.
        """
        self.close()
        programs = os.path.join(sys.prefix, "bin")
        user = self.instructor
        done = subprocess.run(
            command,
            input=told,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folders.course,
            umask=0o077,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            env={
                key: value for key, value in os.environ.items() if key in ("LANG", "PYTHONPATH")
            } | {
                "HOME": str(self.folders.course),
                "PATH": os.pathsep.join([programs, "/usr/local/bin", "/usr/bin", "/bin"]),
                "JUPYTER_CONFIG_PATH": str(self.folders.settings / "instructor"),
                "COURSE_EXCHANGE": str(self.folders.exchange),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )  # fmt: skip
        if done.returncode:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
            raise BuildError(f"`{' '.join(command[1:])}` failed:\n{said}")
        return done.stdout

    def write_passwords(self, made: dict[str, str]) -> Path:
        """Write new passwords down for those who hand them out: a CSV file of the operator's."""
        path = self.folders.hub / "new-passwords.csv"
        path.unlink(missing_ok=True)
        known = self.accounts.all()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            table = csv.writer(file)
            table.writerow(["id", "name", "email", "account", "password"])
            for account, password in made.items():
                person = known[account]
                table.writerow([person["id"], person["name"], person["email"], account, password])
        return path
