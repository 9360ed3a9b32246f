"""The roster, accounts, and the instructor's copy of the course."""

import stat
from pathlib import Path

import pytest

from course.build import BuildError
from course.classroom import coursefolder, roster
from course.classroom.accounts import Accounts
from course.classroom.roster import Person

ADA = Person("ada", "Ada", "Ada Lovelace", "ada@example.org")


@pytest.mark.parametrize(
    ("given", "account"),
    [
        ("1234567", "s1234567"), ("Ada.Lovelace@example.org", "ada-lovelace-example-org"),
        ("Zoë", "zoe"), ("-rf /", "rf"), ("a" * 40, "a" * 32), ("_x", "s_x"),
    ],
)  # fmt: skip
def test_an_account_is_a_name_that_linux_takes(given: str, account: str):
    assert roster.account_name(given) == account


@pytest.mark.parametrize("given", ["", "../..", "Ж", "=+-"])
def test_an_id_without_letters_is_refused(given: str):
    with pytest.raises(BuildError, match="no letter"):
        roster.account_name(given)


def write(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def test_a_roster_from_a_spreadsheet_is_read(tmp_path: Path):
    text = 'Email,ID,Name\r\nada@example.org,Ada,"Lovelace, ""Ada"""\r\n'
    (person,) = roster.read(write(tmp_path, text))
    assert person == Person("ada", "Ada", 'Lovelace, "Ada"', "ada@example.org")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,name\n1,Ada\n", "lacks the column email"), ("id,name,email\n", "nobody"),
        ("id,name,email\n,Ada,a@b\n", "Line 2 .* has no id"),
        ("id,name,email\nA.B,x,y\na-b,x,y\n", "would share an account"),
        ("id,name,email\nInstructor,x,y\n", "instructor's"),
    ],
)  # fmt: skip
def test_what_is_no_roster_is_refused(tmp_path: Path, text: str, said: str):
    with pytest.raises(BuildError, match=said):
        roster.read(write(tmp_path, text))


def test_a_password_fits_until_another_is_made(tmp_path: Path):
    accounts = Accounts(tmp_path / "accounts.json")
    password = accounts.put(ADA, "student")
    assert accounts.fits("ada", password)
    assert not accounts.fits("ada", password + "x")
    assert not accounts.fits("ada", "")
    assert not accounts.fits("nobody", "")
    assert accounts.put(ADA, "student") == ""  # it is there: nothing changes
    assert accounts.fits("ada", password)
    new = accounts.reset("ada")
    assert accounts.fits("ada", new)
    assert not accounts.fits("ada", password)
    accounts.remove("ada")
    assert not accounts.fits("ada", new)


def test_accounts_are_their_owners_alone_and_hold_no_password(tmp_path: Path):
    path = tmp_path / "accounts.json"
    password = Accounts(path).put(ADA, "student")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert password not in path.read_text()


def test_the_course_is_brought_and_the_instructors_edits_are_kept(tmp_path: Path):
    folder = tmp_path / "course"
    folder.mkdir()
    first = {"lessons/a.py": b"1", "lessons/b.py": b"1"}
    assert coursefolder.bring(first, folder, None) == []
    (folder / "lessons" / "a.py").write_bytes(b"mine")
    assert coursefolder.bring(first, folder, None) == []
    newer = {"lessons/a.py": b"2", "lessons/b.py": b"2", "lessons/c.py": b"2"}
    assert coursefolder.bring(newer, folder, None) == ["lessons/a.py"]
    there = {path.name: path.read_bytes() for path in (folder / "lessons").iterdir()}
    assert there == {"a.py": b"mine", "b.py": b"2", "c.py": b"2"}
