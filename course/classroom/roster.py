"""Who is in the class: the roster that an operator gives, and the accounts it becomes."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from course.build import BuildError

INSTRUCTOR = "instructor"
_LONGEST = 32  # letters in the name of a Linux user


@dataclass(frozen=True)
class Person:
    """One line of the roster; `id` is the university's own, and `account` what is logged in with.

    The account is also the name of the system user, and the student's id in the gradebook.
    """

    account: str
    id: str
    name: str
    email: str


def account_name(text: str) -> str:
    """The account of somebody whose id is `text`: small letters, digits, `-` and `_`.

    Raises BuildError where nothing of the id is left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")
    if not name:
        raise BuildError(f"The id {text!r} has no letter from a to z and no digit in it.")
    if not name[0].isalpha():
        name = f"s{name}"  # Linux takes no user whose name is a number
    return name[:_LONGEST].rstrip("-")


def read(path: Path) -> list[Person]:
    """The people in a CSV file with the columns id, name and email, in its order.

    Raises BuildError for a file that is no roster, and where two people would share an account.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as problem:
        raise BuildError(f"{path} can't be read as CSV in UTF-8: {problem}") from problem
    people: dict[str, Person] = {}
    for number, row in enumerate(rows, start=2):
        fields = {(key or "").strip().lower(): (value or "") for key, value in row.items() if key}
        if missing := {"id", "name", "email"} - fields.keys():
            raise BuildError(f"{path} lacks the column {sorted(missing)[0]}: id, name and email.")
        given = fields["id"].strip()
        if not given:
            raise BuildError(f"Line {number} of {path} has no id.")
        person = Person(account_name(given), given, fields["name"].strip(), fields["email"].strip())
        if person.account == INSTRUCTOR:
            raise BuildError(f"Line {number} of {path}: that account is the instructor's.")
        if other := people.get(person.account):
            raise BuildError(
                f"{path}: the ids {other.id!r} and {given!r} would share an account, "
                f"{person.account}."
            )
        people[person.account] = person
    if not people:
        raise BuildError(f"{path} has nobody in it.")
    return list(people.values())


def invented(count: int) -> list[Person]:
    """Accounts to try the classroom with."""
    return [
        Person(f"student{n}", f"student{n}", f"Student {n}", f"student{n}@example.org")
        for n in range(1, count + 1)
    ]
