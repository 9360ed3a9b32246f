"""A real JupyterLab on a copy of the course, started the way `make lab` starts it."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: the course folder it serves, and how to reach it."""

    root: Path
    address: str  # http://127.0.0.1:port
    token: str

    def url(self, path: str) -> str:
        """The address of `path` on this server, with the token that lets a browser in."""
        return f"{self.address}/{path}?token={self.token}"

    def end_kernels(self) -> None:
        """End all kernels: a page that is closed leaves its own running."""
        with urllib.request.urlopen(self.url("api/kernels")) as answer:
            kernels = json.load(answer)
        for kernel in kernels:
            end = urllib.request.Request(self.url(f"api/kernels/{kernel['id']}"), method="DELETE")
            urllib.request.urlopen(end).close()


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(root: Path) -> dict[str, str]:
    """This process's environment, with Jupyter's own folders beside `root` in place of the user's.

    The lab is then in the state of somebody who starts it for the first time.
    """
    own = root.parent / "jupyter"
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    kept = {k: v for k, v in os.environ.items() if k not in ("COURSE_GRADING", "COURSE_EXCHANGE")}
    return kept | {name: str(own / folder) for name, folder in folders.items()}


def start(root: Path) -> tuple[Server, subprocess.Popen]:
    """Start the lab in the course folder `root` and wait until it answers.

    Raises `RuntimeError`, with the end of its log, if it doesn't.
    """
    if not (root / ".venv").exists():
        (root / ".venv").symlink_to(sys.prefix)  # tools/lab.py starts what is in .venv
    port, token = free_port(), secrets.token_hex(16)
    log = root.parent / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "tools/lab.py", "--no-browser", f"--IdentityProvider.token={token}"],
            cwd=root,
            env=environment(root) | {"PORT": str(port)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(root, f"http://127.0.0.1:{port}", token)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(server.url("api/status"), timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return server, process
    stop(process)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen) -> None:
    """End the lab and its kernels."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)  # Jupyter ends its kernels on this
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
