"""`course classroom`: a JupyterHub for a class on this machine, and its operator's commands."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from course import build
from course.build import BuildError
from course.classroom import roster

if TYPE_CHECKING:
    from course.classroom.classroom import Classroom

_TRIAL = """\
NO ISOLATION. You are not root, so that all servers run as you: everybody who logs in can read and
change everybody's files, and the solutions. Good for trying it out, alone; a class needs root."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `course classroom` understands."""
    parser.add_argument("--folder", type=Path, metavar="DIR", help="default: classroom/")
    parser.add_argument("--roster", type=Path, metavar="CSV", help="columns id, name, email")
    parser.add_argument("--students", type=int, default=3, metavar="N", help="without a roster")
    parser.add_argument(
        "--address", default="http://127.0.0.1:8000", metavar="URL", help="where the hub listens"
    )
    parser.add_argument(
        "--domain", default="", metavar="URL", help="give each user a subdomain of this one"
    )
    parser.add_argument("--release", nargs="*", metavar="ASSIGNMENT", help="hand out at the start")
    actions = parser.add_subparsers(metavar="action", dest="action", help="default: run the hub")

    def action(name: str, summary: str, *given: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=summary, description=summary)
        for argument in given:
            kind = Path if argument == "FILE" else str
            sub.add_argument(argument.lower(), metavar=argument, type=kind)
        return sub

    action("add", "an account for one more person", "ID", "NAME", "EMAIL")
    sub = action("remove", "an account, and its server", "ACCOUNT")
    sub.add_argument("--files", action="store_true", help="and the system user with all files")
    action("reset", "a new password for somebody, whose server is stopped", "ACCOUNT")
    sub = action("extend", "a later deadline for one student", "ASSIGNMENT", "ACCOUNT")
    sub.add_argument("--days", type=float, default=0, metavar="N")
    sub.add_argument("--hours", type=float, default=0, metavar="N")
    sub = action("backup", "gradebook, exchange, accounts and secrets in one file", "FILE")
    sub.add_argument("--homes", action="store_true", help="and the students' homes")
    action("restore", "a classroom from a backup", "FILE")
    sub = action("clear", "remove the classroom with its system users and all files")
    sub.add_argument("--yes", action="store_true", help="really")
    action("status", "who is in the class, whose server runs, and what it takes")


def main(root: Path, options: argparse.Namespace) -> int:
    """Run the command."""
    if importlib.util.find_spec("jupyterhub") is None:
        raise BuildError("There is no JupyterHub here: `make classroom` installs it.")
    if sys.platform != "linux":
        raise BuildError("A classroom needs Linux.")
    from course.classroom import actions  # imports JupyterHub: not for the other commands
    from course.classroom.classroom import Classroom

    folder = (options.folder or root / "classroom").resolve()
    room = Classroom(root, folder)
    if options.action:
        return getattr(actions, options.action)(room, options)
    try:
        return _run(room, options)
    except KeyboardInterrupt:  # before the hub was started
        print("Stopped.")
        return 1


def _run(room: Classroom, options: argparse.Namespace) -> int:
    from course.classroom import run

    people = roster.read(options.roster) if options.roster else roster.invented(options.students)
    names = build.names(room.root)
    release = options.release
    if release is None:
        release = [] if options.roster else names[:2]
    for name in release:
        build.lesson_path(room.root, name)
    if room.trial:
        print(_TRIAL, flush=True)
    print("Getting the classroom ready ...", flush=True)
    differ = room.prepare(options.address, options.domain)
    for name in differ:
        print(f"Changed here and by the instructor: {name}. Theirs was kept.")
    teacher = roster.Person(roster.INSTRUCTOR, roster.INSTRUCTOR, "Instructor", "")
    new = room.enrol([teacher], "instructor") | room.enrol(people)
    if not options.roster:  # a class to try: whoever starts it is told how to get in
        wanted = (teacher.account, *(person.account for person in people))
        new = {account: room.accounts.reset(account) for account in wanted}
    room.register(people)
    room.release(release)

    def ready() -> None:
        print(f"\n  {options.domain or options.address}\n")
        if new and options.roster:
            print(f"{len(new)} new passwords are in {room.write_passwords(new)}.")
            print("Hand them out and remove that file.")
        for account, password in () if options.roster else new.items():
            print(f"  {account:12} {password}")
        print("\nCtrl-C stops it. Files, accounts and grades stay.", flush=True)

    status = run.serve(room.folders, ready)
    print("Stopped.")
    return status
