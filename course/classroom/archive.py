"""Backups of a classroom, and the way back."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from course.build import BuildError
from course.classroom import users
from course.classroom.classroom import Classroom
from course.classroom.exchange import RESTORED
from course.classroom.folders import Folders

_DATABASES = {"course/gradebook.db", "hub/jupyterhub.sqlite"}
_LEFT_OUT = {"hub/hub.log", "hub/proxy.pid"}


def write(folders: Folders, target: Path, homes: bool) -> int:
    """Write a backup, while the hub may be running; returns its size in bytes.

    Databases come first and by SQLite's own way, which a grader who writes does not disturb; then
    the exchange and the rest. The file can be read by its owner alone.
    """
    if target.exists():
        raise BuildError(f"{target} is there already.")
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
        _add_bytes(tar, folders, folders.accounts)  # first: `read` makes users from it
        for name in sorted(_DATABASES):
            if (folders.root / name).exists():
                _add_database(tar, folders, folders.root / name)
        for part in ("hub", "exchange", "course", *(["homes"] if homes else [])):
            _add_tree(tar, folders, folders.root / part)
    half.rename(target)
    return target.stat().st_size


def read(room: Classroom, source: Path) -> None:
    """Fill an empty folder from a backup, and make its system users where they are missing."""
    folders = room.folders
    if folders.root.exists() and any(folders.root.iterdir()):
        raise BuildError(f"{folders.root} is not empty: move it away first.")
    with tarfile.open(source) as tar:
        first = tar.next()
        if first is None or first.name != "hub/accounts.json":
            raise BuildError(f"{source} is no backup of a classroom.")
        file = tar.extractfile(first)
        known = json.loads(file.read()) if file else {}
        folders.make()
        for account, person in known.items():
            if not room.trial:
                users.make(account, person["role"], room.home(account))
        # Our own backup: owners by name, modes and links as they were. Python before 3.11.4 has no
        # filters, and does this anyhow.
        tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        tar.extractall(folders.root)
    state = folders.state(course=str(room.root))
    folders.config.write_text(
        folders.config.read_text().replace(state["folder"], str(folders.root))
    )
    folders.state(folder=str(folders.root))
    (folders.exchange / RESTORED).touch()  # from now on only names know when something came


def _add_tree(tar: tarfile.TarFile, folders: Folders, top: Path) -> None:
    for path, _, names in os.walk(top):
        for name in ("", *names):
            found = Path(path, name)
            inside = str(found.relative_to(folders.root))
            if inside in _DATABASES | _LEFT_OUT or found == folders.accounts:
                continue
            try:
                # A socket or a pipe has no content; a link is kept as a link.
                info = tar.gettarinfo(found, inside)
                if info is None:
                    continue
                if info.isreg():
                    with found.open("rb") as file:
                        tar.addfile(info, file)
                else:
                    tar.addfile(info)
            except FileNotFoundError:
                continue  # taken away meanwhile


def _add_bytes(tar: tarfile.TarFile, folders: Folders, path: Path) -> None:
    content = path.read_bytes()
    info = tar.gettarinfo(path, str(path.relative_to(folders.root)))
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _add_database(tar: tarfile.TarFile, folders: Folders, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folders.hub) as scratch:
        copy = Path(scratch, "copy")
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(copy)) as kept,
        ):
            live.backup(kept)
        info = tar.gettarinfo(path, str(path.relative_to(folders.root)))
        info.size = copy.stat().st_size
        with copy.open("rb") as file:
            tar.addfile(info, file)
