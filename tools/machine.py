"""What the set-up scripts share: clear sentences, and the system's package manager.

Standard library only, and readable by Python 3.6: this runs before anything is installed.
"""

import errno
import os
import shutil
import subprocess
import sys
from typing import Callable, List

DISK_FULL = "The disk is full: free some space (set-up needs about 3 GB) and start again."


class Stop(Exception):
    """Set-up cannot go on; the message is the one sentence that its user needs."""


def say(text: str) -> None:
    """Print one line about what is going on, at once and on stderr (stdout is for results)."""
    print(text, file=sys.stderr, flush=True)


def run_to_end(main: Callable[[], None]) -> None:
    """Run `main`; what stops it, Ctrl-C included, becomes a sentence and exit code 1."""
    try:
        main()
    except Stop as stop:
        say("\n%s" % stop)
        sys.exit(1)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        say("\n%s" % (DISK_FULL if full else "%s: %s" % (error.strerror, error.filename)))
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nStopped. Give the same command to go on.")
        sys.exit(1)


def apt_install(*packages: str) -> bool:
    """Install Debian or Ubuntu packages where that needs no password; True if it worked."""
    apt_get = shutil.which("apt-get")
    if not apt_get:
        return False
    as_root: List[str] = []
    if os.geteuid() != 0:
        as_root = ["sudo", "-n"]
        if not shutil.which("sudo"):
            return False
        if subprocess.call([*as_root, "true"], stderr=subprocess.DEVNULL):
            return False
    say("Installing %s with apt-get ..." % " ".join(packages))
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", apt_get, "-qq"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(apt + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        say(done.stdout.decode(errors="replace").strip())
    return done.returncode == 0
