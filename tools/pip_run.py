"""Run pip with a progress that can be read, and say in one sentence what stopped it."""

import os
import re
import shutil
import subprocess
import sys
from typing import Any, Callable, Dict, List, Set

from machine import DISK_FULL, Stop, say

FULL = re.compile(r"No space left on device|Errno 28|Disk quota exceeded")
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError"
    r"|Failed to establish a new connection|[Nn]ame resolution|[Nn]ame or service not known"
    r"|Connection (refused|reset|aborted|broken)|Network is unreachable|5\d\d Server Error"
)
MISSING = re.compile(r"satisfies the requirement ([\w.-]+)[^\n]*\(from versions: none\)")
# How pip names the next package: of an index, there already, or a file in a folder it looks in.
PACKAGE = re.compile(
    r"\s*(?:(?:Collecting|Requirement already satisfied:) ([\w.-]+)"
    r"|Processing \S*/([\w.]+)-[^/]*\.whl)"
)
# Packages for other systems.
ELSEWHERE = re.compile(r"sys_platform == '(win32|darwin)'|os_name == 'nt'")
CPU_HINT = """\
  No NVIDIA GPU was found, and the build of torch at hand brings several GB for one. To save
  them: Ctrl-C, then `make lab TORCH_INDEX=<address of an index that has CPU builds>`."""


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU that answers."""
    try:
        out = subprocess.check_output(["nvidia-smi", "-L"], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return b"GPU" in out


class Progress:
    """One line that counts packages: rewritten on a terminal, else repeated now and then."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.names: Set[str] = set()
        self.live = sys.stderr.isatty()

    def line(self, text: str) -> None:
        """Show `text` as what is going on now."""
        if self.live:
            sys.stderr.write("\r\033[K  " + text[:76])
            sys.stderr.flush()
        else:
            say("  " + text)

    def package(self, name: str) -> None:
        """Count one more package; say so when gigabytes for a GPU reach a machine without one."""
        if name in self.names:
            return
        first = not any(other.startswith("nvidia-") for other in self.names)
        if name.startswith("nvidia-") and first and not has_gpu():
            self.close()
            say(CPU_HINT)
        self.names.add(name)
        if self.live or len(self.names) % 25 == 1:
            self.line("%d of about %d packages: %s" % (len(self.names), self.total, name))

    def close(self) -> None:
        """Leave the terminal at the start of an empty line."""
        if self.live:
            sys.stderr.write("\r\033[K")


def why_it_failed(output: str, log: str) -> str:
    """The sentence for a failed pip, from what it printed."""
    if FULL.search(output):
        return DISK_FULL
    if UNREACHABLE.search(output):
        return (
            "The package index can't be reached: check the network (or pip's index and proxy "
            "settings, `pip config list`) and start again."
        )
    missing = MISSING.search(output)
    if missing:
        return (
            "The package index can't be reached, or has no %s for this machine: check the "
            "network and pip's settings (`pip config list`) and start again." % missing.group(1)
        )
    errors = re.findall(r"ERROR: (.*)", output) or ["it was stopped"]
    return "pip could not install the course: %s (all it said is in %s)" % (errors[-1], log)


def run_pip(
    venv: str, arguments: List[str], progress: Progress, before_changes: Callable[[], None]
) -> None:
    """Run `pip install` with `arguments`; `before_changes` is called before it touches `venv`."""
    log = os.path.join(venv, "pip.log")
    scratch = os.path.join(venv, "tmp")  # /tmp may be small, and pip unpacks gigabytes
    os.makedirs(scratch, exist_ok=True)
    pip = [os.path.join(venv, "bin", "python"), "-m", "pip", "--disable-pip-version-check"]
    process = subprocess.Popen(
        [*pip, "install", "--progress-bar", "off", "--no-input", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ, TMPDIR=scratch),
    )
    output = []
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        output.append(line)
        package = PACKAGE.match(line)
        if package:
            progress.package((package.group(1) or package.group(2)).lower().replace("_", "-"))
        elif re.match(r"\s+Downloading .*\(\d{2,} MB\)|\s+Downloading .*\([\d.]+ GB\)", line):
            progress.line("downloading " + line.split("/")[-1].replace("Downloading", "").strip())
        elif line.startswith("Installing collected packages"):
            before_changes()
            progress.line("unpacking %d packages ..." % (line.count(",") + 1))
    progress.close()
    if process.wait():
        try:
            with open(log, "w") as file:
                file.write("\n".join(output))
        except OSError:
            pass  # on a full disk the sentence is all there is
        raise Stop(why_it_failed("\n".join(output), log))
    shutil.rmtree(scratch, ignore_errors=True)


def pip_install(
    root: str, venv: str, want: Dict[str, Any], before_changes: Callable[[], None]
) -> None:
    """Install the course with `want["extras"]`, torch from `want["torch_index"]` where given."""
    lock = os.path.join(root, "requirements.lock")
    with open(lock) as file:
        pins = {line.split("==")[0] for line in file if "==" in line and not ELSEWHERE.search(line)}
    progress = Progress(len(pins))
    if want["torch_index"]:
        from_index = ["--index-url", want["torch_index"], "--force-reinstall", "--no-deps", "torch"]
        run_pip(venv, ["-c", lock, *from_index], progress, before_changes)
    extras = "[%s]" % ",".join(want["extras"]) if want["extras"] else ""
    run_pip(venv, ["-c", lock, "-e", root + extras], progress, before_changes)
