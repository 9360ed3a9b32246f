"""A real classroom on a copy of the course, brought up by `course classroom`."""

import csv
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from course.classroom import users
from course.classroom.folders import COURSE_ID, Folders, free_port
from course.classroom.roster import INSTRUCTOR

START_SECONDS = 150


@dataclass(frozen=True)
class Seat:
    """Somebody's place in the classroom: what a `LabPage` needs of a server."""

    address: str
    account: str
    password: str
    home: Path

    def url(self, path: str) -> str:
        """The address of `path` on this one's server."""
        return f"{self.address}/user/{self.account}/{path}?"


@dataclass
class Room:
    """A classroom: the course folder, its own folder, the process that keeps it."""

    root: Path
    people: list[str]
    address: str = ""
    process: subprocess.Popen | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    lock: IO[str] | None = None

    @property
    def folders(self) -> Folders:
        return Folders(self.root.parent / "room")

    @property
    def inbound(self) -> Path:
        return self.folders.inbound

    def course(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `course classroom ...` to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.root, capture_output=True, text=True, check=False
        )

    def command(self, *arguments: str) -> list[str]:
        """The command line of `course classroom ...`."""
        folder = str(self.folders.root)
        return [
            sys.executable,
            "-P",
            "-m",
            "course.cli",
            "classroom",
            "--folder",
            folder,
            *arguments,
        ]

    def start(self, *arguments: str) -> None:
        """Bring the hub up, and wait until it is. RuntimeError with what it said where it isn't."""
        roster = self.root / "roster.csv"
        with roster.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["id", "name", "email"])
            table.writerows([name, name.title(), f"{name}@example.org"] for name in self.people)
        self.address = self.address or f"http://127.0.0.1:{free_port()}"
        log = self.root.parent / "classroom.log"
        with log.open("w") as out:
            given = ["--roster", str(roster), "--address", self.address, *arguments]
            self.process = subprocess.Popen(
                self.command(*given), cwd=self.root, stdout=out, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C" not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The classroom did not start:\n{log.read_text()}")
            time.sleep(0.1)
        made = self.folders.hub / "new-passwords.csv"
        if made.exists():
            with made.open(newline="") as file:
                self.passwords |= {row["account"]: row["password"] for row in csv.DictReader(file)}

    def stop(self) -> None:
        """Stop the hub as Ctrl-C does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def seat(self, account: str) -> Seat:
        """Somebody's place."""
        home = self.folders.course if account == INSTRUCTOR else self.folders.homes / account
        return Seat(self.address, account, self.passwords[account], home)

    def run_as(self, account: str, *command: str, **more: object) -> subprocess.CompletedProcess:
        """Run a program as somebody in their home, with the settings their server would have."""
        user = pwd.getpwnam(account)
        role = "instructor" if account == INSTRUCTOR else "student"
        programs = os.path.join(sys.prefix, "bin")
        environment = {
            "HOME": user.pw_dir,
            "PATH": os.pathsep.join([programs, "/usr/local/bin", "/usr/bin", "/bin"]),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            "JUPYTERHUB_USER": account,
            "JUPYTER_CONFIG_PATH": str(self.folders.settings / role),
            "COURSE_EXCHANGE": str(self.folders.exchange),
        }
        inside = [sys.executable, str(Path(__file__).with_name("as_server.py"))]
        where = [str(self.root), str(self.folders.root), account]
        return subprocess.run(
            [*inside, *where, *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **more,
        )

    def submissions(self) -> list[str]:
        """What lies in the exchange, handed in."""
        return sorted(path.name for path in self.inbound.iterdir())

    def outbound(self, name: str) -> Path:
        """A released assignment."""
        return self.folders.exchange / COURSE_ID / "outbound" / name

    def clear(self) -> None:
        """Take everything away again, the system users too."""
        self.stop()
        for account in (*self.people, INSTRUCTOR):
            teaches = account == INSTRUCTOR
            users.remove(account, self.folders.course if teaches else self.folders.homes / account)
        shutil.rmtree(self.root.parent, ignore_errors=True)
        if self.lock:
            self.lock.close()


def make(copy_course, people: list[str]) -> Room:  # type: ignore[no-untyped-def]
    """A classroom that is not started yet, in a folder that is closed to all others."""
    # System users are one machine's: of two test runs at once, the second waits.
    lock = open(Path(tempfile.gettempdir(), "course-classroom-tests.lock"), "w")  # noqa: SIM115
    fcntl.flock(lock, fcntl.LOCK_EX)
    # Not pytest's own, whose path is too long for sockets.
    folder = Path(tempfile.mkdtemp(prefix="room-"))
    return Room(copy_course(folder / "course"), people, lock=lock)
