"""Starts the hub, keeps it running, and stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from course.build import BuildError
from course.classroom import lti
from course.classroom.folders import Folders
from course.grading.sandbox import syscalls

_START_SECONDS = 90
_STOP_SECONDS = 120
_MOST_STARTS, _SPAN_SECONDS = 5, 600
_LOG_BYTES = 10_000_000


def serve(folders: Folders, ready: Callable[[], None]) -> int:
    """Run the hub until SIGINT or SIGTERM; one that dies in between is started again.

    Servers and what is handed in outlive a hub. Calls `ready` once it answers. Raises BuildError
    where it can't be started, or doesn't stay up.
    """
    _check_lti(folders)
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    starts: list[float] = []
    while len(starts) < _MOST_STARTS:
        first = not starts
        starts = [when for when in starts if time.monotonic() - when < _SPAN_SECONDS]
        starts.append(time.monotonic())
        hub = _start(folders)
        if _wait(folders, hub, asked) and first:
            ready()
        while not asked and hub.poll() is None:
            time.sleep(0.2)
        if asked:
            return _end(hub)
        print(f"The hub ended (status {hub.returncode}); starting it again.", file=sys.stderr)
        time.sleep(1)
    raise BuildError(f"The hub does not stay up: its log is {folders.log}.")


def _check_lti(folders: Folders) -> None:
    """Say what is wrong with the settings of LTI here, where the operator sees it."""
    if folders.lti.is_file():
        try:
            lti.read(folders.lti)
        except ValueError as problem:
            raise BuildError(str(problem)) from None


def _start(folders: Folders) -> subprocess.Popen[bytes]:
    if folders.log.is_file() and folders.log.stat().st_size > _LOG_BYTES:
        folders.log.replace(folders.log.with_suffix(".log.1"))
    handle = os.open(folders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(handle, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(folders.config)],
            cwd=folders.hub,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C comes to us, and the hub is asked once
            preexec_fn=lambda: syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGTERM),
        )


def _wait(folders: Folders, hub: subprocess.Popen[bytes], asked: list[int]) -> bool:
    """Wait until hub and proxy answer; whether they do. BuildError where they don't in time."""
    state = folders.state()
    addresses = [f"http://127.0.0.1:{state['hub_port']}", state["address"].rstrip("/")]
    deadline = time.monotonic() + _START_SECONDS
    while not asked and hub.poll() is None:
        if time.monotonic() > deadline:
            _end(hub)
            raise BuildError(f"The hub did not start: its log is {folders.log}.")
        try:
            for address in addresses:
                urllib.request.urlopen(f"{address}/hub/health", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return True
    return False


def _end(hub: subprocess.Popen[bytes]) -> int:
    """Have the hub stop all servers and the proxy."""
    if hub.poll() is None:
        hub.send_signal(signal.SIGTERM)
        try:
            hub.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
    return 0
