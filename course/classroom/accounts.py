"""Who may log in, and by which password: a file that only its owner can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

from course.classroom.roster import Person

# 32 MB and some 0.1 s a guess; generated passwords have 80 bits in any case.
_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26}
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another


class Accounts:
    """The accounts in a file, read anew each time: a running hub sees at once what changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> dict[str, dict[str, Any]]:
        """What is known of each account, by its name."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def put(self, person: Person, role: str) -> str:
        """Add an account; returns its password, and "" where the account is there already."""
        known = self.all()
        if person.account in known:
            return ""
        known[person.account] = asdict(person) | {"role": role}
        self._write(known)
        return self.reset(person.account)

    def reset(self, account: str) -> str:
        """Give an account a new password, and return it. KeyError for one that isn't there."""
        known = self.all()
        password = "-".join(_word() for _ in range(4))
        salt = secrets.token_bytes(16)
        known[account] |= {"salt": salt.hex(), "hash": _hash(password, salt).hex()}
        self._write(known)
        return password

    def remove(self, account: str) -> None:
        """Take an account out. KeyError for one that isn't there."""
        known = self.all()
        del known[account]
        self._write(known)

    def role(self, account: str) -> str:
        """`student` or `instructor`; "" for nobody's account."""
        return self.all().get(account, {}).get("role", "")

    def fits(self, account: str, password: str) -> bool:
        """Whether this is the account's password; takes as long where there is no such account."""
        entry = self.all().get(account, {})
        salt = bytes.fromhex(entry.get("salt", "00"))
        return hmac.compare_digest(_hash(password, salt).hex(), entry.get("hash", ""))

    def _write(self, known: dict[str, dict[str, Any]]) -> None:
        half = self.path.with_name(self.path.name + ".part")
        half.unlink(missing_ok=True)
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(known, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        half.replace(self.path)


def _word() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(4))


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
