"""What the set-up scripts share: clear sentences, and the system's package manager.

Standard library only, and readable by Python 3.6: this runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys


class Stop(Exception):
    """Set-up cannot go on; the message is the one sentence that its user needs."""


def say(text):
    """Print one line about what is going on, at once and on stderr (stdout is for results)."""
    print(text, file=sys.stderr, flush=True)


def run_to_end(main):
    """Run `main`, and turn `Stop` and Ctrl-C into a sentence and exit code 1."""
    try:
        main()
    except Stop as stop:
        say("\n%s" % stop)
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nStopped. The same command starts again where that is safe.")
        sys.exit(1)


def apt_install(*packages):
    """Install Debian or Ubuntu packages where that needs no password; True if it worked."""
    apt_get = shutil.which("apt-get")
    if not apt_get:
        return False
    as_root = []
    if os.geteuid() != 0:
        as_root = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.call(as_root + ["true"], stderr=subprocess.DEVNULL):
            return False
    say("Installing %s with apt-get ..." % " ".join(packages))
    quiet = as_root + ["env", "DEBIAN_FRONTEND=noninteractive", apt_get, "-qq"]
    subprocess.call(quiet + ["update"], stdout=subprocess.DEVNULL)
    install = quiet + ["install", "-y", "--no-install-recommends"] + list(packages)
    return subprocess.call(install, stdout=subprocess.DEVNULL) == 0
