"""nbgrader's exchange between system users who don't trust each other.

nbgrader wants the exchange's folder to be writable to everybody, takes in what anybody hands in
under another's name, and follows links out of it. Not so here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import (
    Exchange,
    ExchangeCollect,
    ExchangeFetchAssignment,
    ExchangeFetchFeedback,
    ExchangeList,
    ExchangeReleaseAssignment,
    ExchangeReleaseFeedback,
)
from nbgrader.utils import ignore_patterns

from course.grading import submit

RESTORED = ".restored"  # in the exchange's folder: when it came back from a backup
_NOBODY = ""
_GRACE = timedelta(minutes=10)  # between the moment a submission is named and its last file


class Closed(Exchange):
    """An exchange whose folder was made with the classroom, and is nobody's to write to."""

    def ensure_root(self) -> None:
        """See that it is there."""
        if not os.access(self.root, os.R_OK | os.X_OK):
            self.fail(f"The exchange can't be reached, please tell your instructor: {self.root}")


class FetchAssignment(Closed, ExchangeFetchAssignment):
    """nbgrader's own."""


class FetchFeedback(Closed, ExchangeFetchFeedback):
    """nbgrader's own."""


class List(Closed, ExchangeList):
    """nbgrader's own."""


class ReleaseAssignment(Closed, ExchangeReleaseAssignment):
    """nbgrader's own."""


class ReleaseFeedback(Closed, ExchangeReleaseFeedback):
    """nbgrader's own, for an instructor whose files are closed to others."""

    def copy_files(self) -> None:
        """Put the pages out, to be read by those who know the name: it follows from a secret."""
        super().copy_files()
        for page in Path(self.dest_path).glob("*.html"):
            page.chmod(0o644)


class Submit(Closed, submit.Submit):
    """Hands in a whole folder or nothing, open to its student and to the instructor's group alone.

    The group comes from the folder `inbound`, by its set-group bit. nbgrader copies file by file to
    the final name: one who collects meanwhile, or a process that is killed, leaves half of it.
    """

    inbound_path: str

    def copy_files(self) -> None:
        """Hand in by way of a folder that nobody collects from: its name begins with a dot."""
        self._final = Path(self.inbound_path, self.assignment_filename)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self.inbound_path) as part:
            self.inbound_path = part
            super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a folder. The second is the student's receipt: before it, the first goes in."""
        if not self._final.exists() and not dest.startswith(self.inbound_path):
            copied = Path(self.inbound_path, self.assignment_filename)
            for path in (*copied.rglob("*"), copied):
                _to_disk(path)
            copied.chmod(0o750)  # nbgrader has opened it to everybody
            copied.rename(self._final)
            _to_disk(self._final.parent)
        super().do_copy(src, dest, log)


class Collect(Closed, ExchangeCollect):
    """Takes in what a student handed in, under their own name, at the time it came."""

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """What a folder in the exchange says it is; of `_NOBODY` where it can't be that."""
        try:
            record = super()._path_to_record(path)
        except (ExchangeError, ValueError):
            record = {"filename": os.path.basename(path), "timestamp": datetime.min}
            return record | {"username": _NOBODY}
        if not self._is_own(path, record["username"]):
            return record | {"username": _NOBODY}
        arrived = arrival(Path(path), Path(self.root))
        if arrived and abs(arrived - record["timestamp"]) > _GRACE:
            # Too early a time would undo the deadline; too late a one would hide all that follow.
            said = "%s says when it was handed in, but was written at %s UTC, which counts."
            self.log.warning(said, record["filename"], arrived)
            record["timestamp"] = arrived
        return record

    def _is_own(self, path: str, student: str) -> bool:
        if not self.check_owner:
            return True
        try:
            found = os.lstat(path)
            owner = pwd.getpwuid(found.st_uid).pw_name
        except (OSError, KeyError):
            return False
        return owner == student and stat.S_ISDIR(found.st_mode)

    def copy_files(self) -> None:
        """Collect all but what is not its student's."""
        for record in [record for record in self.src_records if record["username"] == _NOBODY]:
            self.log.error("Not its student's, and left where it is: %s", record["filename"])
            self.src_records.remove(record)
        self._times = {record["filename"]: record["timestamp"] for record in self.src_records}
        super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission without following links, which may lead to the solutions."""
        del log
        unwanted = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        half = Path(f"{dest}.part")
        shutil.rmtree(half, ignore_errors=True)
        for name in copy_plain(src, half, 1000 * self.coursedir.max_dir_size, unwanted):
            self.log.error("Left out, no plain file or too large: %s/%s", src, name)
        when = self._times[os.path.basename(src)]
        (half / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S.%f} UTC")
        half.rename(dest)


def arrival(submission: Path, exchange: Path) -> datetime | None:
    """When a submission's folder was last changed, UTC; a time that its owner can't set.

    None for one that came back with a backup: only its name knows, then.
    """
    changed = os.lstat(submission).st_ctime
    with suppress(FileNotFoundError):
        if changed <= (exchange / RESTORED).stat().st_mtime:
            return None
    return datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)


def _to_disk(path: Path) -> None:
    """Have a file or folder survive a machine that stops; where it can be opened for that."""
    with suppress(PermissionError):  # `inbound` can't be read by those who write to it
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def copy_plain(
    src: str, dest: Path, limit: int, unwanted: Callable[[str, list[str]], list[str]]
) -> list[str]:
    """Copy the folders and plain files of `src`'s owner, notebooks first, `limit` bytes at most.

    Returns what had to be left out. Safe against an owner who swaps a file or a folder for a link
    meanwhile.
    """
    owner, left, out = os.lstat(src).st_uid, limit, []
    for path, folders, names, handle in os.fwalk(src, follow_symlinks=False):
        within = os.path.relpath(path, src)
        (dest / within).mkdir(parents=True, exist_ok=True)
        skipped = set(unwanted(path, [*folders, *names]))
        folders[:] = [name for name in folders if name not in skipped]
        for name in sorted(set(names) - skipped, key=lambda name: (name[-6:] != ".ipynb", name)):
            content = _read_plain(name, handle, owner, left)
            if content is None:
                out.append(os.path.normpath(os.path.join(within, name)))
            else:
                left -= len(content)
                (dest / within / name).write_bytes(content)
    return out


def _read_plain(name: str, folder: int, owner: int, limit: int) -> bytes | None:
    """The content of a plain file in an open folder; None for what is not one, or holds more."""
    try:
        # Not blocking: a named pipe would wait for somebody to write into it.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    with open(file, "rb") as source:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != owner:
            return None
        content = source.read(limit + 1)
    return content if len(content) <= limit else None
