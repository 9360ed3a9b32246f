"""Print the path of a Chromium or Chrome for the browser tests; get one where there is none.

The first of these that works: $COURSE_BROWSER or $BROWSER_PATH, one that is installed, the
system's package manager (as root or with a sudo that asks for no password), Playwright's own
download.
"""

import os
import shutil
import subprocess
import sys
from typing import Optional

from machine import Stop, apt_install, run_to_end, say

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def works(path: str) -> bool:
    """Whether this is a browser that runs (on Ubuntu, `chromium-browser` may only name a snap)."""
    try:
        out = subprocess.check_output(
            [path, "--version"], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return b"Chrom" in out


def installed() -> Optional[str]:
    """The path of a browser that is installed; None without one."""
    for path in [shutil.which(name) for name in NAMES] + list(PLACES):
        if path and os.path.exists(path) and works(path):
            return path
    return None


def from_packages() -> Optional[str]:
    """The path of a browser that the system's package manager installed; None without one."""
    if shutil.which("snap") or not apt_has_chromium():
        return None  # Ubuntu's package only asks snap, which doesn't run everywhere
    return installed() if apt_install("chromium") else None


def apt_has_chromium() -> bool:
    """Whether apt's `chromium` is a browser, as on Debian; Ubuntu's is a stub that calls snap."""
    try:
        with open("/etc/os-release") as file:
            return "ID=ubuntu" not in file.read().split()
    except OSError:
        return False


def from_playwright() -> Optional[str]:
    """The path of the browser that Playwright downloads, or has downloaded; None without one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not os.path.exists(path):
        say("Fetching Playwright's Chromium ...")
        install = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.call(install, stdout=sys.stderr)
    return path if os.path.exists(path) and works(path) else None


def find() -> str:
    """The path of a browser. Raises `Stop` where none can be had."""
    for name in ("COURSE_BROWSER", "BROWSER_PATH"):
        asked = os.environ.get(name)
        if asked:
            if works(asked):
                return asked
            raise Stop("%s=%s is not a Chromium or Chrome that runs." % (name, asked))
    path = installed() or from_packages() or from_playwright()
    if not path:
        raise Stop(
            "The browser tests need Chromium or Chrome, and none could be installed: install "
            "one (on Debian: `sudo apt-get install chromium`), or name one with BROWSER_PATH=..."
        )
    return path


def check_driver() -> None:
    """See that Playwright's own program runs: it needs one library that a bare Debian lacks."""
    ask = [sys.executable, "-m", "playwright", "--version"]
    for library in ("libatomic1", ""):
        done = subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return
        if library and not apt_install(library):
            break
    said = done.stdout.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    raise Stop(
        "Playwright, which drives the browser in tests, does not run (%s): install what it lacks "
        "(on Debian: `sudo apt-get install libatomic1`) and start again." % said[-1]
    )


def main() -> None:
    """Print the browser's path, once both it and what drives it run."""
    check_driver()
    print(find())


if __name__ == "__main__":
    run_to_end(main)
