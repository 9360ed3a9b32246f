"""What students do to the exchange, and what the instructor gets of it; as the users they are."""

import logging
import os
import pwd
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import room as rooms
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc
from room import Room
from traitlets.config import Config, PyFileConfigLoader

from course.classroom.classroom import Classroom
from course.classroom.exchange import RESTORED, Collect, Submit, copy_plain
from course.classroom.roster import INSTRUCTOR, Person

pytestmark = pytest.mark.xdist_group("classroom")
NAME = "01_activations"


@pytest.fixture(scope="module")
def class_room(copy_course: Callable[[Path], Path]) -> Iterator[Room]:
    """A classroom with its users, and an assignment that is out; no hub."""
    if os.geteuid() != 0:
        pytest.skip("system users are made by root: not root, only the trial is tested")
    made = rooms.make(copy_course, ["ada", "emmy"])
    made.root.parent.chmod(0o711)
    child = os.fork()  # getting ready, a process comes to see less of the machine
    if child == 0:
        status = 1
        try:
            setting = Classroom(made.root, made.folders.root)
            setting.prepare("http://127.0.0.1:8000", "")
            setting.enrol([Person(INSTRUCTOR, INSTRUCTOR, "", "")], "instructor")
            setting.enrol(Person(name, name, name, "") for name in made.people)
            setting.release([NAME])
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    yield made
    made.clear()


@pytest.fixture
def room(class_room: Room) -> Iterator[Room]:
    """The classroom, with nothing handed in."""
    for folder in (*class_room.inbound.iterdir(), class_room.folders.course / "submitted"):
        shutil.rmtree(folder, ignore_errors=True)
    (class_room.folders.exchange / RESTORED).unlink(missing_ok=True)
    return class_room


def hand_in(room: Room, owner: str, name: str = "", when: str = "", **files: str) -> Path:
    """What somebody puts into the exchange by hand, under any name."""
    when = when or f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    folder = room.inbound / (name or f"{owner}+{NAME}+{when}+random")
    folder.mkdir()
    for file, text in ({"answer": f"by {owner}"} | files).items():
        (folder / f"{file}.ipynb").write_text(text)
    for path in (folder, *folder.iterdir()):
        os.chown(path, pwd.getpwnam(owner).pw_uid, -1)  # the group is that of the folder around
    return folder


def collect(room: Room) -> str:
    """Collect as the instructor, with their settings; returns what was said."""
    said = room.root.parent / "said"

    def work(config: Config) -> None:
        logging.basicConfig(filename=said, filemode="w", force=True)
        directory, log = CourseDirectory(config=config), logging.getLogger("collect")
        Collect(coursedir=directory, config=config, update=True, log=log).start()

    said.write_text("")
    said.chmod(0o666)
    assert as_user(INSTRUCTOR, room, work) == 0
    return said.read_text()


def collected(room: Room) -> dict[str, str]:
    """What the instructor has of each student's answer."""
    folder = room.folders.course / "submitted"
    return {path.parts[-3]: path.read_text() for path in folder.glob(f"*/{NAME}/answer.ipynb")}


def test_students_fetch_submit_and_read_only_their_own(room: Room):
    for step in ("fetch_assignment", "submit"):
        done = room.run_as("ada", "nbgrader", step, NAME)
        assert done.returncode == 0, done.stderr
    ada, emmy = next(room.inbound.glob("ada+*")), hand_in(room, "emmy")
    emmy.chmod(0o750)
    assert room.run_as("ada", "cat", str(ada / f"{NAME}.ipynb")).returncode == 0
    for command in (["ls", str(room.inbound)], ["ls", str(emmy)], ["rm", "-r", str(emmy)]):
        assert room.run_as("ada", *command).returncode != 0
    assert "Left out" not in collect(room)
    submitted = room.folders.course / "submitted" / "ada" / NAME
    assert (submitted / f"{NAME}.ipynb").read_bytes() == (ada / f"{NAME}.ipynb").read_bytes()
    assert (submitted / "submission_secret.txt").is_file()
    assert not [*room.inbound.glob(".part-*")]


def as_user(account: str, room: Room, work: Callable[[Config], None]) -> int:
    """Do some work as somebody, with their settings; returns how that process ended."""
    user = pwd.getpwnam(account)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.chdir(user.pw_dir)
            os.environ |= {"COURSE_EXCHANGE": str(room.folders.exchange), "HOME": user.pw_dir}
            role = INSTRUCTOR if account == INSTRUCTOR else "student"
            settings = str(room.folders.settings / role)
            config = PyFileConfigLoader("nbgrader_config.py", path=settings).load_config()
            config.CourseDirectory.assignment_id = NAME
            work(config)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_submission_killed_half_way_leaves_nothing_to_collect_and_can_be_repeated(room: Room):
    work = room.folders.homes / "emmy" / NAME
    work.mkdir(exist_ok=True)
    for name in ("answer", "zulu"):
        (work / f"{name}.ipynb").write_text(f"{name} by emmy")
    user = pwd.getpwnam("emmy")
    for path in (work, *work.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)

    class Killed(Submit):
        def set_perms(self, *_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    def hand_in_by(kind: type[Submit]) -> Callable[[Config], None]:
        def work(config: Config) -> None:
            directory = CourseDirectory(config=config)
            kind(coursedir=directory, authenticator=Authenticator(), config=config).start()

        return work

    assert as_user("emmy", room, hand_in_by(Killed)) == -signal.SIGKILL
    assert len([*room.inbound.glob(".part-*/emmy+*/answer.ipynb")]) == 1  # it had begun
    collect(room)
    assert collected(room) == {}
    assert as_user("emmy", room, hand_in_by(Submit)) == 0
    collect(room)
    assert collected(room) == {"emmy": "answer by emmy"}


def test_what_somebody_hands_in_under_anothers_name_is_left_where_it_is(room: Room):
    hand_in(room, "ada")
    later = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f} UTC"
    forged = f"ada+{NAME}+{later}+x"
    hand_in(room, "emmy", name=forged)
    assert forged in collect(room)
    assert collected(room) == {"ada": "by ada"}


def test_nobody_stops_the_collecting_by_an_odd_name(room: Room):
    hand_in(room, "ada")
    for name in (f"emmy+{NAME}+yesterday+x", f"emmy+{NAME}+", f"+{NAME}+++", f"x+{NAME}+y+z+a+b"):
        hand_in(room, "emmy", name=name)
    collect(room)
    assert collected(room) == {"ada": "by ada"}


def test_a_link_is_not_followed_out_of_the_exchange(room: Room):
    folder = hand_in(room, "ada")
    secret = room.folders.course / "source" / NAME / f"{NAME}.ipynb"
    assert secret.stat().st_uid == pwd.getpwnam(INSTRUCTOR).pw_uid  # who could read it
    for name, target in (("stolen.ipynb", secret), ("sources", secret.parent)):
        os.symlink(target, folder / name)
    os.mkfifo(folder / "waits.ipynb")
    hand_in(room, "emmy", name="unused")
    (room.inbound / "unused").rename(room.folders.root / "elsewhere")
    linked = room.inbound / f"emmy+{NAME}+2026-01-01 10:00:00.0 UTC+x"
    linked.symlink_to(secret.parent)
    user = pwd.getpwnam("emmy")
    os.chown(linked, user.pw_uid, user.pw_gid, follow_symlinks=False)
    said = collect(room)
    shutil.rmtree(room.folders.root / "elsewhere")
    assert "stolen.ipynb" in said
    assert linked.name in said
    linked.unlink()
    got = room.folders.course / "submitted"
    assert sorted(path.name for path in (got / "ada" / NAME).iterdir()) == [
        "answer.ipynb", "timestamp.txt",
    ]  # fmt: skip
    assert not (got / "emmy").exists()


def test_the_time_that_counts_is_when_it_came(room: Room):
    hand_in(room, "ada", when="2026-01-01 10:00:00.0 UTC")
    hand_in(room, "emmy", when="2099-01-01 10:00:00.0 UTC")
    assert "which counts" in collect(room)
    for account in ("ada", "emmy"):
        folder = room.folders.course / "submitted" / account / NAME
        when = parse_utc((folder / "timestamp.txt").read_text())
        assert abs(when - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)


def test_after_a_restore_the_name_counts_again(room: Room):
    hand_in(room, "ada", when="2026-01-01 10:00:00.0 UTC")
    (room.folders.exchange / RESTORED).touch()
    collect(room)
    folder = room.folders.course / "submitted" / "ada" / NAME
    assert (folder / "timestamp.txt").read_text().startswith("2026-01-01 10:00:00")


def test_what_is_handed_in_later_takes_the_place_of_what_was_there(room: Room):
    hand_in(room, "ada", answer="first")
    collect(room)
    hand_in(room, "ada", answer="second")
    collect(room)
    assert collected(room) == {"ada": "second"}


def test_a_folder_that_is_too_large_loses_what_comes_last_and_no_notebook(tmp_path: Path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "data.bin").write_bytes(b"x" * 80)
    (source / "work.ipynb").write_bytes(b"y" * 80)
    assert copy_plain(str(source), target, 100, lambda *_: []) == ["data.bin"]
    assert [path.name for path in target.iterdir()] == ["work.ipynb"]
