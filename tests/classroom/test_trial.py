"""Without root: the same classroom, which says that it isolates nobody."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course.classroom import api
from course.classroom.folders import Folders, free_port

pytestmark = pytest.mark.xdist_group("classroom")
USER = pwd.getpwnam("nobody").pw_uid  # nbgrader asks for the name of who runs it
AS_USER = Path(__file__).parents[1] / "grading" / "sandbox" / "as_user.py"


@pytest.fixture
def folder(copy_course: Callable[[Path], Path]) -> Iterator[Path]:
    """A course folder of an ordinary user's, in a folder of theirs."""
    made = Path(tempfile.mkdtemp(prefix="trial-"))
    copy_course(made / "course")
    if os.geteuid() == 0:
        for path in (made, *made.rglob("*")):
            os.chown(path, USER, USER)
    yield made
    shutil.rmtree(made)


def wait_for(holds: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_without_root_it_runs_and_says_that_it_isolates_nobody(folder: Path):
    command = [sys.executable, "-P", "-m", "course.cli", "classroom", "--students", "1"]
    command += ["--address", f"http://127.0.0.1:{free_port()}"]
    if os.geteuid() == 0:
        command = [sys.executable, str(AS_USER), str(USER), *command]
    own = {"HOME": str(folder), "USER": "somebody", "LOGNAME": "somebody"}
    said = folder.parent / f"{folder.name}.log"
    with said.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder / "course", env=os.environ | own, stdout=out, stderr=out
        )
    try:
        wait_for(lambda: "Ctrl-C" in said.read_text() or process.poll() is not None)
        assert "NO ISOLATION" in said.read_text()
        assert "student1" in said.read_text()
        room = Folders(folder / "course" / "classroom")
        api.ask(room, "users/student1", "POST")
        api.ask(room, "users/student1/server", "POST")
        wait_for(lambda: (api.servers(room) or {}).get("student1"))
        assert sorted(path.name for path in (room.inbound.parent / "outbound").iterdir()) == [
            "01_activations", "02_softmax",
        ]  # fmt: skip
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, said.read_text()
        said.unlink()
    assert api.servers(room) is None
