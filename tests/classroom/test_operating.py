"""A hub that is killed, a server that is killed, and what an operator does meanwhile."""

import os
import signal
import subprocess
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from room import Room

from course.classroom import api
from course.classroom.accounts import Accounts
from course.classroom.roster import INSTRUCTOR

pytestmark = pytest.mark.xdist_group("classroom")


def wait_for(holds: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def server_of(account: str) -> int:
    """The process of somebody's server; 0 for none."""
    for process in psutil.process_iter(["username", "cmdline"]):
        if process.info["username"] == account and "singleuser" in str(process.info["cmdline"]):
            return process.pid
    return 0


def start_server(room: Room, account: str) -> None:
    """Start somebody's server, who may not have logged in yet."""
    api.ask(room.folders, f"users/{account}", "POST")
    api.ask(room.folders, f"users/{account}/server", "POST")


def answers(room: Room) -> bool:
    try:
        return api.servers(room.folders) is not None
    except urllib.error.URLError:
        return False


def test_a_hub_and_a_server_that_are_killed_come_back_and_files_stay(room: Room, tmp_path: Path):
    room.start()
    work = room.folders.homes / "ada" / "work.txt"
    work.write_text("hers")
    submission = room.inbound / "ada+01_activations+2026-01-01 10:00:00.0 UTC+x"
    submission.mkdir()

    start_server(room, "ada")
    wait_for(lambda: (api.servers(room.folders) or {}).get("ada"))
    server = server_of("ada")
    (hub,) = [p for p in psutil.process_iter(["cmdline"]) if str(room.folders.config) in
              " ".join(p.info["cmdline"] or [])]  # fmt: skip
    hub.kill()
    wait_for(lambda: not hub.is_running() or hub.status() == psutil.STATUS_ZOMBIE)
    wait_for(lambda: answers(room))
    assert api.servers(room.folders)["ada"], "the new hub knows the server of the old one"
    assert server_of("ada") == server

    os.kill(server, signal.SIGKILL)
    wait_for(lambda: not api.servers(room.folders)["ada"])
    assert work.read_text() == "hers"
    assert room.submissions() == [submission.name]

    operate(room)
    come_back(room, tmp_path / "class.tar.gz")


def operate(room: Room) -> None:
    """Add, reset and remove somebody while the hub runs, and read the status."""
    accounts = Accounts(room.folders.accounts)
    said = room.course("add", "1234567", 'Zoë "Z", =1+1', "zoe@example.org").stdout.split()
    assert said[0] == "s1234567"
    assert accounts.fits(*said)
    new = room.course("reset", "s1234567").stdout.split()
    assert accounts.fits(*new)
    assert not accounts.fits(*said)
    start_server(room, "emmy")
    wait_for(lambda: server_of("emmy"))
    assert "The hub runs." in room.course("status").stdout
    assert "s1234567 can't log in" in room.course("remove", "s1234567", "--files").stdout
    assert subprocess.run(["id", "s1234567"], capture_output=True).returncode != 0
    assert "can't log in" in room.course("remove", "emmy").stdout
    wait_for(lambda: not server_of("emmy"))
    assert (room.folders.homes / "emmy").is_dir()
    assert "no account 'nobody'" in room.course("reset", "nobody").stderr


def come_back(room: Room, backup: Path) -> None:
    """Back up under the running hub, lose everything, restore, and start again."""
    assert room.course("backup", str(backup), "--homes").returncode == 0
    assert backup.stat().st_mode & 0o077 == 0
    password = room.passwords["ada"]
    room.stop()
    assert "perhaps after a backup" in room.course("clear").stderr
    assert room.course("clear", "--yes").returncode == 0
    assert not room.folders.root.exists()
    assert subprocess.run(["id", INSTRUCTOR], capture_output=True).returncode != 0

    done = room.course("restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert room.submissions() == ["ada+01_activations+2026-01-01 10:00:00.0 UTC+x"]
    assert (room.folders.homes / "ada" / "work.txt").read_text() == "hers"
    assert (room.folders.homes / "ada").owner() == "ada"
    assert Accounts(room.folders.accounts).fits("ada", password)
    assert (room.folders.course / "gradebook.db").owner() == INSTRUCTOR
    assert room.inbound.stat().st_mode & 0o7777 == 0o3733
