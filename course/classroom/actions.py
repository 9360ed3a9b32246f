"""What an operator does to a classroom that is there; its hub may be running meanwhile."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import sys

import psutil

from course.build import BuildError
from course.classroom import api, archive, roster, users
from course.classroom.classroom import Classroom


def add(room: Classroom, options: argparse.Namespace) -> int:
    """An account for one more person."""
    room.open()
    account = roster.account_name(options.id)
    if account in room.accounts.all():
        raise BuildError(f"There is an account {account} already.")
    person = roster.Person(account, options.id, options.name, options.email)
    made = room.enrol([person])
    room.register([person])
    print(f"{account}  {made[account]}")
    return 0


def remove(room: Classroom, options: argparse.Namespace) -> int:
    """Take an account out; grades and what was handed in stay."""
    room.open()
    account = _known(room, options.account)
    if account == roster.INSTRUCTOR:
        raise BuildError("A classroom can't be without its instructor.")
    room.accounts.remove(account)
    api.forget(room.folders, account)
    if options.files and not room.trial:
        users.remove(account, room.home(account))
    kept = "" if options.files else f" The files stay in {room.home(account)}."
    print(f"{account} can't log in any more.{kept}")
    return 0


def reset(room: Classroom, options: argparse.Namespace) -> int:
    """A new password; the server is stopped, and log-ins end."""
    room.open()
    account = _known(room, options.account)
    password = room.accounts.reset(account)
    api.forget(room.folders, account)
    print(f"{account}  {password}")
    return 0


def extend(room: Classroom, options: argparse.Namespace) -> int:
    """A later deadline for one student, by `course extend` as the instructor."""
    room.open()
    account = _known(room, options.account)
    by = [f"--days={options.days}", f"--hours={options.hours}"]
    command = [sys.executable, "-m", "course.cli", "extend", options.assignment, account, *by]
    print(room.as_instructor(command).strip())
    return 0


def backup(room: Classroom, options: argparse.Namespace) -> int:
    """Write the classroom into one file."""
    room.open()
    size = archive.write(room.folders, options.file, options.homes)
    print(f"{options.file}: {size / 1e6:.1f} MB. It holds grades and secrets: keep it closed.")
    return 0


def restore(room: Classroom, options: argparse.Namespace) -> int:
    """A classroom from a backup."""
    archive.read(room, options.file)
    print(f"Restored. Start it with `course classroom --folder {room.folders.root}`.")
    return 0


def clear(room: Classroom, options: argparse.Namespace) -> int:
    """Remove the classroom, its system users and all their files."""
    if not room.folders.hub.is_dir():
        raise BuildError(f"There is no classroom in {room.folders.root}.")
    if not options.yes:
        raise BuildError(
            f"This removes {room.folders.root} with the gradebook and everybody's work, and the "
            "system users: `course classroom clear --yes`, perhaps after a backup."
        )
    if api.servers(room.folders) is not None:
        raise BuildError("The hub runs: stop it first.")
    accounts = room.accounts.all()
    shutil.rmtree(room.folders.root)
    if not room.trial:
        for account in accounts:
            users.remove(account, room.home(account))
    print(f"{room.folders.root} and {len(accounts)} accounts are gone.")
    return 0


def status(room: Classroom, _: argparse.Namespace) -> int:
    """A line for each account: whether the server runs, its memory, files on the disk."""
    room.open()
    running = api.servers(room.folders)
    print("The hub runs." if running is not None else "The hub does not run.")
    for account, known in sorted(room.accounts.all().items()):
        state = "server runs" if (running or {}).get(account) else ""
        memory = "" if room.trial else f"{_memory(pwd.getpwnam(account).pw_uid) / 1e6:6.0f} MB"
        print(f"{account:24} {known['name'][:30]:30} {state:12} {memory}".rstrip())
    handed_in = len(os.listdir(room.folders.inbound))
    print(f"{len(room.accounts.all())} accounts, {handed_in} submissions in the exchange.")
    return 0


def _memory(uid: int) -> int:
    """Bytes of memory that a user's processes take, what they share counted in parts."""
    total = 0
    for process in psutil.process_iter(["uids"]):
        uids = process.info["uids"]
        if uids and uids.real == uid:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue  # it has ended
    return total


def _known(room: Classroom, account: str) -> str:
    if account not in room.accounts.all():
        raise BuildError(f"There is no account {account!r}: `course classroom status` lists them.")
    return account
