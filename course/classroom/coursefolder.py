"""The instructor's course folder: what the operator's has, brought up to date at each start."""

from __future__ import annotations

import hashlib
import json
import pwd
from pathlib import Path

import course
from course.classroom import users

_PARTS = ("lessons", "source", "release", "docs")
_FILES = ("nbgrader_config.py",)
_BROUGHT = ".course-brought.json"  # a digest of each file as it was brought last


def read(root: Path) -> dict[str, bytes]:
    """What the instructor is given of the operator's course folder, by its name there."""
    return {name: path.read_bytes() for name, path in _files(root).items()}


def bring(contents: dict[str, bytes], folder: Path, owner: pwd.struct_passwd | None) -> list[str]:
    """Write what changed in `contents` since the last time into `folder`, as its owner.

    What the instructor changed stays as it is; returns those files that the operator's folder
    changed too, in which somebody has to put the two together.
    """
    package = Path(course.__path__[0]).resolve()
    now, differ = {}, []
    # Whatever the owner put there, a link for example: we do no more with it than they could.
    with users.acting_as(owner):
        record = folder / _BROUGHT
        before = json.loads(record.read_text()) if record.is_file() else {}
        for name, content in contents.items():
            target = folder / name
            now[name] = new = _digest(content)
            there = _digest(target.read_bytes()) if target.is_file() else None
            if there in (None, before.get(name)):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            elif there != new and before.get(name) != new:
                differ.append(name)
        record.write_text(json.dumps(now))
        (folder / "course").unlink(missing_ok=True)
        (folder / "course").symlink_to(package)  # where nbgrader_config.py looks for templates
    return differ


def _files(root: Path) -> dict[str, Path]:
    paths = [root / name for name in _FILES]
    for part in _PARTS:
        paths += [p for p in sorted((root / part).rglob("*")) if p.is_file()]
    kept = [path for path in paths if not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}]
    return {str(path.relative_to(root)): path for path in kept}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
