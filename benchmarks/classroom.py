"""What a class costs a machine: `python benchmarks/classroom.py [memory] [login] [rush]`, as root.

memory  of each student's own, with JupyterLab open, and with a notebook that has run
login   from the password to a notebook that ran its first cell
rush    100 students hand in within a minute, through the real exchange, as system users
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from playwright.sync_api import BrowserContext, sync_playwright
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("classroom", "browser")]

import room as rooms  # noqa: E402
from labpage import LabPage  # noqa: E402

from course.classroom import users  # noqa: E402
from course.classroom.exchange import Submit  # noqa: E402
from course.classroom.roster import INSTRUCTOR  # noqa: E402

NAME = "01_activations"
STUDENTS, SECONDS = 100, 60
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def copy_course(folder: Path) -> Path:
    """A copy of the course, as the tests make it."""
    spec = importlib.util.spec_from_file_location("tests_conftest", ROOT / "tests" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.copy_course.__wrapped__()(folder)


def memory(account: str) -> tuple[float, float]:
    """MB of a user's processes: their own alone, and with their part of what is shared."""
    own = part = 0
    for process in psutil.process_iter(["username"]):
        if process.info["username"] == account:
            found = process.memory_full_info()
            own, part = own + found.uss, part + found.pss
    return own / 2**20, part / 2**20


def report(when: str, account: str) -> None:
    """Print what somebody's processes take."""
    own, part = memory(account)
    print(f"memory  {when} {own:.0f} MB own, {part:.0f} MB with their part of what is shared")


def log_in(room: rooms.Room, context: BrowserContext, account: str) -> LabPage:
    """Give the password; JupyterLab is there afterwards."""
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(room.address)
    page.fill("#username_input", account)
    page.fill("#password_input", room.passwords[account])
    page.click("#login_submit", no_wait_after=True)
    page.locator(".jp-Launcher").wait_for()
    return LabPage(page, room.seat(account), Path("."))


def seats() -> None:
    """Memory of each student's own, and the time until the first cell has run."""
    room = rooms.make(copy_course, ["ada", "emmy", "sofia"])
    try:
        room.start("--release", NAME)
        path = subprocess.check_output([sys.executable, ROOT / "tools/browser.py"], text=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path.strip(), args=FLAGS)
            for account in room.people:
                home = room.folders.homes / account
                subprocess.run(["cp", "-r", room.outbound(NAME), home], check=True)
                subprocess.run(["chown", "-R", account, home / NAME], check=True)
            labs, waited = [], []
            for account in room.people:
                start = time.monotonic()
                lab = log_in(room, browser.new_context(), account)
                lab.open(f"{NAME}/{NAME}.ipynb")
                lab.run(lab.cell("import torch.nn.functional"))
                waited.append(time.monotonic() - start)
                labs.append(lab)
            print(f"login   first cell has run after {', '.join(f'{s:.1f}' for s in waited)} s")
            for account in room.people:
                print(
                    "memory  first cell run: {:.0f} MB own, {:.0f} MB part".format(*memory(account))
                )
            for lab in labs:
                lab.run_all()
            for account in room.people:
                print(
                    "memory  notebook run:   {:.0f} MB own, {:.0f} MB part".format(*memory(account))
                )
            for lab in labs:
                lab.menu("Kernel", "Shut Down Kernel")
            time.sleep(5)
            for account in room.people:
                print(
                    "memory  Lab alone:      {:.0f} MB own, {:.0f} MB part".format(*memory(account))
                )
    finally:
        room.clear()


def rush() -> None:
    """A class hands in within a minute: how long each waits, and that all of it arrives."""
    people = [f"rush{number:03}" for number in range(STUDENTS)]
    room = rooms.make(copy_course, people)
    room.root.parent.chmod(0o711)
    try:
        room.start("--release", NAME)
        children = {}
        begin, times = time.monotonic(), {}
        due = {account: random.uniform(0, SECONDS) for account in people}
        for account in sorted(people, key=due.__getitem__):
            home = room.folders.homes / account
            subprocess.run(["cp", "-r", room.outbound(NAME), home], check=True)
            subprocess.run(["chown", "-R", account, home / NAME], check=True)
        begin = time.monotonic()
        for account in sorted(people, key=due.__getitem__):
            time.sleep(max(0.0, due[account] - (time.monotonic() - begin)))
            times[account] = time.monotonic()
            children[submit(room, account)] = account
            reap(children, times, os.WNOHANG)
        while children:
            reap(children, times, 0)
        waits = sorted(times.values())
        arrived = {name.split("+")[0] for name in room.submissions()}
        done = room.run_as(INSTRUCTOR, "nbgrader", "collect", NAME)
        got = len([*(room.folders.course / "submitted").glob(f"*/{NAME}/{NAME}.ipynb")])
        print(f"rush    {len(arrived)} of {STUDENTS} arrived, {got} collected ({done.returncode})")
        print(f"rush    median {waits[len(waits) // 2]:.2f} s, slowest {waits[-1]:.2f} s")
    finally:
        room.clear()


def submit(room: rooms.Room, account: str) -> int:
    """Hand in as a student, in a process of their own; returns its id."""
    child = os.fork()
    if child == 0:
        try:
            user = users.pwd.getpwnam(account)
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.chdir(user.pw_dir)
            os.umask(0o077)
            os.environ |= {"HOME": user.pw_dir, "COURSE_EXCHANGE": str(room.folders.exchange)}
            settings = str(room.folders.settings / "student")
            config = PyFileConfigLoader("nbgrader_config.py", path=settings).load_config()
            config.CourseDirectory.assignment_id = NAME
            directory = CourseDirectory(config=config)
            Submit(coursedir=directory, authenticator=Authenticator(), config=config).start()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def reap(children: dict[int, str], times: dict[str, float], flags: int) -> None:
    """Note for each child that has ended how long it took."""
    while children:
        pid, status = os.waitpid(-1, flags)
        if pid == 0:
            return
        if pid in children:
            account = children.pop(pid)
            times[account] = time.monotonic() - times[account]
            if status:
                print(f"rush    {account} could not hand in")


if __name__ == "__main__":
    wanted = set(sys.argv[1:]) or {"memory", "login", "rush"}
    if os.geteuid() != 0:
        sys.exit("This needs root: it makes system users.")
    if wanted & {"memory", "login"}:
        seats()
    if "rush" in wanted:
        rush()
