"""Print the folder of PostgreSQL's programs, for tests of a shared gradebook; get them if need be.

The first of these that has them: $COURSE_POSTGRES, what is on PATH, where Debian and Homebrew put
them, the system's package manager (as root or with a sudo that asks for no password).
"""

import glob
import os
import shutil
import subprocess
from typing import Iterator, Optional

from machine import Stop, apt_install, run_to_end

PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/pgsql-*/bin",
)
PROGRAMS = ("initdb", "postgres")


def works(folder: str) -> bool:
    """Whether the programs are there and run."""
    try:
        for name in PROGRAMS:
            subprocess.check_output(
                [os.path.join(folder, name), "--version"], stderr=subprocess.DEVNULL, timeout=60
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def places() -> Iterator[str]:
    """Where they may be, the newest first."""
    on_path = shutil.which("initdb")
    if on_path:
        yield os.path.dirname(os.path.realpath(on_path))
    for pattern in PLACES:
        yield from sorted(glob.glob(pattern), reverse=True)


def installed() -> Optional[str]:
    """The folder of programs that are installed; None without any."""
    return next((folder for folder in places() if works(folder)), None)


def find() -> str:
    """The folder of the programs. Raises `Stop` where they can't be had."""
    asked = os.environ.get("COURSE_POSTGRES")
    if asked:
        if works(asked):
            return asked
        raise Stop("COURSE_POSTGRES=%s has no initdb and postgres that run." % asked)
    folder = installed()
    if folder is None and apt_install("postgresql"):
        folder = installed()
    if folder is None:
        raise Stop(
            "The tests of a shared gradebook need PostgreSQL, and it could not be installed: "
            "install it (on Debian: `sudo apt-get install postgresql`), or name the folder of its "
            "programs with COURSE_POSTGRES=..."
        )
    return folder


if __name__ == "__main__":
    run_to_end(lambda: print(find()))
