"""What a jailed kernel sees of the machine's files: what Python needs, and nothing of anyone's.

Worked out once, in the warm parent, from what that has imported.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import course

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_STORES = ("/nix/store", "/gnu/store")  # where some systems keep all libraries
_SETTINGS = (
    "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/localtime", "/etc/mime.types", "/etc/timezone",
)  # fmt: skip
_HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")  # how many cores there are
# What the judge's agent is made of; the rest of `course.grading` is the grader's.
_AGENT = ("__init__.py", "judge/__init__.py", "judge/agent.py", "judge/wire.py")

# (where it is seen, where it lies): nothing lies behind what is hidden.
View = list[tuple[str, str]]


def links() -> View:
    """The folders of the root that are links, as on most systems, and where they lead."""
    return [(path, os.readlink(path)) for path in _SYSTEM if os.path.islink(path)]


@functools.cache
def shown(hidden: tuple[str, ...] = ()) -> View:
    """What is shown, and with "" in place of a source what is hidden, the outer ones first."""
    wanted: dict[str, str] = {}
    for path in _existing():
        real = os.path.realpath(path)
        wanted[path] = wanted[real] = real
    package = os.path.abspath(course.__path__[0])
    lies = os.path.realpath(package)
    wanted[package] = lies
    wanted[f"{package}/grading"] = ""
    for name in _AGENT:
        wanted[f"{package}/grading/{name}"] = f"{lies}/grading/{name}"
    for path in [*hidden, *_private(package)]:
        wanted[os.path.realpath(path)] = ""
    made: View = []
    for target in sorted(wanted, key=lambda path: path.count("/")):
        inside = _nearest(target, made)
        source = wanted[target]
        if source and inside and inside[1] and source == inside[1] + target[len(inside[0]) :]:
            continue  # seen already
        if source or (inside and inside[1] and os.path.exists(target)):
            made.append((target, source))
    return made


def _existing() -> Iterable[str]:
    folders = [*_SYSTEM, *_STORES, *_SETTINGS, *_HARDWARE]
    folders += [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    roots = {name.partition(".")[0] for name in sys.modules} - {"course", "__main__"}
    for folder in filter(os.path.isdir, map(os.path.abspath, sys.path)):
        if any(_is_from(folder, sys.modules.get(name)) for name in roots):
            folders.append(folder)
    return [f for f in folders if os.path.exists(f) and not (f in _SYSTEM and os.path.islink(f))]


def _is_from(folder: str, module: object) -> bool:
    file = getattr(module, "__file__", None) or ""
    return file.startswith(folder + os.sep) and (
        os.path.dirname(file) == folder or os.path.dirname(os.path.dirname(file)) == folder
    )


def _private(package: str) -> list[str]:
    """The grader's home, and the course's folder where the package lies in one."""
    found = [os.path.expanduser("~")]
    folder = Path(package).resolve().parent
    if folder.name not in ("site-packages", "dist-packages"):
        found.append(str(folder))
    return found


def _nearest(target: str, made: View) -> tuple[str, str] | None:
    around = [entry for entry in made if target.startswith(entry[0].rstrip("/") + "/")]
    return max(around, key=lambda entry: len(entry[0]), default=None)
